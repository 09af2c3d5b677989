"""The command as people and machines call it: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from infusion_orders.decisions import decide
from infusion_orders_cli.local.tables import served_tables
from infusion_orders_cli.main import app
from infusion_orders_cli.orders import results, stream
from scripts.dynamodb_engine import free_port
from tests.support.orders import ABSENT, an_order_document
from tests.support.processes import started
from tests.support.rules import default_document

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules" / "home-infusion"
EXAMPLE = str(ROOT / "events" / "orders" / "remicade.json")


def run(*arguments: str, given: str | None = None) -> Any:
    result = CliRunner().invoke(app, list(arguments), input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def lines_of(result: Any) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


class TestValidate:
    def test_example_is_accepted_in_words(self) -> None:
        result = run("validate", EXAMPLE)

        assert result.exit_code == 0
        assert "PPG0420-2026-000123: accepted" in result.stdout
        assert result.stderr == ""

    def test_json_prints_one_decision_as_of_the_given_day(self) -> None:
        (decision,) = lines_of(run("validate", "--json", "--as-of", "2026-11-23", EXAMPLE))

        assert decision["outcome"] == "accepted"
        assert decision["as_of"] == "2026-11-23"
        assert "explanation" not in decision

    def test_explain_adds_every_rule(self) -> None:
        (decision,) = lines_of(run("validate", "--json", "--explain", EXAMPLE))

        assert {one["line_id"] for one in decision["explanation"]} == {"1", "2", "3"}

    def test_bad_lines_of_ndjson_are_problems_and_exit_with_1(self) -> None:
        other = json.dumps(an_order_document({"/infusion_provider/vendor": "acme-infusion"}))
        asking = json.dumps(an_order_document(caregiver=ABSENT))

        result = run("validate", "--json", "-", given=f"{other}\nnot json\n\n{{}}\n{asking}\n")

        assert result.exit_code == 1
        found = lines_of(result)
        assert [one.get("outcome") for one in found] == ["redirected", None, None, "needs_information"]
        assert [one.get("instance") for one in found[1:3]] == ["stdin#line-2", "stdin#line-4"]

    def test_report_of_several_orders_ends_with_a_summary(self) -> None:
        result = run("validate", "-", given=json.dumps(an_order_document()) + "\n{}\n")

        assert result.exit_code == 1
        assert "All orders" in result.stdout
        assert "/order_id is required" in result.stdout

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["-"], "stdin holds no order"),
            (["--table", "T", "--rules", str(RULES), EXAMPLE], "exclude each other"),
            (["--endpoint-url", "http://127.0.0.1:1", EXAMPLE], "--table"),
            (["--as-of", "yesterday", EXAMPLE], "--as-of"),
            (["no-such-file.json"], "no-such-file.json"),
        ],
    )
    def test_unusable_arguments_exit_with_2(self, arguments: list[str], says: str) -> None:
        result = run("validate", *arguments, given="\n")

        assert result.exit_code == 2
        assert says in result.stderr
        assert result.stdout == ""

    def test_rules_that_do_not_load_exit_with_2(self, tmp_path: Path) -> None:
        (tmp_path / "broken.yaml").write_text("- id: broken\n  titel: A rule\n")

        result = run("validate", "--rules", str(tmp_path), EXAMPLE)

        assert result.exit_code == 2
        assert "titel" in result.stderr

    def test_active_rule_set_is_read_from_a_table(self) -> None:
        port = free_port()
        with served_tables(ROOT / "template.yaml", default_document(), host="127.0.0.1", port=port) as address:
            (decision,) = lines_of(
                run("validate", "--json", "--table", "RulesTable", "--endpoint-url", address, EXAMPLE)
            )
            missing = run("validate", "--table", "NoTable", "--endpoint-url", address, EXAMPLE)
            early = run(
                "validate", "--table", "RulesTable", "--endpoint-url", address, "--as-of", "2020-01-01", EXAMPLE
            )

        assert decision["outcome"] == "accepted"
        assert decision["ruleset"]["digest"] == default_document().digest
        assert (missing.exit_code, early.exit_code) == (2, 2)
        assert "ResourceNotFoundException" in missing.stderr


class TestManyOrders:
    """Blocks hold about two orders, so that several processes share a few orders."""

    @pytest.fixture(autouse=True)
    def small_blocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream, "BLOCK_BYTES", 4000)

    @pytest.mark.parametrize("form", [["--json"], ["--json", "--explain"], []], ids=" ".join)
    def test_several_processes_print_what_one_prints(self, tmp_path: Path, form: list[str]) -> None:
        orders = tmp_path / "orders.ndjson"
        orders.write_bytes(mixed_orders(60))

        one, several = (run("validate", *form, "--workers", count, str(orders)) for count in ("1", "3"))

        assert (several.exit_code, several.stderr) == (one.exit_code, one.stderr) == (1, "")
        assert several.stdout == one.stdout
        if form == ["--json"]:
            found = lines_of(several)
            assert [one["order_id"] for one in found if "order_id" in one] == [str(n) for n in range(60) if n % 10 != 7]
            assert [one["instance"].partition("#")[2] for one in found if "instance" in one] == [
                f"line-{line}" for line in (8, 18, 28, 38, 48, 58)
            ]

    def test_fault_of_ours_in_a_process_names_the_order(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def faulty(order: Any, *given: Any, **more: Any) -> Any:
            if order.order_id == "31":
                raise LookupError("a fault")
            return decide(order, *given, **more)

        monkeypatch.setattr(results, "decide", faulty)
        orders = tmp_path / "orders.ndjson"
        orders.write_bytes(mixed_orders(60))

        with pytest.raises(results.UndecidedOrder, match=r"orders\.ndjson#line-32") as raised:
            run("validate", "--json", "--workers", "2", str(orders))

        assert "LookupError: a fault" in str(raised.value.__cause__)

    def test_killed_worker_exits_with_2(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        here = os.getpid()

        def dying(*given: Any, **more: Any) -> Any:
            if os.getpid() != here:
                os.kill(os.getpid(), signal.SIGKILL)
            return decide(*given, **more)

        monkeypatch.setattr(results, "decide", dying)
        orders = tmp_path / "orders.ndjson"
        orders.write_bytes(mixed_orders(60))

        result = run("validate", "--json", "--workers", "2", str(orders))

        assert result.exit_code == 2


def mixed_orders(count: int) -> bytes:
    """NDJSON of numbered orders; every tenth, from the eighth on, is none."""
    lines = [
        "no order" if number % 10 == 7 else json.dumps(an_order_document({"/order_id": str(number)}))
        for number in range(count)
    ]
    return ("\n".join(lines) + "\n").encode()


@contextmanager
def validating(orders: bytes) -> Iterator[Any]:
    """The command with two processes at work, in a session of its own as from a shell, its input not at its end."""
    command = [sys.executable, "-m", "infusion_orders_cli.main", "validate", "--json", "--workers", "2", "-"]
    buffering = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with started(command, stdin=subprocess.PIPE, start_new_session=True, env=buffering) as process:
        assert process.stdin is not None
        feeding = threading.Thread(target=feed, args=(process.stdin, orders), daemon=True)
        feeding.start()
        patience = threading.Timer(60, os.killpg, (process.pid, signal.SIGKILL))
        patience.start()
        try:
            yield process
        finally:
            patience.cancel()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            feeding.join()
            with suppress(BrokenPipeError):
                process.stdin.close()


def feed(stream: Any, content: bytes) -> None:
    with suppress(BrokenPipeError):
        stream.write(content)
        stream.flush()


def all_ended(group: int) -> bool:
    """Whether within some seconds no process of the group is left."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


