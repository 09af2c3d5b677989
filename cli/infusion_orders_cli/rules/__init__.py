"""`infusion-orders rules`: search, check, test, publish, compare, export, replay and activate rule sets."""
