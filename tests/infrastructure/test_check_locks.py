"""The check of the locks reports a lock that does not match its requirements or that names an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.check_locks import Pin, pins_of, problems, requirements

ROOT = Path(__file__).parents[2]


def a_lock(*lines: str) -> str:
    return "".join(f"{line} \\\n    --hash=sha256:{'0' * 64}\n" for line in lines)


def test_lock_that_matches_the_requirements_has_no_problem() -> None:
    lock = a_lock("pydantic==2.14.4", "moto[server]==5.2.5 ; python_version >= '3.11'")

    assert problems(lock, ["pydantic>=2.14,<3", "moto[dynamodb,server]>=5.2.5"]) == []


def test_names_are_compared_as_package_indexes_do() -> None:
    assert problems(a_lock("pyyaml==6.0.3", "types-pyyaml==6.0.1"), ["PyYAML>=6", "types_PyYAML>=6"]) == []


def test_pin_has_the_hashes_that_follow_it() -> None:
    lock = f"""# made by make lock
PyYAML[extra]==6.0.3 ; python_version >= '3.11' \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
without-hashes==1.0
rich==15.0.0 \\
    --hash=sha256:{"c" * 64}
"""

    assert pins_of(lock) == [
        Pin("pyyaml", "6.0.3", ("a" * 64, "b" * 64)),
        Pin("without-hashes", "1.0", ()),
        Pin("rich", "15.0.0", ("c" * 64,)),
    ]


def test_dependency_that_is_not_locked_is_reported() -> None:
    assert problems(a_lock("pydantic==2.14.4"), ["typer>=0.29"]) == ["lacks typer>=0.29"]


def test_every_version_of_a_forked_lock_must_be_allowed() -> None:
    lock = a_lock("rich==14.0.0 ; python_version < '3.12'", "rich==15.0.0 ; python_version >= '3.12'")

    assert problems(lock, ["rich>=15"]) == ["has rich 14.0.0, not rich>=15"]


@pytest.mark.parametrize(
    "line", ["--extra-index-url mirror", "--find-links /wheels", "-r other.txt", "rich @ https://example.org/rich.whl"]
)
def test_lock_that_names_an_address_is_reported(line: str) -> None:
    assert problems(f"{line}\n{a_lock('pydantic==2.14.4')}", []) == ["names an address or an option of pip"]


def test_committed_locks_match_the_requirements() -> None:
    found = {path.name: problems(path.read_text(), wanted) for path, wanted in requirements(ROOT).items()}

    assert found == {
        "requirements.lock": [],
        "dev.lock": [],
        "bench.lock": [],
        "sam.lock": [],
        "runtime.lock": [],
        "diagnoses.lock": [],
    }


def test_layer_lock_leaves_boto3_to_the_runtime() -> None:
    lock = (ROOT / "layers/infusion_orders/requirements.lock").read_text()

    assert "boto" not in lock