class TestEndOfTheCommand:
    @pytest.mark.parametrize("count", [1, 400])
    def test_answers_stream_while_the_input_is_open(self, count: int) -> None:
        with validating(mixed_orders(count)) as process:
            answers = [json.loads(process.stdout.readline()) for _ in range(count)]

            assert [one["order_id"] for one in answers[-8:] if "order_id" in one] == [
                str(number) for number in range(max(count - 8, 0), count) if number % 10 != 7
            ]
            process.stdin.close()
            assert process.wait(timeout=20) == (1 if count > 7 else 0)
            assert all_ended(process.pid)

    def test_ctrl_c_ends_idle_processes_quietly(self) -> None:
        with validating(mixed_orders(400)) as process:
            for _ in range(400):
                process.stdout.readline()
            os.killpg(process.pid, signal.SIGINT)

            assert process.wait(timeout=20) == 130
            assert all_ended(process.pid)
            assert process.stderr.read() == b""

    def test_ctrl_c_ends_busy_processes_quietly(self) -> None:
        with validating(mixed_orders(4000)) as process:
            for _ in range(300):
                process.stdout.readline()
            os.killpg(process.pid, signal.SIGINT)

            assert process.wait(timeout=20) == 130
            assert all_ended(process.pid)
            assert process.stderr.read() == b""

    def test_closed_output_leaves_no_process(self) -> None:
        with validating(mixed_orders(2000)) as process:
            for _ in range(300):
                process.stdout.readline()
            process.stdout.close()

            assert process.wait(timeout=20) == 1
            assert all_ended(process.pid)
            assert process.stderr.read() == b""

    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
    def test_killed_command_leaves_no_process(self, how: signal.Signals) -> None:
        with validating(mixed_orders(400)) as process:
            for _ in range(400):
                process.stdout.readline()
            process.send_signal(how)

            assert process.wait(timeout=20) == -how
            assert all_ended(process.pid)


