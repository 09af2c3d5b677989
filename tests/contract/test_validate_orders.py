"""The routes of partners, through the real handler, on tables made from template.yaml."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.orders import an_order_document as order
from tests.support.partner import an_event, read_event

if TYPE_CHECKING:
    from tests.support.partner import World


class TestOneOrder:
    def test_example_order_is_accepted_with_its_rules_and_receipt(self, world: World) -> None:
        answer = world.partner.send(read_event("validate-order"))

        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        decision = answer.json
        assert decision["outcome"] == "accepted"
        assert decision["order_id"] == "PPG0420-2026-000123"
        assert {line["responsible_party"]["party"] for line in decision["lines"]} == {"capitated_vendor"}
        assert decision["ruleset"]["name"] == "home-infusion"
        assert decision["ruleset"]["version"] == 1
        assert decision["ruleset"]["age_seconds"] >= 0
        assert decision["receipt"]["facts"].startswith("sha256:")

    def test_order_with_another_vendor_is_redirected(self, world: World) -> None:
        decision = world.partner.send(read_event("validate-order-other-vendor")).json

        assert decision["outcome"] == "redirected"
        assert "medical_group" in {line["responsible_party"]["party"] for line in decision["lines"]}

    def test_order_without_caregiver_asks_only_about_the_caregiver(self, world: World) -> None:
        decision = world.partner.send(read_event("validate-order-without-caregiver")).json

        assert decision["outcome"] == "needs_information"
        asked = {pointer for question in decision["questions"] for pointer in question["pointers"]}
        assert asked == {"/caregiver/present", "/caregiver/willing", "/caregiver/able"}

    def test_decision_is_read_again_byte_for_byte(self, world: World) -> None:
        given = world.partner.validate(order())

        read = world.partner.decision(given.json["decision_id"])

        assert read.status == 200
        assert read.text == given.text

    def test_a_body_in_base64_is_the_same_order(self, world: World) -> None:
        event = read_event("validate-order")
        event |= {"body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}

        assert world.partner.send(event).json["outcome"] == "accepted"

    def test_explain_all_adds_the_rules_that_were_satisfied(self, world: World) -> None:
        plain = world.partner.validate(order())
        explained = world.partner.validate(order(), query={"explain": "all"})

        assert len(explained.text) > len(plain.text)
        assert explained.json["receipt"]["facts"] == plain.json["receipt"]["facts"]
        assert world.partner.decision(explained.json["decision_id"]).text == explained.text


class TestIdempotency:
    def test_same_key_and_body_return_the_stored_decision(self, world: World) -> None:
        first = world.partner.validate(order(), headers={"Idempotency-Key": "same-body"})
        recorded = world.count_decisions()

        second = world.partner.validate(order(), headers={"Idempotency-Key": "same-body"})

        assert "Idempotent-Replayed" not in first.headers
        assert second.headers["Idempotent-Replayed"] == "true"
        assert second.text == first.text
        assert world.count_decisions() == recorded

    def test_same_key_with_another_body_conflicts(self, world: World) -> None:
        world.partner.validate(order(), headers={"Idempotency-Key": "other-body"})

        answer = world.partner.validate(order(urgency="expedited"), headers={"Idempotency-Key": "other-body"})

        assert (answer.status, answer.problem) == (409, "idempotency-conflict")

    def test_same_key_of_two_partners_does_not_conflict(self, world: World) -> None:
        headers = {"Idempotency-Key": "shared-by-chance"}
        first = world.partner.validate(order(), headers=headers)

        second = world.partner.validate(order(), headers=headers, client_id="another-partner")

        assert second.status == 200
        assert second.json["decision_id"] != first.json["decision_id"]


class TestReproduction:
    def test_reproduced_decision_has_the_same_receipt_and_is_not_recorded(self, world: World) -> None:
        given = world.partner.validate(order()).json
        recorded = world.count_decisions()

        again = world.partner.validate(
            order(), query={"as_of": given["as_of"], "ruleset_version": str(given["ruleset"]["version"])}
        ).json

        assert again["receipt"] == given["receipt"]
        assert "decision_id" not in again
        assert world.count_decisions() == recorded

    def test_as_of_uses_the_version_that_was_active_then(self, world: World) -> None:
        given = world.partner.validate(order()).json

        again = world.partner.validate(order(), query={"as_of": given["as_of"]}).json

        assert again["receipt"] == given["receipt"]

    def test_day_before_the_first_activation_returns_404(self, world: World) -> None:
        answer = world.partner.validate(order(), query={"as_of": "2001-01-01"})

        assert (answer.status, answer.problem) == (404, "not-found")

    def test_reproducing_an_unknown_version_returns_404(self, world: World) -> None:
        answer = world.partner.validate(order(), query={"ruleset_version": "999"})

        assert (answer.status, answer.problem) == (404, "not-found")

    def test_reproducing_needs_the_scope_to_read_decisions(self, world: World) -> None:
        answer = world.partner.validate(order(), query={"ruleset_version": "1"}, scope="orders/validate")

        assert (answer.status, answer.problem) == (403, "missing-scope")
        assert "decisions/read" in answer.json["detail"]


class TestBatch:
    def test_invalid_order_of_a_batch_does_not_affect_the_others(self, world: World) -> None:
        recorded = world.count_decisions()

        answer = world.partner.send(read_event("validate-batch"))

        assert answer.status == 200
        assert [entry["index"] for entry in answer.json["decisions"]] == [0, 1, 3]
        outcomes = [entry["decision"]["outcome"] for entry in answer.json["decisions"]]
        assert outcomes == ["accepted", "redirected", "needs_information"]
        (problem,) = answer.json["problems"]
        assert problem["index"] == 2
        assert problem["problem"]["type"].endswith("/invalid-order")
        pointers = {error["pointer"] for error in problem["problem"]["errors"]}
        assert pointers == {"/lines/0/dose/value", ""}
        assert world.count_decisions() == recorded + 3

    def test_each_decision_of_a_batch_can_be_read_on_its_own(self, world: World) -> None:
        (entry,) = world.partner.validate_batch([order()]).json["decisions"]

        assert world.partner.decision(entry["decision"]["decision_id"]).json == entry["decision"]

    def test_repeated_batch_returns_the_stored_decision_of_each_order(self, world: World) -> None:
        orders = [order(), order(order_id="second")]
        first = world.partner.validate_batch(orders, headers={"Idempotency-Key": "batch"})
        recorded = world.count_decisions()

        second = world.partner.validate_batch(orders, headers={"Idempotency-Key": "batch"})

        assert second.text == first.text
        assert world.count_decisions() == recorded

    def test_order_of_fields_does_not_matter_in_a_repeated_batch(self, world: World) -> None:
        headers = {"Idempotency-Key": "batch-sorted"}
        first = world.partner.validate_batch([order()], headers=headers)

        second = world.partner.validate_batch([dict(reversed(order().items()))], headers=headers)

        assert second.text == first.text

    def test_line_of_business_of_one_order_is_a_problem_at_its_index(self, world: World) -> None:
        answer = world.partner.validate_batch(
            [order(), order({"/member/line_of_business": "commercial_hmo"})], client_id="commercial-partner"
        ).json

        assert [(entry["index"], entry["problem"]["status"]) for entry in answer["problems"]] == [(0, 403)]
        assert [entry["index"] for entry in answer["decisions"]] == [1]

    def test_only_the_changed_order_of_a_repeated_batch_conflicts(self, world: World) -> None:
        headers = {"Idempotency-Key": "batch-changed"}
        world.partner.validate_batch([order(), order(order_id="second")], headers=headers)

        answer = world.partner.validate_batch([order(), order(order_id="changed")], headers=headers).json

        assert [entry["index"] for entry in answer["decisions"]] == [0]
        assert [(entry["index"], entry["problem"]["status"]) for entry in answer["problems"]] == [(1, 409)]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ("[]", ""),
            ("{}", "/orders"),
            ('{"orders": []}', "/orders"),
            (json.dumps({"orders": [{}] * 51}), "/orders"),
            ('{"orders": [{}], "more": 1}', ""),
        ],
    )
    def test_invalid_batch_is_refused_whole(self, world: World, body: str, pointer: str) -> None:
        answer = world.partner.send(an_event("validate-batch", body=body))

        assert (answer.status, answer.problem) == (422, "invalid-order")
        assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


class TestCaller:
    def test_validating_without_claims_returns_401(self, world: World) -> None:
        answer = world.partner.send(read_event("validate-order-unauthenticated"))

        assert (answer.status, answer.problem) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_identity_token_returns_401(self, world: World) -> None:
        event = an_event("validate-order")
        event["requestContext"]["authorizer"]["claims"] |= {"token_use": "id"}

        assert world.partner.send(event).status == 401

    @pytest.mark.parametrize("scope", ["", "decisions/read", "orders/validate-not", "orders"])
    def test_a_token_without_the_scope_may_not_validate(self, world: World, scope: str) -> None:
        answer = world.partner.validate(order(), scope=scope)

        assert (answer.status, answer.problem) == (403, "missing-scope")

    def test_a_token_without_the_scope_may_not_read(self, world: World) -> None:
        decision_id = world.partner.validate(order()).json["decision_id"]

        answer = world.partner.decision(decision_id, scope="orders/validate")

        assert (answer.status, answer.problem) == (403, "missing-scope")

    @pytest.mark.parametrize("client_id", ["nobody", "suspended-partner"])
    def test_client_that_is_not_an_active_partner_returns_403(self, world: World, client_id: str) -> None:
        assert world.partner.validate(order(), client_id=client_id).status == 403
        assert world.partner.decision("01KAT7Q3V9M5R7T0ZJX2B8N4WC", client_id=client_id).status == 403

    def test_a_line_of_business_that_the_partner_may_not_send_is_refused(self, world: World) -> None:
        recorded = world.count_decisions()

        answer = world.partner.validate(order(), client_id="commercial-partner")

        assert (answer.status, answer.problem) == (403, "missing-scope")
        assert "/member/line_of_business" in answer.json["detail"]
        assert world.count_decisions() == recorded

    def test_no_header_or_body_names_the_partner(self, world: World) -> None:
        decision_id = world.partner.validate(order()).json["decision_id"]

        answer = world.partner.decision(
            decision_id,
            client_id="another-partner",
            headers={"X-Partner": "local-partner", "Client-Id": "local-partner"},
        )

        assert (answer.status, answer.problem) == (404, "not-found")


class TestProblems:
    @pytest.mark.parametrize(
        ("name", "status", "problem"),
        [
            ("validate-order-malformed", 400, "malformed-json"),
            ("validate-order-unauthenticated", 401, "unauthenticated"),
            ("validate-order-missing-scope", 403, "missing-scope"),
            ("get-decision", 404, "not-found"),
            ("validate-order-form-encoded", 415, "unsupported-media-type"),
            ("validate-order-invalid", 422, "invalid-order"),
        ],
    )
    def test_failing_event_files_return_their_problem_and_record_nothing(
        self, world: World, name: str, status: int, problem: str
    ) -> None:
        recorded = world.count_decisions()

        answer = world.partner.send(read_event(name))

        assert (answer.status, answer.problem) == (status, problem)
        assert answer.json["instance"] == read_event(name)["requestContext"]["requestId"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert world.count_decisions() == recorded

    def test_an_invalid_order_names_every_place_at_once(self, world: World) -> None:
        answer = world.partner.send(read_event("validate-order-invalid"))

        assert {error["pointer"] for error in answer.json["errors"]} == {"/lines/0/dose/value", ""}

    @pytest.mark.parametrize("body", ["", "null", "[]", '"order"', "{", "\ud800", "[" * 100_000])
    def test_body_that_is_not_an_order_is_refused(self, world: World, body: str) -> None:
        assert world.partner.send(an_event("validate-order", body=body)).status in {400, 413, 422}

    def test_a_body_that_is_too_large_is_refused(self, world: World) -> None:
        answer = world.partner.send(an_event("validate-order", body=json.dumps(order(order_id="x" * 2_000_000))))

        assert (answer.status, answer.problem) == (413, "too-large")

    def test_unknown_path_returns_404(self, world: World) -> None:
        answer = world.partner.send(read_event("validate-order") | {"path": "/v1/orders", "resource": "/{proxy+}"})

        assert (answer.status, answer.problem) == (404, "not-found")

    @pytest.mark.parametrize(("name", "allowed"), [("validate-order", "POST"), ("get-decision", "GET")])
    def test_unknown_method_returns_405_with_the_allowed_ones(self, world: World, name: str, allowed: str) -> None:
        answer = world.partner.send(read_event(name) | {"httpMethod": "DELETE"})

        assert (answer.status, answer.problem) == (405, "not-found")
        assert answer.headers["Allow"] == allowed

    def test_invalid_key_and_parameter_are_named(self, world: World) -> None:
        key = world.partner.validate(order(), headers={"Idempotency-Key": "not a key"})
        parameter = world.partner.validate(order(), query={"explain": "most"})

        assert (key.status, key.json["errors"][0]["header"]) == (422, "Idempotency-Key")
        assert (parameter.status, parameter.json["errors"][0]["parameter"]) == (422, "explain")

    @pytest.mark.parametrize("name", ["validate-batch", "get-decision"])
    def test_routes_without_parameters_take_none(self, world: World, name: str) -> None:
        answer = world.partner.send(an_event(name, query={"explain": "all"}))

        assert (answer.status, answer.problem) == (422, "invalid-order")


class TestDecisions:
    @pytest.mark.parametrize("decision_id", ["01KAT7Q3V9M5R7T0ZJX2B8N4WC", "nothing-like-an-id"])
    def test_an_unknown_decision_is_not_found(self, world: World, decision_id: str) -> None:
        answer = world.partner.decision(decision_id)

        assert (answer.status, answer.problem) == (404, "not-found")

    def test_decision_of_another_partner_returns_404(self, world: World) -> None:
        decision_id = world.partner.validate(order()).json["decision_id"]

        answer = world.partner.decision(decision_id, client_id="another-partner")

        assert (answer.status, answer.problem) == (404, "not-found")
