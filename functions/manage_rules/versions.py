"""Published versions: list them, read one, compare two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infusion_orders.api.requests import query_parameters, refuse_parameters, require_choice, version_number
from infusion_orders.authoring.differences import differences
from rule_answers import plain_pointer, plain_record, plain_response

if TYPE_CHECKING:
    from infusion_orders.api.application import Response
    from infusion_orders.api.requests import Request
    from infusion_orders.api.resources import Resources


def list_versions(request: Request, resources: Resources) -> Response:
    """List the published versions, the latest first, and the active pointer."""
    request.authenticate_staff()
    refuse_parameters(request.event)
    pointer = resources.rule_set_store.activations.pointer(consistent=True)
    versions = [plain_record(header) for header in resources.rule_set_store.headers()]
    return plain_response({"active": None if pointer is None else plain_pointer(pointer), "versions": versions})


def get_version(request: Request, resources: Resources) -> Response:
    """Read a version's header and rules as they were written, or the rows of one table."""
    request.authenticate_staff()
    query = query_parameters(request.event, "table")
    number = version_number(request.path_parameters["version"])
    header = resources.rule_set_store.header(number)
    document = resources.rule_set_store.document(number)
    if "table" in query:
        require_choice(query, "table", sorted(document.tables))
        return plain_response({"header": plain_record(header), "rows": document.tables[query["table"]]})
    tables = {name: len(rows) - 1 for name, rows in document.tables.items()}
    return plain_response({"header": plain_record(header), "rules": list(document.rules), "tables": tables})


def compare_versions(request: Request, resources: Resources) -> Response:
    """Describe what changed from the version `from`, else the active one, to this version."""
    request.authenticate_staff()
    query = query_parameters(request.event, "from")
    before = version_number(query["from"]) if "from" in query else resources.rule_sets.active().rule_set.version
    after = version_number(request.path_parameters["version"])
    store = resources.rule_set_store
    found = differences(store.document(before), store.document(after))
    return plain_response({"from": before, "to": after, **found.plain()})