TOOTHLESS = """
- id: some.toothless
  title: Adults only
  scope: line
  when: {fact: member.age, at_least: 21}
  require: {fact: member.age, at_least: 18}
  otherwise: {effect: reject, message: Too young.}
  citation: {document: A manual, basis: manual}
  examples:
    - {given: {member.age: 21}, expect: satisfied}
"""


class TestRules:
    def test_default_rules_pass_their_checks(self) -> None:
        found = json.loads(run("rules", "check", "--json").stdout)

        assert found["problems"] == []
        assert found["rules"] > 0
        assert run("rules", "check", "--quick").exit_code == 0

    def test_finding_comes_with_an_order_that_shows_it(self, tmp_path: Path) -> None:
        shutil.copytree(RULES, tmp_path / "rules")
        (tmp_path / "rules" / "toothless.yaml").write_text(TOOTHLESS, "utf-8")

        told = run("rules", "check", str(tmp_path / "rules"), "--orders", str(tmp_path / "orders"))
        (order,) = (tmp_path / "orders").iterdir()
        (decided,) = lines_of(run("validate", str(order), "--rules", str(tmp_path / "rules"), "--json", "--explain"))

        assert told.exit_code == 1
        assert "error some.toothless" in told.stdout
        assert str(order) in told.stdout.replace("\n", "")
        assert order.name == "01-never-fails.json"
        assert {each["verdict"] for each in decided["explanation"] if each["rule"] == "some.toothless"} == {"satisfied"}

    def test_rows_with_overlapping_periods_decide_only_unchecked(self, tmp_path: Path) -> None:
        shutil.copytree(RULES, tmp_path / "rules")
        vendors = tmp_path / "rules" / "tables" / "vendors.csv"
        first_row = vendors.read_text("utf-8").splitlines()[1]
        vendors.write_text(vendors.read_text("utf-8") + first_row + "\n", "utf-8")

        checked = run("rules", "check", str(tmp_path / "rules"))
        refused = run("validate", EXAMPLE, "--rules", str(tmp_path / "rules"))
        decided = run("validate", EXAMPLE, "--rules", str(tmp_path / "rules"), "--unchecked", "--json")

        assert (checked.exit_code, refused.exit_code, decided.exit_code) == (1, 2, 0)

    def test_unchecked_rules_that_do_not_compile_exit_with_2(self, tmp_path: Path) -> None:
        shutil.copytree(RULES, tmp_path / "rules")
        file = tmp_path / "rules" / "setting.yaml"
        file.write_text(file.read_text("utf-8").replace("  title:", "  invented: yes\n  title:", 1), "utf-8")

        refused = run("validate", EXAMPLE, "--rules", str(tmp_path / "rules"), "--unchecked")

        assert refused.exit_code == 2
        assert "Traceback" not in refused.stderr

    def test_problems_are_printed_one_per_line(self, tmp_path: Path) -> None:
        shutil.copytree(RULES, tmp_path / "rules")
        file = tmp_path / "rules" / "setting.yaml"
        file.write_text(file.read_text("utf-8").replace("care.administered_by", "care.administred_by"), "utf-8")

        told = run("rules", "check", str(tmp_path / "rules"))
        listed = json.loads(run("rules", "check", "--json", str(tmp_path / "rules")).stdout)["problems"]

        assert told.exit_code == 1
        assert len(told.stderr.splitlines()) == len(listed) > 0
        assert all("setting.yaml" in line for line in told.stderr.splitlines())
        assert {problem["file"] for problem in listed} == {"setting.yaml"}

    def test_search_finds_rules_by_words_clause_and_provider_type(self) -> None:
        found = lines_of(run("rules", "search", "vendor", "--clause", "m-8", "--json"))

        assert found
        assert {rule["clause"] for rule in found} == {"M-8"}
        assert "setting.someone-can-give-it" in run("rules", "search", "caregiver").stdout
        assert run("rules", "search", "vendor", "--provider-type", "dentist").exit_code == 2

    @pytest.mark.parametrize("text", ["abc", "x" * 61])
    @pytest.mark.clause("M-12")
    def test_search_text_has_4_to_60_characters(self, text: str) -> None:
        result = run("rules", "search", text)

        assert result.exit_code == 2


