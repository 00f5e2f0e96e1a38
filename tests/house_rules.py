"""The house's own rules, read off the source.

Each rule is a function from one module to what is wrong with it. `tests/unit/test_tidy.py` runs all
of them over the tree, and each over planted violations. An exception to a rule is a row of a table
here, with its reason.
"""

import ast
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from functools import cached_property
from pathlib import PurePosixPath

from tests.retired_phrases import retired_phrases

PACKAGE = "src/pointsman"

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400

PURE_MAY_IMPORT = re.compile(
    r"bisect|collections|contextlib|dataclasses|decimal|enum|fractions|functools|hashlib|heapq"
    r"|itertools|json|math|msgspec|operator|re|string|types|typing"
)
"""What the pure part may import beside itself; the import contract bans what it may not."""

WALL_CLOCK_ALLOWED = {
    "engine/live_loop.py": "stamps every event; time is an input for everyone else",
    "storage/sqlite_manager.py": "notes in the lease since when it is held",
    "client.py": "signs what it sends with the time, on the sender's side",
    "engine/assembly.py": "tells a real venue what time it is when it is opened",
    "engine/live_feed.py": "holds the stamps of a live feed against it",
    "engine/embedded.py": "starts the clock of an engine inside another program",
    "cluster/own_time.py": "counts the time of a lease; it is no wall clock",
    "engine/kill_request.py": "notes when a kill was pressed without an engine",
    "service/*": "starts the clock of a run",
    "cli/*": "shows how long a run took, and since when something is so",
}
"""Who may read the wall clock."""

UNBOUNDED_ALLOWED: dict[str, str] = {
    "storage/group_committer.py:self._queue: deque[tuple[int, JournalEntry]] = deque()": (
        "`put` refuses or waits at queue_len_max"
    ),
}
"""`room/module.py:line text` of a queue without a limit, and what bounds it instead."""

BOOKS_CHANGED_IN = {
    "execution/books.py": "keeps every index in step",
    "execution/loading.py": "fills empty books from stored records",
}
"""Who may change the books other than by their methods."""

MUTATING = re.compile(
    r"add|append|appendleft|clear|difference_update|discard|extend|insert|pop|popitem|popleft"
    r"|remove|setdefault|sort|update"
)
"""Methods of containers that change them."""

PLACED_ARGUMENTS_MAX = 4
"""As many arguments of a record may be told apart by their places."""

ROOMS_OF_RECORDS = r"domain|execution\.ports|storage\.entries"
"""Modules whose classes are records."""

NOT_MONEY = "# not money: "
"""Marks a line with a float that is no price, quantity or amount, and says what it is."""


