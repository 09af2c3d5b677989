"""Alarms and dashboard of template.yaml use metrics that exist; each alarm notifies the topic and is in the runbook."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.api.metrics import KINDS, SERVICE
from infusion_orders.api.problems import TITLES
from infusion_orders.api.settings import Settings
from tests.infrastructure.test_template import DOCUMENT, FUNCTIONS, OF_THE_API, ROOT, TABLES, of_type, properties

if TYPE_CHECKING:
    from collections.abc import Iterator

Named = tuple[str, str, frozenset[str]]
"""The namespace and name of a metric, and the names of its dimensions."""

ALARMS = sorted(of_type("AWS::CloudWatch::Alarm"))
OURS = "InfusionOrders"
AWS_METRICS = {
    "AWS/ApiGateway": (
        {"Count", "4XXError", "5XXError", "Latency"},
        ({"ApiName", "Stage"}, {"ApiName", "Stage", "Resource", "Method"}),
    ),
    "AWS/Lambda": ({"Errors", "Throttles", "Duration", "Invocations"}, ({"FunctionName"},)),
    "AWS/States": ({"ExecutionsFailed", "ExecutionsSucceeded", "ExecutionsTimedOut"}, ({"StateMachineArn"},)),
    "AWS/DynamoDB": (
        {"ThrottledRequests", "SystemErrors", "ReadThrottleEvents", "WriteThrottleEvents"},
        ({"TableName"}, {"TableName", "Operation"}),
    ),
}
"""The metrics and sets of dimensions that AWS documents, as far as the template uses them."""
BY_OPERATION = {"ThrottledRequests", "SystemErrors"}
"""Metrics of DynamoDB that exist only for a table and an operation together."""
QUERY = re.compile(r'SELECT SUM\((\w+)\) FROM SCHEMA\("([\w/]+)", ([\w, ]+)\) WHERE (.+)')
SEARCH = re.compile(r"SEARCH\('\{([\w/]+),([\w,]+)\} MetricName=\"(\w+)\"")
COMPUTED = r"IF\(|100 \*|age /"
EMITTED: set[Named] = {
    (OURS, str(metric), frozenset({SERVICE, *names}))
    for kind in KINDS
    for metric, declared in kind.items()
    for names in declared.by
}


def text(value: Any) -> str:
    return str(value["Fn::Sub"]) if isinstance(value, dict) and "Fn::Sub" in value else str(value)


def plain_metric(metric: dict[str, Any]) -> Named:
    return metric["Namespace"], metric["MetricName"], frozenset(one["Name"] for one in metric["Dimensions"])


def computed(expression: str) -> Iterator[Named]:
    """The metrics that a query or a search names; any other expression refers to ids of metrics."""
    if query := QUERY.fullmatch(expression):
        yield query[2], query[1], frozenset(query[3].split(", "))
    elif search := SEARCH.match(expression):
        yield search[1], search[3], frozenset(search[2].split(","))
    else:
        assert re.match(COMPUTED, expression), expression


def watched_by(alarm: str) -> list[Named]:
    found = properties(alarm)
    if "Metrics" not in found:
        return [plain_metric(found)]
    return [
        named
        for query in found["Metrics"]
        for named in (
            [plain_metric(query["MetricStat"]["Metric"])]
            if "MetricStat" in query
            else computed(text(query["Expression"]))
        )
    ]


def exists(named: Named) -> bool:
    namespace, metric, dimensions = named
    if namespace == OURS:
        return named in EMITTED
    metrics, sets = AWS_METRICS[namespace]
    return metric in metrics and dimensions in sets and (metric not in BY_OPERATION or "Operation" in dimensions)


def dashboard() -> dict[str, Any]:
    """The body of the dashboard, with the name of each reference in its place."""
    body = re.sub(r"\$\{([\w:.]+)\}", r"\1", text(properties("Dashboard")["DashboardBody"]))
    parsed: dict[str, Any] = json.loads(body)
    return parsed


def drawn(metric: list[Any]) -> list[Named]:
    """The metrics in one row of a widget: `[namespace, metric, dimension, value, ..., options]` or an expression."""
    if isinstance(metric[0], dict):
        return list(computed(metric[0]["expression"]))
    parts = [part for part in metric if not isinstance(part, dict)]
    assert len(parts) % 2 == 0
    return [(parts[0], parts[1], frozenset(parts[2::2]))]


def runbook() -> dict[str, list[str]]:
    """The rows of the table under the heading Alarms, by the logical id of the alarm."""
    section = (ROOT / "docs/operating.md").read_text(encoding="utf-8").split("\n## Alarms\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}


# --- alarms ---


def test_every_required_metric_has_an_alarm() -> None:
    watched = {named[:2] for alarm in ALARMS for named in watched_by(alarm)}

    assert watched == {
        ("AWS/ApiGateway", "5XXError"),
        ("AWS/ApiGateway", "Latency"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/Lambda", "Errors"),
        ("AWS/States", "ExecutionsFailed"),
        ("AWS/DynamoDB", "ThrottledRequests"),
        ("AWS/DynamoDB", "SystemErrors"),
        (OURS, "Problems"),
        (OURS, "RuleSetAge"),
        (OURS, "Decisions"),
        (OURS, "Indeterminate"),
    }


@pytest.mark.parametrize("alarm", ALARMS)
def test_alarm_notifies_the_topic_when_it_starts_and_ends(alarm: str) -> None:
    found = properties(alarm)

    assert found["AlarmActions"] == found["OKActions"] == [{"Ref": "AlarmTopic"}]
    assert found.get("ActionsEnabled", True) is True
    assert found["AlarmName"]["Fn::Sub"].endswith("-${StageName}")


@pytest.mark.parametrize("alarm", ALARMS)
def test_alarm_explains_how_it_treats_missing_data(alarm: str) -> None:
    """Watched metrics are missing while nothing happens; a comment at the setting says why that is no alarm."""
    source = (ROOT / "template.yaml").read_text(encoding="utf-8").split(f"\n  {alarm}:\n")[1].split("\n\n")[0]

    assert properties(alarm)["TreatMissingData"] == "notBreaching"
    assert re.search(r"TreatMissingData: notBreaching # \w+", source)


@pytest.mark.parametrize("alarm", ALARMS)
def test_alarm_uses_emitted_metrics(alarm: str) -> None:
    watched = watched_by(alarm)

    assert watched
    assert [named for named in watched if not exists(named)] == []


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_has_one_value(alarm: str) -> None:
    returned = [query["ReturnData"] for query in properties(alarm).get("Metrics", [{"ReturnData": True}])]

    assert returned.count(True) == 1
    assert properties(alarm)["AlarmDescription"]


@pytest.mark.parametrize("alarm", ALARMS)
def test_alarms_use_only_metrics_of_this_stack(alarm: str) -> None:
    """Two stages in one account share the namespace."""
    service = DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]["SERVICE_NAME"]
    found = properties(alarm)
    metrics = [query["MetricStat"]["Metric"] for query in found.get("Metrics", []) if "MetricStat" in query] or [found]

    for metric in metrics:
        if metric.get("Namespace") == OURS:
            assert {"Name": SERVICE, "Value": service} in metric["Dimensions"]


def test_the_namespace_is_the_one_that_functions_write_to() -> None:
    assert Settings.model_fields["metrics_namespace"].default == OURS
    assert "METRICS_NAMESPACE" not in DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]


def test_watched_problem_is_a_known_problem() -> None:
    (problem,) = [one["Value"] for one in properties("NoRuleSetAlarm")["Dimensions"] if one["Name"] == "problem"]

    assert problem == "no-ruleset"
    assert problem in TITLES


def test_watched_route_is_the_route_of_orders() -> None:
    dimensions = {one["Name"]: one["Value"] for one in properties("SlowOrdersAlarm")["Dimensions"]}
    route = properties("ValidateOrders")["Events"]["ValidateOrder"]["Properties"]

    assert (dimensions["Resource"], dimensions["Method"]) == (route["Path"], route["Method"])
    assert properties("SlowOrdersAlarm")["ExtendedStatistic"] == "p99"
    assert dimensions["ApiName"] == properties("PartnerApi")["Name"]
    assert properties("PartnerApi")["MethodSettings"][0]["MetricsEnabled"] is True  # needed for metrics by route


def test_age_alarm_starts_at_half_of_the_maximum_age() -> None:
    found = properties("RuleSetAgeAlarm")
    age, share = found["Metrics"]

    assert (age["Id"], age["MetricStat"]["Stat"]) == ("age", "Maximum")
    assert share["Expression"] == {"Fn::Sub": "age / ${RulesMaxStaleSeconds}"}
    assert (found["ComparisonOperator"], found["Threshold"]) == ("GreaterThanThreshold", 0.5)
    assert DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]["RULES_MAX_STALE_SECONDS"] == {
        "Ref": "RulesMaxStaleSeconds"
    }


@pytest.mark.parametrize(
    ("alarm", "dimension", "resources"),
    [
        ("ThrottledAlarm", "FunctionName", OF_THE_API),
        ("FunctionErrorsAlarm", "FunctionName", OF_THE_API),
        ("TablesThrottledAlarm", "TableName", TABLES),
        ("TablesFailingAlarm", "TableName", TABLES),
    ],
)
def test_all_functions_of_the_api_and_all_tables_are_watched(alarm: str, dimension: str, resources: list[str]) -> None:
    """A sum of several metrics has no value while one of them is missing, but a query has."""
    (query,) = properties(alarm)["Metrics"]
    matched = QUERY.fullmatch(text(query["Expression"]))

    assert matched
    assert sorted(re.findall(rf"{dimension} = '\$\{{(\w+)\}}'", matched[4])) == sorted(resources)
    assert matched[4].count(" OR ") == len(resources) - 1


# --- where alarms go ---


def test_the_topic_is_encrypted_with_a_key_that_cloudwatch_may_use() -> None:
    statements = properties("AlarmKey")["KeyPolicy"]["Statement"]
    (use,) = [one for one in statements if one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]

    assert properties("AlarmTopic")["KmsMasterKeyId"] == {"Ref": "AlarmKey"}
    assert properties("AlarmKey")["EnableKeyRotation"] is True
    assert use["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]


def test_only_alarms_of_this_account_may_publish() -> None:
    (statement,) = properties("AlarmTopicPolicy")["PolicyDocument"]["Statement"]

    assert (statement["Principal"], statement["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_email_subscription_needs_an_address() -> None:
    assert DOCUMENT["Parameters"]["AlarmEmail"]["Default"] == ""
    assert DOCUMENT["Resources"]["AlarmsByEmail"]["Condition"] == "SendAlarmsByEmail"
    for address, allowed in (("", True), ("oncall@plan.example", True), ("somebody", False)):
        assert bool(re.fullmatch(DOCUMENT["Parameters"]["AlarmEmail"]["AllowedPattern"], address)) is allowed


# --- the runbook ---


def test_runbook_has_one_row_for_each_alarm() -> None:
    assert sorted(runbook()) == ALARMS


@pytest.mark.parametrize("alarm", ALARMS)
def test_row_of_the_runbook_has_meaning_place_and_action(alarm: str) -> None:
    cells = runbook()[alarm]

    assert len(cells) == 3
    assert all(cells)


# --- the dashboard ---


def test_dashboard_uses_emitted_metrics() -> None:
    rows = [metric for widget in dashboard()["widgets"] for metric in widget["properties"]["metrics"]]
    found = [named for row in rows for named in drawn(row)]

    assert [named for named in found if not exists(named)] == []
    assert len(rows) <= len(found) + 1  # the share is reckoned


def test_dashboard_shows_every_alarm_and_decisions_by_dimension() -> None:
    found = {
        named
        for widget in dashboard()["widgets"]
        for metric in widget["properties"]["metrics"]
        for named in drawn(metric)
    }
    by_table = {"ThrottledRequests": "ReadThrottleEvents"}
    shown = {named[:2] for named in found}

    for alarm in ALARMS:
        assert any((namespace, by_table.get(name, name)) in shown for namespace, name, _ in watched_by(alarm)), alarm
    for metric, dimension in (
        ("Decisions", "outcome"),
        ("Decisions", "ruleset_version"),
        ("FindingsNotMet", "rule"),
        ("Problems", "problem"),
    ):
        assert (OURS, metric, frozenset({SERVICE, dimension})) in found


def test_dashboard_refers_to_existing_resources() -> None:
    references = set(re.findall(r"\$\{([\w:.]+)\}", text(properties("Dashboard")["DashboardBody"])))

    assert references <= {*DOCUMENT["Resources"], *DOCUMENT["Parameters"], "AWS::Region"}
    assert {*FUNCTIONS, *TABLES, "ReplayMachine", "StageName", "AWS::Region"} == references


def test_widgets_do_not_cover_each_other() -> None:
    places = sorted((one["y"], one["x"], one["x"] + one["width"]) for one in dashboard()["widgets"])

    assert all(right <= 24 for _, _, right in places)
    assert all(before[2] <= after[1] for before, after in pairwise(places) if before[0] == after[0])
    assert {y % 6 for y, _, _ in places} == {0}
    assert {one["height"] for one in dashboard()["widgets"]} == {6}


# --- traces ---


def test_traces_are_sent_only_if_tracing_is_on() -> None:
    policy = DOCUMENT["Resources"]["SendTraces"]
    conditions = DOCUMENT["Conditions"]

    assert conditions[policy["Condition"]] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Tracing"}, "Disabled"]}]}
    assert sorted(role["Ref"] for role in policy["Properties"]["Roles"]) == [f"{name}Role" for name in FUNCTIONS]
    assert properties("PartnerApi")["TracingEnabled"] == {"Fn::If": ["TraceTheApi", True, False]}
    assert conditions["TraceTheApi"] == {"Fn::Equals": [{"Ref": "Tracing"}, "Active"]}