@pytest.mark.parametrize(
    "command",
    [
        *([name] for name in ("validate", "serve", "dynamodb", "doctor", "docs", "version")),
        *(["rules", name] for name in ("search", "check", "test", "publish", "list", "show", "diff", "export")),
        *(["rules", name] for name in ("replay", "shadow", "activate", "rollback", "history")),
        *(["codes", "import", name] for name in ("hcpcs", "ndc", "dofr", "icd-10-cm")),
        ["decisions", "erase"],
        ["partners", "add"],
    ],
    ids=" ".join,
)
def test_help_of_every_command_has_an_example(command: list[str]) -> None:
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert re.search(rf"Examples?:\s+infusion-orders {' '.join(command)}", result.stdout)


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; import infusion_orders_cli.main; "
        "print(sorted({'boto3', 'moto', 'pydantic', 'werkzeug', 'aws_lambda_powertools'} & set(sys.modules)))"
    )

    loaded = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize("piped", [False, True], ids=["file", "pipe"])
def test_progress_of_long_input_goes_to_standard_error(tmp_path: Path, piped: bool) -> None:
    orders = tmp_path / "orders.ndjson"
    orders.write_text((json.dumps(an_order_document()) + "\n") * 150)
    terminal, terminal_of_command = pty.openpty()
    command = [sys.executable, "-m", "infusion_orders_cli.main", "validate", "--json", "-" if piped else str(orders)]

    with orders.open("rb") as stream:
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            input=stream.read() if piped else None,
            stdout=subprocess.PIPE,
            stderr=terminal_of_command,
            check=True,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        )
    os.close(terminal_of_command)
    seen = os.read(terminal, 100_000)
    os.close(terminal)

    assert len(done.stdout.splitlines()) == 150
    assert b"validating" in seen
    assert re.search(rb"[1-9]\d* orders, [\d,]+ a second", seen)


def test_serve_shows_the_example_and_stops_cleanly_on_ctrl_c() -> None:
    command = [sys.executable, "-m", "infusion_orders_cli.main", "serve", "--port", "0"]
    elsewhere = {**os.environ, "AWS_PROFILE": "no-such-profile", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    with started(command, text=True, cwd=ROOT, env=elsewhere) as server:
        assert server.stdout is not None
        seen = []
        for line in server.stdout:
            seen.append(line)
            if "receipt sha256:" in line:
                break
        server.send_signal(signal.SIGINT)
        rest, complaints = server.communicate(timeout=20)

    assert re.search(r"on http://127\.0\.0\.1:[1-9]\d+,", seen[0])
    assert any("PPG0420-2026-000123: accepted" in line for line in seen)
    assert rest.endswith("stopped\n")
    assert complaints == ""
    assert server.returncode == 0
