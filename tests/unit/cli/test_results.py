"""Orders of a file or a pipe: one over several lines, or one a line, whatever is wrong with some of them."""

from __future__ import annotations

import io
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infusion_orders.orders.parsing import MAX_BODY_BYTES
from infusion_orders_cli.orders import results as of_results
from infusion_orders_cli.orders.results import UndecidedOrder, as_lines, results
from infusion_orders_cli.orders.stream import Blocks, Body, blocks_of_bodies, bodies
from tests.support.orders import an_order_document
from tests.support.rules import default_rules

AS_OF = date(2026, 11, 23)


def read(text: str | bytes) -> list[Body]:
    return list(bodies(io.BytesIO(text.encode() if isinstance(text, str) else text)))


class CountingStream(io.BytesIO):
    lines_read = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self.lines_read += 1
        return super().readline(size)


class TestWhatAStreamHolds:
    def test_order_over_several_lines_is_one_body(self) -> None:
        text = json.dumps(an_order_document(), indent=2)

        assert read(text) == [Body(1, text.encode())]

    def test_ndjson_line_is_a_body_unless_blank(self) -> None:
        assert read('{"a": 1}\n\n  {"b": 2}\r\n') == [Body(1, b'{"a": 1}'), Body(3, b'{"b": 2}')]

    def test_line_without_newline_is_a_body(self) -> None:
        assert read('{"a": 1}') == [Body(1, b'{"a": 1}')]

    def test_ndjson_with_a_broken_first_line_is_recognized(self) -> None:
        whole = json.dumps(an_order_document())

        found = read(f'{{"order_id": \n{whole}\n{whole}\n')

        assert [body.line for body in found] == [1, 2, 3]

    def test_json_line_inside_an_order_does_not_split_it(self) -> None:
        text = '{"order_id": "1",\n"lines": [\n{"line_id": "1"}\n]}'

        assert read(text) == [Body(1, text.encode())]

    def test_json_with_orders_on_lines_is_not_ndjson(self) -> None:
        text = '{"orders": [\n{"order_id": "1"},\n{"order_id": "2"}\n]}'

        assert read(text) == [Body(1, text.encode())]

    def test_broken_order_over_several_lines_is_one_body(self) -> None:
        assert len(read('{\n  "order_id": "1",\n  "lines": [\n')) == 1

    def test_byte_order_mark_is_removed(self) -> None:
        assert read(b"\xef\xbb\xbf{}\n") == [Body(1, b"{}")]

    @pytest.mark.parametrize("text", ["", "\n", " \n\n"])
    def test_blank_input_has_no_body(self, text: str) -> None:
        assert read(text) == []

    def test_endless_line_is_cut_and_the_next_line_is_read(self) -> None:
        found = read(b'{}\n{"a": "' + b"x" * (3 * MAX_BODY_BYTES) + b'"}\n{}\n')

        assert [body.line for body in found] == [1, 2, 3]
        assert MAX_BODY_BYTES < len(found[1].content) <= MAX_BODY_BYTES + 2

    def test_endless_document_is_cut(self) -> None:
        stream = CountingStream(b"[\n" * MAX_BODY_BYTES)

        found = list(bodies(stream))

        assert [len(body.content) for body in found] == [MAX_BODY_BYTES + 1]
        assert stream.lines_read == MAX_BODY_BYTES // 2 + 1

    def test_ndjson_is_read_lazily(self) -> None:
        stream = CountingStream(b"{}\n" * 1000)

        next(bodies(stream))

        assert stream.lines_read == 1

    @given(st.lists(st.text(st.characters(blacklist_characters="\n\r", codec="utf-8")).filter(str.strip)))
    def test_every_line_after_a_first_order_is_a_body(self, lines: list[str]) -> None:
        found = read("\n".join(["{}", *lines]))

        assert [body.content for body in found[1:]] == [
            line.encode().strip() for line in lines if line.encode().strip()
        ]


class TestBlocks:
    @given(st.lists(st.sampled_from([b"", b"ab", b"c" * 9, b" "])), st.integers(1, 12), st.integers(1, 12))
    def test_lines_do_not_depend_on_the_size_of_reads(self, lines: list[bytes], most: int, size: int) -> None:
        content = b"\n".join(lines)
        stream, file = io.BytesIO(content), io.BytesIO(content)
        blocks = Blocks(lambda _size: stream.read(most))

        while line := file.readline(size):
            assert blocks.readline(size) == line
            assert blocks.taken == file.tell()
        assert blocks.readline(size) == b""

    @given(st.lists(st.sampled_from([b"{}", b"", b" ", b'{"a": 1}', b'{"b":', b"2}"]), max_size=30), st.integers(1, 9))
    def test_blocks_contain_every_body_in_order(self, lines: list[bytes], most: int) -> None:
        content = b"\n".join(lines)
        stream = io.BytesIO(content)

        blocks = list(blocks_of_bodies(Blocks(lambda _size: stream.read(most))))

        assert [body for _end, block in blocks for body in block] == read(content)
        assert all(block for _end, block in blocks)

    def test_block_is_yielded_before_the_next_read(self) -> None:
        reads = iter([b'{"a": 1}\n', b'{"b": 2}\n{"c": 3}\n\n{"d"', b": 4}\n", b""])
        asked = []

        def one(size: int) -> bytes:
            asked.append(size)
            return next(reads)

        blocks = blocks_of_bodies(Blocks(one))

        assert next(blocks) == (9, (Body(1, b'{"a": 1}'),))
        assert len(asked) == 1
        assert [[body.line for body in block] for _end, block in blocks] == [[2, 3], [5]]


class TestWhatBecomesOfThem:
    def test_bad_orders_become_problems_and_do_not_affect_others(self) -> None:
        good = json.dumps(an_order_document()).encode()
        given = [
            Body(1, good),
            Body(2, b"{"),
            Body(4, b'{"lines": 7}'),
            Body(5, b" " * MAX_BODY_BYTES + b"{}"),
            Body(6, good),
        ]

        found = [
            json.loads(result.as_json())
            for result in results(given, default_rules(), source="orders.ndjson", as_of=AS_OF)
        ]

        assert [one.get("outcome") for one in found] == ["accepted", None, None, None, "accepted"]
        assert [one["type"].rsplit("/")[-1] for one in found[1:4]] == ["malformed-json", "invalid-order", "too-large"]
        assert [one["instance"] for one in found[1:4]] == [f"orders.ndjson#line-{line}" for line in (2, 4, 5)]

    def test_results_use_the_given_day_and_explanation(self) -> None:
        body = Body(1, json.dumps(an_order_document()).encode())

        (short,) = results([body], default_rules(), source="-", as_of=AS_OF)
        (long,) = results([body], default_rules(), source="-", as_of=AS_OF, explain_all=True)

        assert short.decision is not None
        assert long.decision is not None
        assert short.decision.as_of == AS_OF
        assert short.decision.explanation is None
        assert long.decision.explanation
        assert short.decision.receipt == long.decision.receipt

    def test_result_is_one_line_of_json(self) -> None:
        body = Body(1, json.dumps(an_order_document(), indent=2).encode())

        (result,) = results([body], default_rules(), source="-", as_of=AS_OF)

        assert "\n" not in result.as_json()

    def test_fault_of_ours_names_the_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(of_results, "decide")
        body = Body(7, json.dumps(an_order_document()).encode())

        with pytest.raises(UndecidedOrder, match=r"orders\.ndjson#line-7"):
            as_lines(results([body], default_rules(), source="orders.ndjson", as_of=AS_OF))
