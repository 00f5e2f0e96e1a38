"""The files for Prometheus and Grafana: they ask for metrics that exist, in a language that
Prometheus takes, and each alert has been seen to fire."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.as_installed import ROOT
from tests.image_files import SERVICE, SERVICES, settings_of
from tests.unit.test_metrics import TABLE

MONITORING = ROOT / "monitoring"
PROMETHEUS = yaml.safe_load((MONITORING / "prometheus.yml").read_text("utf-8"))
ALERTS = yaml.safe_load((MONITORING / "alerts.yml").read_text("utf-8"))
TRIED = (MONITORING / "alerts_test.yml").read_text("utf-8")
GRAFANA = MONITORING / "grafana"
DASHBOARD = json.loads((GRAFANA / "dashboards/pointsman.json").read_text("utf-8"))

RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS: list[dict[str, Any]] = [each for each in DASHBOARD["panels"] if each["type"] != "row"]


def dashboard_expressions() -> list[str]:
    return [target["expr"] for panel in PANELS for target in panel["targets"]]


def named_in(expression: str) -> Iterator[str]:
    """The metrics that an expression names; of a histogram, the one that its parts belong to."""
    for name in re.findall(r"\b(?:trading|pointsman)_\w+", expression):
        part = re.sub(r"_(bucket|sum|count)$", "", name)
        yield part if part in TABLE and TABLE[part][0] == "histogram" else name


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (it comes with prometheus)")
    return found


def is_well(promtool: str, *words: str) -> str:
    done = subprocess.run(
        [promtool, *words], cwd=MONITORING, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- scraping -------------------------------------------------------------------------------------


def test_the_engine_is_asked_by_a_name_that_it_answers_to() -> None:
    (job,) = PROMETHEUS["scrape_configs"]
    ((target,),) = [each["targets"] for each in job["static_configs"]]
    host, _, port = target.partition(":")
    settings = settings_of(SERVICE)
    assert host in SERVICES
    assert host in settings["HTTP_ALLOWED_HOSTS"].split(",")
    assert port == settings["HTTP_PORT"]


def test_every_file_that_compose_mounts_is_where_the_configuration_looks() -> None:
    mounts = {
        place.removesuffix(":ro"): source
        for name in ("prometheus", "grafana")
        for source, _, place in (volume.partition(":") for volume in SERVICES[name]["volumes"])
    }
    folder = Path("/etc/prometheus")
    for name in PROMETHEUS["rule_files"]:
        assert mounts[str(folder / name)] == f"./monitoring/{name}"
    provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/pointsman.yml").read_text())
    (options,) = [each["options"] for each in provider["providers"]]
    assert mounts[options["path"]] == "./monitoring/grafana/dashboards"
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{options['path']}/pointsman.json"


# --- alerts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_names_metrics_that_exist_and_says_what_to_do(rule: dict[str, Any]) -> None:
    assert set(named_in(rule["expr"])) <= set(TABLE)
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description"}


def test_each_promised_trouble_has_its_alert() -> None:
    watched = {name for rule in RULES for name in named_in(rule["expr"])}
    assert watched >= {
        "trading_naked_seconds",
        "trading_kill_switch_active",
        "pointsman_venue_up",
        "trading_reconciliation_last_success_timestamp_seconds",
        "trading_market_data_age_seconds",
        "trading_event_loop_lag_seconds",
        "trading_db_commit_seconds",
    }
    assert any("up{" in rule["expr"] for rule in RULES)


def test_each_alert_is_seen_to_fire_and_none_without_trouble(promtool: str) -> None:
    is_well(promtool, "check", "config", "prometheus.yml")
    is_well(promtool, "test", "rules", "alerts_test.yml")
    assert {rule["alert"] for rule in RULES} == set(re.findall(r'alertname="(\w+)"', TRIED))


# --- dashboard ------------------------------------------------------------------------------------


def test_the_dashboard_shows_every_metric_and_none_that_does_not_exist() -> None:
    shown = {name for expression in dashboard_expressions() for name in named_in(expression)}
    assert shown == set(TABLE)


def test_the_dashboard_is_written_in_the_language_of_prometheus(
    promtool: str, tmp_path: Path
) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(dashboard_expressions())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(rules)} rules found" in is_well(promtool, "check", "rules", str(file))


def test_labels_that_it_groups_by_or_shows_are_those_of_the_metrics() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            labels = {each for name in named_in(target["expr"]) for each in TABLE[name][1]}
            shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            grouped = ",".join(re.findall(r"by \(([^)]*)\)", target["expr"]))
            asked = shown | {word.strip() for word in grouped.split(",") if word.strip()}
            assert asked <= labels | {"le", "instance"}, panel["title"]


def test_every_panel_has_its_place_its_words_and_the_one_source() -> None:
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())
    (known,) = [each["uid"] for each in source["datasources"]]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"]
        assert all(each["datasource"]["uid"] == known for each in [panel, *panel["targets"]])
        place = panel["gridPos"]
        cells = {
            (place["x"] + across, place["y"] + down)
            for across in range(place["w"])
            for down in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