class Module:
    """One Python file. `room` is its path inside the package, or empty outside it."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        inside = PurePosixPath(path)
        self.in_package = inside.is_relative_to(PACKAGE)
        self.room = str(inside.relative_to(PACKAGE)) if self.in_package else ""

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @property
    def is_pure(self) -> bool:
        """The nouns and the verbs."""
        return self.room.startswith(("domain/", "execution/"))

    @property
    def has_code(self) -> bool:
        """Whether any function does something; a Protocol's do not, and a record may have none."""
        functions = [n for n in self.nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        return any(not is_bare(statement) for node in functions for statement in node.body)

    @cached_property
    def imported(self) -> dict[str, str]:
        """Local name -> full name, of everything imported anywhere in the module."""
        names = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    local = alias.asname or alias.name.partition(".")[0]
                    names[local] = alias.name if alias.asname else local
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return names

    def full_name(self, node: ast.expr) -> str:
        """The dotted name of an expression with imports resolved; empty if it is not a name."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.full_name(node.value) or '?'}.{node.attr}"
        return ""

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield node, self.full_name(node.func)

    def line(self, node: ast.expr | ast.stmt) -> str:
        return self.text.splitlines()[node.lineno - 1]


Rule = Callable[[Module], Iterator[str]]


def allowed(room: str, patterns: dict[str, str]) -> bool:
    """Whether a module is one of the exceptions: `cli/*` is everything below `cli`."""
    return any(fnmatch(room, pattern) for pattern in patterns)


# --- size and form --------------------------------------------------------------------------------


def functions_are_short(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.lineno}: {node.name} has {lines} lines, at most {FUNCTION_LINES_MAX}"


def files_are_short(module: Module) -> Iterator[str]:
    lines = len(module.text.splitlines())
    if lines > FILE_LINES_MAX:
        yield f"1: {lines} lines, at most {FILE_LINES_MAX}"


def modules_say_why_they_exist(module: Module) -> Iterator[str]:
    if module.in_package and not ast.get_docstring(module.tree):
        yield "1: no docstring"


def names_say_what_is_inside(module: Module) -> Iterator[str]:
    words = {"util", "utils", "helper", "helpers", "common", "misc", "shared", "stuff"}
    for part in PurePosixPath(module.room).parts:
        stem = part.removesuffix(".py")
        if stem in words or re.search(r"manager_of|managers", stem):
            yield f"1: {stem} says nothing of what is inside"


def nothing_is_left_for_later(module: Module) -> Iterator[str]:
    for number, line in enumerate(module.text.splitlines(), 1):
        if re.search(r"\b(TO[D]O|FIX[M]E)\b", line):
            yield f"{number}: do it or file it: {line.strip()}"


# --- the pure part --------------------------------------------------------------------------------


def pure_part_imports_little(module: Module) -> Iterator[str]:
    if not module.is_pure:
        return
    for name in module.imported.values():
        top = name.partition(".")[0]
        ours = name.startswith(("pointsman.domain", "pointsman.execution", "pointsman.errors"))
        if not ours and not PURE_MAY_IMPORT.fullmatch(top):
            yield f"1: imports {name}"


def pure_part_is_a_function_of_its_inputs(module: Module) -> Iterator[str]:
    banned_modules = r"(asyncio|datetime|logging|os|random|secrets|socket|subprocess|time|uuid)\."
    banned_names = r"(breakpoint|exec|eval|hash|id|input|open|print)"
    for node, name in module.calls():
        if module.is_pure and re.fullmatch(f"{banned_modules}.*|{banned_names}", name):
            yield f"{node.lineno}: calls {name}"


def pure_part_never_walks_a_set(module: Module) -> Iterator[str]:
    """Best effort: the order of a set differs between processes."""
    if not module.is_pure:
        return
    named = {name for node in module.nodes for name in set_names(module, node)}
    for walked in walks(module):
        if is_set(module, walked, named):
            yield f"{walked.lineno}: walks a set: {ast.unparse(walked)}; sort it first"


def walks(module: Module) -> Iterator[ast.expr]:
    """Every expression whose order of iteration matters."""
    for node in module.nodes:
        if isinstance(node, ast.For | ast.comprehension):
            yield node.iter
        elif isinstance(node, ast.Starred):
            yield node.value
        elif isinstance(node, ast.Call) and node.args:
            name = module.full_name(node.func)
            if name in ("list", "tuple", "iter", "enumerate", "map") or name.endswith(".join"):
                yield node.args[-1]


def set_names(module: Module, node: ast.AST) -> Iterator[str]:
    """Names that a statement makes a set, by its annotation or its value."""
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
        if re.match(r"(frozen)?set\b|(Mutable|Abstract)?Set\b", ast.unparse(node.annotation)):
            yield node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
    elif isinstance(node, ast.Assign) and is_set(module, node.value, set()):
        yield from (ast.unparse(target) for target in node.targets)


def is_set(module: Module, node: ast.expr, named: set[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call):
        name = module.full_name(node.func)
        if isinstance(node.func, ast.Attribute) and node.func.attr in (
            "union",
            "intersection",
            "difference",
            "symmetric_difference",
        ):
            return True
        return name in ("set", "frozenset")
    if isinstance(node, ast.BinOp) and isinstance(
        node.op, ast.BitOr | ast.BitAnd | ast.BitXor | ast.Sub
    ):
        return any(
            is_set(module, side, named) or ast.unparse(side).endswith(".keys()")
            for side in (node.left, node.right)
        )
    return ast.unparse(node) in named


def books_change_through_their_methods(module: Module) -> Iterator[str]:
    """Best effort: a part of the books is followed through a name that it is given, no further."""
    if not module.room.startswith("execution/") or module.room in BOOKS_CHANGED_IN:
        return
    parts = {
        target.id
        for node in module.nodes
        if isinstance(node, ast.Assign) and is_part_of_books(node.value, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in module.nodes:
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            if is_part_of_books(node, parts):
                yield f"{node.lineno}: {ast.unparse(node)} is changed; give Books a method for it"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, changed = node.func.attr, node.func.value
            if MUTATING.fullmatch(name) and is_part_of_books(changed, parts):
                yield f"{node.lineno}: {ast.unparse(changed)}.{name}; give Books a method for it"


def is_part_of_books(node: ast.expr, parts: set[str]) -> bool:
    """Whether an expression is something inside `books`, or inside one of the names `parts`."""
    inner = node
    while isinstance(inner, ast.Attribute | ast.Subscript):
        inner = inner.value
        if ast.unparse(inner).rpartition(".")[2] in ("books", "_books"):
            return True
    return isinstance(inner, ast.Name) and inner.id in parts


def records_are_made_with_keywords(module: Module) -> Iterator[str]:
    if not module.in_package:
        return
    for node, name in module.calls():
        is_record = re.fullmatch(rf"pointsman\.({ROOMS_OF_RECORDS})\.(\w+\.)*[A-Z]\w*", name)
        is_starred = any(isinstance(arg, ast.Starred) for arg in node.args)
        if is_starred and not module.room.startswith("execution/"):
            continue  # a row of a table, whose columns the same module names
        if is_record and (is_starred or len(node.args) > PLACED_ARGUMENTS_MAX):
            yield f"{node.lineno}: {name}: more than {PLACED_ARGUMENTS_MAX} fields by their places"


# --- money, time, limits, errors ------------------------------------------------------------------


def money_is_never_a_float(module: Module) -> Iterator[str]:
    rooms = ("config/", "domain/", "execution/", "market/", "storage/", "venues/")
    if not module.room.startswith(rooms):
        return
    for node in module.nodes:
        is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        is_name = isinstance(node, ast.Name) and node.id == "float"
        if isinstance(node, ast.expr) and (is_literal or is_name):
            _, marked, what = module.line(node).partition(NOT_MONEY)
            if not (marked and what.strip()):
                yield f"{node.lineno}: a float; use Decimal, or say '{NOT_MONEY}...'"


def wall_clock_is_read_in_named_modules(module: Module) -> Iterator[str]:
    clock = r"time\.(time|time_ns|clock_gettime|clock_gettime_ns|localtime|gmtime|ctime|strftime)"
    dates = r"datetime\.(datetime|date)\.(now|utcnow|today)"
    if not module.in_package or allowed(module.room, WALL_CLOCK_ALLOWED):
        return
    for node, name in module.calls():
        if re.fullmatch(f"{clock}|{dates}", name):
            yield f"{node.lineno}: {name}: take the time as an argument"


def queues_have_a_limit(module: Module) -> Iterator[str]:
    if not module.in_package:
        return
    limits = {"deque": ("maxlen", 1)} | dict.fromkeys(
        ("Queue", "LifoQueue", "PriorityQueue", "JoinableQueue"), ("maxsize", 0)
    )
    for node, name in module.calls():
        kind = name.rpartition(".")[2]
        if kind in limits:
            keyword, place = limits[kind]
            given = {word.arg: word.value for word in node.keywords}.get(keyword)
            limit = node.args[place] if len(node.args) > place else given
            # 0 and None mean no limit.
            endless = limit is None or (isinstance(limit, ast.Constant) and not limit.value)
        else:
            endless = kind == "SimpleQueue"
        if endless and f"{module.room}:{module.line(node).strip()}" not in UNBOUNDED_ALLOWED:
            yield f"{node.lineno}: {kind} without a limit"


def nothing_is_swallowed(module: Module) -> Iterator[str]:
    broad = {"Exception", "BaseException"}
    for node in module.nodes:
        if isinstance(node, ast.ExceptHandler):
            caught = {ast.unparse(part) for part in alternatives(node.type)}
            if (not node.type or caught & broad) and all(map(does_nothing, node.body)):
                yield f"{node.lineno}: swallows every exception"
    for call, name in module.calls():
        if name == "contextlib.suppress" and broad & {ast.unparse(arg) for arg in call.args}:
            yield f"{call.lineno}: suppresses every exception"


def alternatives(caught: ast.expr | None) -> list[ast.expr]:
    if isinstance(caught, ast.Tuple):
        return caught.elts
    return [] if caught is None else [caught]


def does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Return):
        return statement.value is None or isinstance(statement.value, ast.Constant)
    return is_bare(statement) or isinstance(statement, ast.Continue | ast.Break)


def is_bare(statement: ast.stmt) -> bool:
    """`pass`, `...` or a docstring."""
    is_constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_constant or isinstance(statement, ast.Pass)


def only_the_command_line_prints(module: Module) -> Iterator[str]:
    for node, name in module.calls():
        if module.in_package and name == "print" and not module.room.startswith("cli/"):
            yield f"{node.lineno}: prints; log it, or return it"


def prose_is_plain_english(module: Module) -> Iterator[str]:
    if module.in_package:
        yield from retired_phrases(module.text)


RULES: list[Rule] = [
    prose_is_plain_english,
    functions_are_short,
    files_are_short,
    modules_say_why_they_exist,
    names_say_what_is_inside,
    nothing_is_left_for_later,
    pure_part_imports_little,
    pure_part_is_a_function_of_its_inputs,
    pure_part_never_walks_a_set,
    books_change_through_their_methods,
    records_are_made_with_keywords,
    money_is_never_a_float,
    wall_clock_is_read_in_named_modules,
    queues_have_a_limit,
    nothing_is_swallowed,
    only_the_command_line_prints,
]
