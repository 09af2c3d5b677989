"""Rule authors' requests: search, check, publish, compare, replay, activate and roll back rule sets.

Each handler is in the module of this folder that its import names.
"""

from __future__ import annotations

import os

from activations import activate_version, list_changes, roll_back, set_shadow
from active_rules import get_rule, search_rules
from drafts import check_draft, publish_draft
from infusion_orders.api.application import Application
from infusion_orders.api.resources import open_resources
from infusion_orders.api.settings import Settings
from replays import replay_version, try_order
from versions import compare_versions, get_version, list_versions

resources = open_resources(Settings.from_environment(os.environ))
handler = Application(
    "manage_rules",
    resources,
    search_rules,
    get_rule,
    list_versions,
    publish_draft,
    list_changes,
    check_draft,
    activate_version,
    roll_back,
    set_shadow,
    get_version,
    compare_versions,
    try_order,
    replay_version,
).answer
