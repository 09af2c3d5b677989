"""The routes for rule authors: search, check, publish, compare, try, replay, activate and roll back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infusion_orders.api.rule_bodies import MOST_RULES
from infusion_orders.authoring.limits import LIMITS
from infusion_orders.store.partners import Partner
from tests.support.orders import an_order_document
from tests.support.partner import LambdaContext, an_event, read_event
from tests.support.rules import SETTING, default_document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.partner import Answer, World

READ = {"scope": "rules/read", "client_id": "ann"}
WRITE = {"scope": "rules/write", "client_id": "ann"}
ACTIVATE = {"scope": "rules/activate", "client_id": "bob"}
NOBODY_ABLE = an_order_document({"/caregiver/able": False})


def default_rule(rule: str = SETTING) -> dict[str, Any]:
    (found,) = [one for one in default_document().rules if one["id"] == rule]
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def reviewing() -> dict[str, Any]:
    """The default rule about who can give the therapy, with the effect review."""
    rule = default_rule()
    rule["otherwise"]["effect"] = "review"
    return rule


def toothless() -> dict[str, Any]:
    return default_rule() | {
        "id": "some.toothless",
        "when": {"fact": "care.telephone", "is": True},
        "require": {"fact": "care.telephone", "is": True},
        "examples": [{"given": {"care.telephone": True}, "expect": "satisfied"}],
    }


def small(*rules: dict[str, Any]) -> dict[str, Any]:
    """A draft with only these rules, because analysing the whole default set takes seconds."""
    tables = {name: [list(row) for row in rows] for name, rows in default_document().tables.items()}
    return {"rules": list(rules), "tables": tables}


@pytest.fixture
def world(breakable_world: World) -> World:
    """A world for each test, in which version 1 is active."""
    return breakable_world


def published(world: World, *rules: dict[str, Any], note: str = "a note") -> int:
    answer = world.rules.call("POST", "/v1/rulesets", {**small(*rules), "note": note}, **WRITE)
    assert answer.status == 201, answer.text
    return int(answer.json["version"])


def activate(world: World, version: int, **more: Any) -> Answer:
    body = {"version": version, "why": "time", **more}
    return world.rules.call("PUT", "/v1/rulesets/active", body, **ACTIVATE)


def active(world: World) -> Mapping[str, Any]:
    found: Mapping[str, Any] = world.rules.call("GET", "/v1/rulesets", **READ).json["active"]
    return found


class TestSearch:
    def find(self, world: World, **query: str) -> list[str]:
        answer = world.rules.call("GET", "/v1/rules", query=query, **READ)
        assert answer.status == 200, answer.text
        return [rule["id"] for rule in answer.json["rules"]]

    def test_rules_are_found_by_title_message_code_and_clause(self, world: World) -> None:
        assert self.find(world, q="willing to learn")[0] == SETTING
        assert SETTING in self.find(world, q="nobody at home can give")
        assert "therapy.medication-is-home-infusion" in self.find(world, q="chemotherapy_adjunct")
        assert set(self.find(world, q="M-10 crosswalk")) <= set(self.find(world, clause="m-10"))
        assert set(self.find(world, q="caregiver", effect="reject")) < set(self.find(world, effect="reject"))
        assert "therapy.not-intravenous-needs-admixture" in self.find(world, therapy="hydration")
        assert self.find(world, effect="assign", clause="M-11")
        assert len(self.find(world)) == len(default_document().rules)
        assert self.find(world, provider_type="hospital")

    @pytest.mark.parametrize(
        ("query", "fits"),
        [
            ({"effect": "review"}, lambda rule: rule.get("otherwise", {}).get("effect") == "review"),
            ({"effect": "assign"}, lambda rule: "assign" in rule),
            ({"clause": "M-5"}, lambda rule: rule["clause"] == "M-5"),
            ({"therapy": "hydration"}, lambda rule: "hydration" in json.dumps([rule.get("when"), rule.get("require")])),
        ],
    )
    def test_filter_returns_exactly_the_matching_rules(
        self, world: World, query: dict[str, str], fits: Callable[[Mapping[str, Any]], bool]
    ) -> None:
        fitting = {rule["id"] for rule in default_document().rules if fits({"clause": None, **rule})}
        assert set(self.find(world, **query)) == fitting
        assert fitting

    @pytest.mark.parametrize(
        ("query", "parameter", "problem"),
        [
            ({"q": "abc"}, "q", "search with 4 to 60 characters"),
            ({"q": "a" * 61}, "q", "search with 4 to 60 characters"),
            ({"effect": "deny"}, "effect", "must be one of redirect, reject, review, warn, assign"),
            ({"provider_type": "shop"}, "provider_type", "must be one of physician, medical_group"),
            ({"clauses": "M-1"}, "(unknown)", "did you mean clause?"),
        ],
    )
    def test_invalid_search_names_the_parameter(
        self, world: World, query: dict[str, str], parameter: str, problem: str
    ) -> None:
        answer = world.rules.call("GET", "/v1/rules", query=query, **READ)
        assert (answer.status, answer.problem) == (422, "invalid-order")
        (error,) = answer.json["errors"]
        assert error["parameter"] == parameter
        assert problem in error["problem"]

    def test_rule_is_returned_as_it_was_written(self, world: World) -> None:
        answer = world.rules.call("GET", f"/v1/rules/{SETTING}", **READ)
        assert answer.json == {"version": 1, "rule": default_rule()}
        assert world.rules.call("GET", "/v1/rules/some.other", **READ).status == 404


class TestDrafts:
    def test_draft_on_a_version_is_checked_whole_and_not_stored(self, world: World) -> None:
        others = [rule["id"] for rule in default_document().rules if rule["id"] != SETTING]
        body = {"base": 1, "rules": [reviewing()], "remove": others[5:]}
        answer = world.rules.call("POST", "/v1/rulesets/check", body, **WRITE)
        assert (answer.status, answer.json["loads"]) == (200, True)
        assert answer.json["rules_that_require"] in range(1, 7)
        held = answer.json["held_by_examples"]
        assert (held["verdicts"], held["mutants"] > 70, len(held["rules"])) == (100, True, 6)
        assert len(world.rules.call("GET", "/v1/rulesets", **READ).json["versions"]) == 1

    def test_finding_includes_an_order_that_shows_it(self, world: World) -> None:
        checked = world.rules.call("POST", "/v1/rulesets/check", small(toothless()), **WRITE).json
        version = published(world, toothless())
        (finding,) = checked["findings"]
        assert (checked["errors"], finding["kind"], finding["where"]) == (1, "never fails", ["some.toothless"])

        tried = world.rules.call("POST", f"/v1/rulesets/{version}/decide", finding["order"], **READ).json
        assert [each["verdict"] for each in tried["explanation"]] == ["satisfied"]

    def test_invalid_draft_is_explained_and_not_published(self, world: World) -> None:
        wrong = default_rule() | {"require": {"fact": "care.telefone", "is": True}}
        checked = world.rules.call("POST", "/v1/rulesets/check", small(wrong), **WRITE)
        refused = world.rules.call("POST", "/v1/rulesets", {**small(wrong), "note": "a typing error"}, **WRITE)
        problem = "there is no fact 'care.telefone'; did you mean 'care.telephone'?"
        assert checked.json["loads"] is False
        assert problem in [each["problem"] for each in checked.json["problems"]]
        assert (refused.status, refused.problem) == (422, "invalid-ruleset")
        assert problem in [each["problem"] for each in refused.json["errors"]]
        assert len(world.rules.call("GET", "/v1/rulesets", **READ).json["versions"]) == 1

    @pytest.mark.parametrize(
        ("body", "place", "problem"),
        [
            ({"rule": []}, "/rule", "extra"),
            ({"rules": [{"title": "x"}]}, "/rules/0/id", "is missing"),
            ({"rules": [default_rule(), default_rule()]}, "/rules", "has two rules with the same id"),
            ({"base": 1, "remove": ["some.rule"]}, "/remove/0", "is not a rule of the base"),
            ({"base": "1"}, "/base", "integer"),
            ([], "", "input should be"),
        ],
    )
    def test_invalid_body_of_a_draft_names_the_field(self, world: World, body: Any, place: str, problem: str) -> None:
        answer = world.rules.call("POST", "/v1/rulesets/check", body, **WRITE)
        assert (answer.status, answer.problem) == (422, "invalid-order")
        assert answer.json["errors"][0]["pointer"] == place
        assert problem in answer.json["errors"][0]["problem"]

    def test_a_rule_may_be_as_deep_as_the_language_allows(self, world: World) -> None:
        deep: Any = {"fact": "care.telephone", "is": True}
        for _ in range(LIMITS.depth - 1):
            deep = {"all": [deep]}
        example = {"given": {"care.telephone": True}, "expect": "satisfied"}
        rule = default_rule() | {"require": deep, "examples": [example]}
        checked = world.rules.call("POST", "/v1/rulesets/check", small(rule), **WRITE)
        assert (checked.status, checked.json["loads"]) == (200, True), checked.text

    def test_unknown_base_version_returns_404(self, world: World) -> None:
        assert world.rules.call("POST", "/v1/rulesets/check", {"base": 9}, **WRITE).status == 404

    def test_publishing_requires_a_note(self, world: World) -> None:
        answer = world.rules.call("POST", "/v1/rulesets", small(reviewing()), **WRITE)
        assert (answer.status, answer.json["errors"][0]["parameter"]) == (422, "note")

    def test_fractions_become_the_text_that_is_stored(self, world: World) -> None:
        rule = default_rule() | {"when": {"fact": "clinical.weight", "above": 2.5}, "require": reviewing()["require"]}
        rule["examples"] = [
            {"given": {"clinical.weight": "2.6", "member.willing_to_learn": True}, "expect": "satisfied"}
        ]
        rule["scope"] = "order"
        version = published(world, rule)
        read = world.rules.call("GET", f"/v1/rulesets/{version}", **READ).json
        assert read["rules"][0]["when"] == {"fact": "clinical.weight", "above": "2.5"}

    @pytest.mark.parametrize("number", ["1e999999999", "-1e999999999", "1e-999999999", "1e40", "0.1e-30"])
    def test_huge_number_is_reported_without_its_digits(self, world: World, number: str) -> None:
        rule = default_rule() | {"when": {"fact": "clinical.weight", "above": "NUMBER"}}
        body = json.dumps(small(rule) | {"note": "huge"})
        event = an_event("validate-order", body=body.replace('"NUMBER"', number), scope="rules/write", client_id="ann")
        event |= {"path": "/v1/rulesets", "resource": "/v1/rulesets"}
        refused = world.rules.send(event)
        assert (refused.status, refused.problem) == (422, "invalid-ruleset")
        assert "is out of range" in refused.text
        assert len(refused.text) < 2000

    def test_too_many_rules_are_refused_with_the_command_to_use(self, world: World) -> None:
        many = [default_rule() | {"id": f"some.rule-{number}"} for number in range(MOST_RULES + 1)]
        answer = world.rules.call("POST", "/v1/rulesets/check", {"rules": many}, **WRITE)
        assert (answer.status, answer.problem) == (413, "too-large")
        assert "infusion-orders rules publish" in answer.json["detail"]


class TestVersions:
    def test_version_is_published_compared_activated_and_rolled_back(self, world: World) -> None:
        version = published(world, reviewing())
        assert active(world)["version"] == 1
        compared = world.rules.call("GET", f"/v1/rulesets/{version}/differences", query={"from": "1"}, **READ).json
        (changed,) = [rule for rule in compared["rules"] if rule["kind"] == "changed"]
        assert changed["parts"] == [{"part": "effect", "before": ["reject"], "after": ["review"]}]

        moved = activate(world, version, expected=1)
        assert [moved.json[name] for name in ("version", "previous", "by")] == [version, 1, "bob"]
        back = world.rules.call("POST", "/v1/rulesets/rollback", {"why": "too early"}, **ACTIVATE)
        assert (back.json["version"], back.json["previous"]) == (1, version)

        changes = world.rules.call("GET", "/v1/rulesets/changes", **READ).json["changes"]
        assert [(change["action"], change["by"], change["why"]) for change in changes[:3]] == [
            ("rolled back", "bob", "too early"),
            ("activated", "bob", "time"),
            ("published", "ann", "a note"),
        ]

    def test_rows_of_a_table_are_returned(self, world: World) -> None:
        path = "/v1/rulesets/1"
        rows = world.rules.call("GET", path, query={"table": "vendors"}, **READ).json["rows"]
        assert rows == [list(row) for row in default_document().tables["vendors"]]
        other = world.rules.call("GET", path, query={"table": "vendor"}, **READ)
        assert (other.status, other.problem) == (422, "invalid-order")

    def test_validating_function_uses_the_activated_version(self, world: World) -> None:
        activate(world, published(world, reviewing()))
        world.function.resources.rule_sets.expire()
        assert world.partner.validate(NOBODY_ABLE).json["outcome"] == "needs_review"

    def test_shadow_is_set_and_removed(self, world: World) -> None:
        version = published(world, reviewing())
        body = {"version": version, "why": "to see"}
        assert world.rules.call("PUT", "/v1/rulesets/shadow", body, **ACTIVATE).json["shadow"] == version
        body["version"] = None
        assert world.rules.call("PUT", "/v1/rulesets/shadow", body, **ACTIVATE).json["shadow"] is None
        again = world.rules.call("PUT", "/v1/rulesets/shadow", body, **ACTIVATE)
        assert (again.status, again.problem) == (409, "nothing-to-do")

    def test_second_of_two_activations_is_told_who_was_first(self, world: World) -> None:
        version = published(world, reviewing())
        answer = activate(world, version, expected=version)
        assert (answer.status, answer.problem) == (409, "activation-conflict")
        assert "infusion-orders activated version 1 at" in answer.json["detail"]
        assert active(world)["version"] == 1

    def test_version_with_errors_is_activated_only_with_force(self, world: World) -> None:
        version = published(world, toothless())
        refused = activate(world, version)
        assert (refused.status, refused.problem) == (409, "checks-not-passed")
        assert activate(world, version, force=True, why="tonight's contract").status == 200
        change = world.rules.call("GET", "/v1/rulesets/changes", **READ).json["changes"][0]
        assert (change["forced"], change["why"]) == (True, "tonight's contract")

    def test_with_four_eyes_the_publisher_may_not_activate(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        version = published(world, reviewing())
        function = world.rules.function
        settings = function.resources.settings.model_copy(update={"four_eyes": True})
        monkeypatch.setattr(function.resources, "settings", settings)
        alone = world.rules.call(
            "PUT", "/v1/rulesets/active", {"version": version, "why": "time"}, scope="rules/activate", client_id="ann"
        )
        assert (alone.status, alone.problem) == (403, "four-eyes")
        assert activate(world, version).status == 200

    def test_user_name_is_recorded_instead_of_the_client(self, world: World) -> None:
        body = json.dumps({"version": 1, "why": "time"})
        event = an_event("validate-order", body=body, scope="rules/activate")
        event |= {"httpMethod": "PUT", "path": "/v1/rulesets/active", "resource": "/v1/rulesets/active"}
        event["requestContext"]["authorizer"]["claims"]["username"] = "eve"
        assert world.rules.send(event).json["by"] == "eve"

    @pytest.mark.parametrize(
        "path", ["/v1/rulesets/9", "/v1/rulesets/x", "/v1/rulesets/0", "/v1/rulesets/9/differences"]
    )
    def test_unknown_version_returns_404(self, world: World, path: str) -> None:
        assert world.rules.call("GET", path, **READ).status == 404

    @pytest.mark.parametrize(
        "body",
        [
            {"version": 1},
            {"version": 1, "why": ""},
            {"version": 0, "why": "x"},
            {"version": 1, "why": "x", "by": "eve"},
        ],
    )
    def test_invalid_activation_is_refused(self, world: World, body: Any) -> None:
        answer = world.rules.call("PUT", "/v1/rulesets/active", body, **ACTIVATE)
        assert (answer.status, answer.problem) == (422, "invalid-order")


class TestReplay:
    def recorded(self, world: World, count: int) -> None:
        for _ in range(count):
            assert world.partner.validate(NOBODY_ABLE).status == 200

    def replay(self, world: World, version: int, **more: Any) -> Answer:
        days = {"from": "2026-01-01", "to": "2099-01-01"}
        return world.rules.call("POST", f"/v1/rulesets/{version}/replay", {**days, **more}, **READ)

    def test_recorded_decisions_are_replayed_under_a_version(self, world: World) -> None:
        self.recorded(world, 2)
        answer = self.replay(world, published(world, reviewing())).json
        assert (answer["complete"], answer["after"]) == (True, None)
        assert answer["report"]["orders"] == {"rejected -> needs_review": 2}
        assert self.replay(world, 1).json["report"]["changed"] == 0
        assert self.replay(world, 1, partners=["nobody"]).json["report"]["replayed"] == 0

    def test_replay_without_time_left_continues_in_the_next_request(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.recorded(world, 3)
        monkeypatch.setattr("infusion_orders.store.recorded_decisions.PAGE_SIZE", 1)
        monkeypatch.setattr(world.rules, "context", LambdaContext(milliseconds=7_999))
        counted, after, answers = 0, None, 0
        while True:
            answer = self.replay(world, 1, **({} if after is None else {"after": after})).json
            counted += answer["report"]["replayed"]
            answers += 1
            after = answer["after"]
            if answer["complete"]:
                break
        assert counted == 3
        assert answers > 3

    def test_new_partner_does_not_shift_a_replay_in_progress(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.recorded(world, 2)
        monkeypatch.setattr("infusion_orders.store.recorded_decisions.PAGE_SIZE", 1)
        monkeypatch.setattr(world.rules, "context", LambdaContext(milliseconds=7_999))
        counted, after = 0, None
        for name in ("a-new-partner", "b-new-partner", None, None, None, None, None, None, None, None):
            answer = self.replay(world, 1, **({} if after is None else {"after": after})).json
            counted += answer["report"]["replayed"]
            if answer["complete"]:
                break
            after = answer["after"]
            if name is not None:
                world.function.resources.partners.put(Partner(name, name, "active", frozenset()))
        assert (answer["complete"], counted) == (True, 2)

    @pytest.mark.parametrize(
        "body",
        [{"from": "2026-13-01", "to": "2026-01-01"}, {"from": "2026-01-02", "to": "2026-01-01"}, {"to": "2026-01-01"}],
    )
    def test_invalid_days_are_refused(self, world: World, body: Any) -> None:
        assert world.rules.call("POST", "/v1/rulesets/1/replay", body, **READ).problem == "invalid-order"

    def test_activation_with_too_many_flips_is_refused(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        version = published(world, reviewing())
        nothing = activate(world, version, max_flips="0.005")
        self.recorded(world, 2)
        refused = activate(world, version, max_flips=0.005)
        monkeypatch.setattr("infusion_orders.store.recorded_decisions.PAGE_SIZE", 1)
        monkeypatch.setattr(world.rules, "context", LambdaContext(milliseconds=7_999))
        too_many = activate(world, version, max_flips=1)
        for answer, detail in (
            (nothing, "no decision of the last 30 days can be replayed"),
            (refused, "2 of 2 decisions of the last 30 days would change"),
            (too_many, "one request cannot replay"),
        ):
            assert (answer.status, answer.problem) == (409, "too-many-flips")
            assert detail in answer.json["detail"]
        assert active(world)["version"] == 1
        monkeypatch.undo()
        assert activate(world, version, max_flips=1).status == 200


def test_log_has_who_did_what_and_nothing_of_the_order(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    version = published(world, reviewing(), note="Kanarienvogel-7")
    capsys.readouterr()
    activate(world, version, why="Kanarienvogel-7")
    order = an_order_document({"/member/member_id": "Kanarienvogel-7"})
    world.rules.call("POST", f"/v1/rulesets/{version}/decide", order, **READ)
    output = capsys.readouterr().out
    lines = [json.loads(line) for line in output.splitlines() if '"message":"answered"' in line]
    assert [(line.get("person"), line.get("change"), line["ruleset_version"]) for line in lines] == [
        ("bob", "activated", version),
        ("ann", None, version),
    ]
    assert "Kanarienvogel-7" not in output


def test_tried_order_gets_every_verdict_and_is_not_recorded(world: World) -> None:
    answer = world.rules.call("POST", "/v1/rulesets/1/decide", NOBODY_ABLE, **READ).json
    assert (answer["outcome"], "decision_id" in answer) == ("rejected", False)
    assert len({each["rule"] for each in answer["explanation"]}) == len(default_document().rules)
    assert world.count_decisions() == 0


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("search-rules", 200),
        ("check-draft", 200),
        ("publish-draft", 201),
        ("activate-version", 200),
        ("replay-version", 200),
    ],
)
def test_event_files_are_answered(world: World, name: str, status: int) -> None:
    answer = world.rules.send(read_event(name))
    assert answer.status == status, answer.text
    assert answer.json.get("errors", 0) == 0
