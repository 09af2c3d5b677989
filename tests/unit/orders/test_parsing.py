"""Parsing an order: what is accepted, what is refused, and how the problems are described."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ValidationError

from infusion_orders.orders.order import Dose, Order, Timing
from infusion_orders.orders.parsing import (
    MAX_BODY_BYTES,
    FieldProblem,
    InvalidOrder,
    MalformedJson,
    TooLarge,
    order_from_json,
    parse_json,
    parse_order,
)
from infusion_orders.orders.vocabularies import Urgency
from tests.support.orders import ABSENT, an_order, an_order_document

if TYPE_CHECKING:
    from collections.abc import Mapping

SMALLEST = '{"order_id": "1", "member": {"member_id": "M"}, "lines": [{"line_id": "1"}]}'


def problems(changes: Mapping[str, Any]) -> dict[str, str]:
    """Of the example with these changes, by pointer."""
    with pytest.raises(InvalidOrder) as refusal:
        an_order(changes)
    return {error.pointer: error.problem for error in refusal.value.errors}


def with_dose(number: str) -> str:
    return SMALLEST.replace('"line_id": "1"', f'"line_id": "1", "dose": {{"value": {number}}}')


class TestWhatIsTaken:
    def test_complete_example_is_parsed(self) -> None:
        order = an_order()

        assert order.member.medical_group is not None
        assert order.member.medical_group.risk_arrangement == "shared_risk"
        assert order.lines[0].service_from == date(2026, 12, 1)
        assert order.lines[0].dose == Dose.model_validate({"value": 5, "unit": "mg/kg"})
        assert order.lines[1].modifiers == ("JW",)

    def test_three_ids_are_enough(self) -> None:
        order = parse_order(SMALLEST)

        left = {name for name, value in order if value is not None} - {"order_id", "member", "lines", "urgency"}
        assert left == set()
        assert order.urgency is Urgency.STANDARD

    def test_null_is_the_same_as_absent(self) -> None:
        names = [*Order.model_fields]
        document = {**dict.fromkeys(names), **json.loads(SMALLEST)}

        assert order_from_json(document) == parse_order(SMALLEST)

    def test_largest_order_is_parsed(self) -> None:
        lines = [{"line_id": str(number)} for number in range(100)]

        order = an_order({"/lines": lines, "/diagnoses": [{"code": "K50.90"}] * 50})

        assert (len(order.lines), len(order.diagnoses or ())) == (100, 50)

    @pytest.mark.parametrize(
        "pointer",
        [
            "/submitter/npi",
            "/member/mbi",
            "/member/cin",
            "/member/county",
            "/member/medical_group/id",
            "/prescriber/npi",
            "/infusion_provider/vendor",
            "/care/place_of_service",
            "/diagnoses/0/code",
            "/lines/0/hcpcs",
            "/lines/0/ndc",
            "/lines/0/frequency",
        ],
    )
    @pytest.mark.parametrize("text", ["", "not an identifier", "x" * 64])
    def test_malformed_identifier_does_not_make_the_order_invalid(self, pointer: str, text: str) -> None:
        an_order({pointer: text})

    def test_a_frequency_may_be_a_fhir_timing(self) -> None:
        order = an_order({"/lines/0/frequency": {"frequency": 1, "period": 8, "periodUnit": "wk"}})

        assert order.lines[0].frequency == Timing.model_validate({"frequency": 1, "period": 8, "periodUnit": "wk"})

    @pytest.mark.parametrize(
        "number",
        ["0.1", "1.10", "99999999999.1234567", "0.30000000000000004", "1E2", "5", '"1.10"', '"0.000000000000000001"'],
    )
    def test_decimals_keep_their_digits(self, number: str) -> None:
        dose = parse_order(with_dose(number)).lines[0].dose

        assert dose is not None
        assert str(dose.value) == str(Decimal(number.strip('"')))

    def test_bytes_and_text_are_parsed_alike(self) -> None:
        body = json.dumps(an_order_document(), ensure_ascii=False)

        assert parse_order(body) == parse_order(body.encode()) == an_order()

    def test_dumped_order_is_parsed_to_the_same_order(self) -> None:
        order = an_order()

        assert parse_order(order.model_dump_json()) == order
        assert order_from_json(order.model_dump()) == order

    def test_an_order_cannot_be_changed(self) -> None:
        order = an_order()

        with pytest.raises(ValidationError):
            order.lines[0].units = 1  # type: ignore[misc]

    def test_every_field_of_the_contract_is_described(self) -> None:
        definitions = Order.model_json_schema()["$defs"]
        parts = [Order.model_json_schema(), *(part for part in definitions.values() if "properties" in part)]

        bare = [name for part in parts for name, field in part["properties"].items() if not field.get("description")]

        assert bare == []


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("pointer", "value", "problem"),
        [
            ("/order_id", ABSENT, "is required"),
            ("/order_id", None, "must be a text"),
            ("/order_id", "", "must have at least 1 characters"),
            ("/order_id", "a" * 65, "must have at most 64 characters"),
            ("/order_id", "a/b", "must be of letters, digits and . _ : - only"),
            ("/order_id", "a\n", "must be of letters, digits and . _ : - only"),
            ("/member", ABSENT, "is required"),
            ("/member/member_id", ABSENT, "is required"),
            ("/member/member_id", "a\x00b", "must have no control characters"),
            ("/member/mbi", "x" * 65, "must have at most 64 characters"),
            ("/member/willing_to_learn", "yes", "must be true or false"),
            ("/member/willing_to_learn", 1, "must be true or false"),
            ("/caregiver", [], "must be an object"),
            ("/lines", ABSENT, "is required"),
            ("/lines", [], "must have at least 1"),
            ("/lines", {}, "must be a list"),
            ("/lines", [{"line_id": str(number)} for number in range(101)], "must have at most 100"),
            ("/lines/1/line_id", "1", "must differ from that of /lines/0"),
            ("/lines/2/line_id", ABSENT, "is required"),
            ("/diagnoses", [{}] * 51, "must have at most 50"),
            ("/lines/0/modifiers", ["JW"] * 5, "must have at most 4"),
            ("/lines/0/modifiers", ["J"], ""),
            ("/lines/0/units", 1.5, "must be a whole number"),
            ("/lines/0/units", True, "must be a whole number"),
            ("/lines/0/units", 0, "must be at least 1"),
            ("/lines/0/dose/value", 0, "must be more than 0"),
            ("/lines/0/dose/value", True, "must be a finite number: a JSON number, or a text such as 12.5"),
            ("/lines/0/dose/value", "NaN", "must be a finite number: a JSON number, or a text such as 12.5"),
            ("/lines/0/dose/value", "1e5", "must be a finite number: a JSON number, or a text such as 12.5"),
            ("/lines/0/vial_size/unit", "mg/kg", "must be one of mg, g, mcg, unit, ml, meq"),
            ("/lines/0/vial_size/unit", "MCG", "must be one of mg, g, mcg, unit, ml, meq; did you mean mcg?"),
            ("/lines/0/frequency", 8, "must be a text such as `every 8 hours`, or a FHIR Timing.repeat object"),
            ("/lines/0/frequency", {"frequency": "x"}, ""),
            ("/lines/0/dose/value", 1_000_000_000_001, "must be at most 1000000000000"),
            ("/lines/0/infusion_hours", 9001, "must be at most 9000"),
            ("/lines/0/daily_volume_ml", 100_001, "must be at most 100000"),
            ("/lines/0/frequency/period", 1_000_001, "must be at most 1000000"),
            ("/clinical/weight_kg", 1001, "must be at most 1000"),
            ("/clinical/height_cm", 301, "must be at most 300"),
            ("/access/lumens", -1, "must be at least 0"),
            ("/urgency", "urgent", "must be one of standard, expedited"),
        ],
    )
    def test_wrong_field_has_its_pointer_and_a_sentence(self, pointer: str, value: Any, problem: str) -> None:
        found = problems({"/lines/0/frequency": {}, pointer: value})

        if problem:
            assert found == {pointer: problem}
        else:
            (deeper,) = found
            assert deeper.startswith(pointer + "/")

    @pytest.mark.parametrize(
        "value",
        [
            "2026-02-30",
            "20261201",
            "2026-W01-1",
            "2026-12-01T00:00:00",
            "2026-12-01 ",
            "\uff12\uff10\uff12\uff16-12-01",
            1796083200,
            "1796083200",
            True,
        ],
    )
    def test_only_calendar_dates_are_dates(self, value: Any) -> None:
        assert problems({"/lines/0/service_from": value}) == {
            "/lines/0/service_from": "must be a calendar date, YYYY-MM-DD"
        }

    @pytest.mark.parametrize("value", ["1899-12-31", "2201-01-01"])
    def test_dates_are_from_1900_to_2200(self, value: str) -> None:
        assert problems({"/member/birth_date": value}) == {"/member/birth_date": "must be a date from 1900 to 2200"}

    @pytest.mark.parametrize(
        "number", ["1e400", "1e-400", "1e99999999999999999999", "1234567890123456789", "9" * 5000, "0." + "3" * 100]
    )
    def test_numbers_beyond_their_bounds_are_out_of_range(self, number: str) -> None:
        with pytest.raises(InvalidOrder) as refusal:
            parse_order(with_dose(number))

        assert refusal.value.errors == (
            FieldProblem("/lines/0/dose/value", "must be a finite number of at most 18 digits"),
        )

    @pytest.mark.parametrize(
        ("pointer", "parent", "nearest"),
        [
            ("/care_giver", "", "did you mean caregiver?"),
            ("/member/line_of_busines", "/member", "did you mean line_of_business?"),
            ("/lines/0/dose/units", "/lines/0/dose", "did you mean unit?"),
            ("/lines/1/billing", "/lines/1", "did you mean billing_path?"),
            ("/caregiver/4711-canary", "/caregiver", "known are present, willing, able"),
        ],
    )
    def test_unknown_field_gets_a_suggestion_and_is_not_repeated(self, pointer: str, parent: str, nearest: str) -> None:
        assert problems({pointer: "canary"}) == {parent: f"has an unknown field; {nearest}"}

    def test_unknown_field_of_a_timing_gets_a_suggestion(self) -> None:
        found = problems({"/lines/0/frequency": {"period": 8, "period_unit": "h"}})

        assert found == {"/lines/0/frequency": "has an unknown field; did you mean periodUnit?"}

    def test_at_most_100_problems_are_reported_at_once(self) -> None:
        lines = [{"line_id": str(number), "units": -1, "kind": "x"} for number in range(100)]

        with pytest.raises(InvalidOrder) as refusal:
            an_order({"/lines": lines})

        assert len(refusal.value.errors) == 100

    def test_no_value_is_in_the_exception_or_its_cause(self) -> None:
        with pytest.raises(InvalidOrder) as refusal:
            an_order({"/member/birth_date": "canary", "/urgency": "canary", "/lines/0/units": "canary", "/canary": 1})

        assert "canary" not in f"{refusal.value!s} {refusal.value!r}"
        assert refusal.value.__cause__ is None
        assert refusal.value.__context__ is None


class TestWhatIsNoJson:
    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b"", "line 1, column 1"),
            (b'{"order_id": "canary}', "line 1, column"),
            (b'{"a": 1}\n{"a": 2}', "line 2, column 1"),
            (b"\xff\xfe", "not UTF-8"),
            ("\ud800", "not UTF-8"),
            (b'{"dose": NaN}', "NaN"),
            (b'{"dose": -Infinity}', "Infinity"),
            (b'{"order_id": 1, "order_id": 2}', r"twice \(order_id\)"),
            (b'{"lines": [{"canary": 1, "canary": 2}]}', "twice$"),
            (b'{"drug": "\\ud800"}', "surrogate"),
            (b'{"\\uDFFF": 1}', "surrogate"),
            (b"[" * 21 + b"]" * 21, "deeper than 20"),
            (b'{"a":' * 20 + b"[]" + b"}" * 20, "deeper than 20"),
            (b"[" * 200_000, "deeper than 20"),
        ],
    )
    def test_malformed_json_has_a_reason_without_values(self, body: bytes | str, why: str) -> None:
        with pytest.raises(MalformedJson, match=why) as refusal:
            parse_order(body)

        assert "canary" not in str(refusal.value)

    def test_20_levels_and_whole_surrogate_pairs_are_accepted(self) -> None:
        assert parse_json(b"[" * 20 + b"]" * 20)
        assert parse_json('"\\ud83d\\ude00"') == "\U0001f600"

    def test_body_one_byte_over_the_limit_is_too_large(self) -> None:
        assert MAX_BODY_BYTES == 262_144
        body = SMALLEST + " " * (MAX_BODY_BYTES - len(SMALLEST))

        assert parse_order(body).order_id == "1"
        with pytest.raises(TooLarge):
            parse_order(body + " ")

    def test_the_size_counts_in_bytes(self) -> None:
        with pytest.raises(TooLarge):
            parse_json('"' + "\u00e9" * (MAX_BODY_BYTES // 2) + '"')

    def test_limits_of_bytes_and_levels_can_be_raised(self) -> None:
        assert parse_json("[1, 1.0]".ljust(MAX_BODY_BYTES + 1), most_bytes=MAX_BODY_BYTES + 1) == [1, Decimal("1.0")]

    def test_object_with_more_than_100_fields_is_too_large(self) -> None:
        assert parse_json(json.dumps(dict.fromkeys(map(str, range(100)))))
        with pytest.raises(TooLarge):
            parse_json(json.dumps({str(number): number for number in range(101)}))


def test_every_part_of_an_order_is_closed_and_strict() -> None:
    def parts(part: type[BaseModel]) -> set[type[BaseModel]]:
        return {part}.union(*(parts(inner) for inner in part.__subclasses__()))

    for part in parts(Order.__mro__[1]):
        assert part.model_config["extra"] == "forbid"
        assert part.model_config["frozen"] is True
        assert part.model_config["strict"] is True
        assert part.model_config["allow_inf_nan"] is False
