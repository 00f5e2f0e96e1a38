"""What code, tests and documents cite is there: a rule or an invariant by its number, a document by
its name."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

RULE_CITED = re.compile(r"\bRULES (\d+)(?:-(\d+))?")
RULE_TESTED = re.compile(r"\bdef test_rule_(\d+)_")
INVARIANT_CITED = re.compile(r"\bINVARIANTS I(\d+)\b|\bMutant\(\s*\"I(\d+)\"")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
NOT_HERE = re.compile(r"\b(?:DESIGN|HOUSE|VENUES|STYLE|LIBRARIES|PERFORMANCE|NEWCOMER) \d")
"""Documents that a reader of this project does not have."""


def numbered(page: str, pattern: str) -> list[int]:
    return [int(n) for n in re.findall(pattern, (DOCS / page).read_text("utf-8"), re.MULTILINE)]


def texts() -> Iterator[tuple[str, str]]:
    """Every file that may cite, with its text, but for this one."""
    folders = ("src", "tests", "bench", "docs")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
    for path in [*paths, *ROOT.glob("*.md"), ROOT / "pyproject.toml", ROOT / "Makefile"]:
        if path.suffix in {".py", ".md", ".toml", ""} and path != Path(__file__).resolve():
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def test_the_rules_are_numbered_without_a_gap() -> None:
    rules = numbered("rules.md", r"^(\d+)\. ")
    assert rules == list(range(1, len(rules) + 1))
    assert len(rules) >= 68


def test_every_rule_that_is_cited_or_tested_exists() -> None:
    rules = set(numbered("rules.md", r"^(\d+)\. "))
    unknown, cited = [], 0
    for path, text in texts():
        for first, last in RULE_CITED.findall(text):
            cited += 1
            if not {int(first), int(last or first)} <= rules:
                unknown.append(f"{path}: RULES {first}")
        unknown += [
            f"{path}: test_rule_{number}"
            for number in RULE_TESTED.findall(text)
            if int(number) not in rules
        ]
    assert not unknown
    assert cited > 100, "the pattern finds what is cited"


def test_every_invariant_that_is_cited_exists() -> None:
    invariants = numbered("invariants.md", r"^\| \*\*I(\d+)\*\*")
    assert invariants == list(range(1, len(invariants) + 1))
    cited = {
        (path, int(number))
        for path, text in texts()
        for pair in INVARIANT_CITED.findall(text)
        for number in pair
        if number
    }
    assert len(cited) > len(invariants), "the pattern finds what is cited"
    assert [where for where in sorted(cited) if where[1] not in invariants] == []


def test_every_link_between_documents_leads_to_a_file() -> None:
    pages = [*ROOT.glob("*.md"), *DOCS.glob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_no_document_is_cited_that_a_reader_does_not_have() -> None:
    assert [path for path, text in texts() if NOT_HERE.search(text)] == []
