import pytest

from infusion_orders.api.settings import Settings, SettingsError

COMPLETE = {"RULES_TABLE": "rules", "DECISIONS_TABLE": "decisions", "AWS_REGION": "us-west-2"}


def test_tables_and_region_are_the_only_required_variables() -> None:
    settings = Settings.from_environment(COMPLETE)

    assert settings.rules_table == "rules"
    assert settings.rule_set == "home-infusion"
    assert settings.rules_refresh_seconds == 30


def test_empty_variable_counts_as_missing() -> None:
    settings = Settings.from_environment({**COMPLETE, "AWS_ENDPOINT_URL_DYNAMODB": "", "RULES_REFRESH_SECONDS": ""})

    assert settings.aws_endpoint_url_dynamodb is None
    assert settings.rules_refresh_seconds == 30


@pytest.mark.parametrize("name", sorted(COMPLETE))
def test_every_missing_variable_is_named(name: str) -> None:
    environment = {key: value for key, value in COMPLETE.items() if key != name}

    with pytest.raises(SettingsError, match=f"{name}: is not set"):
        Settings.from_environment(environment)


def test_invalid_variable_is_named_without_its_value() -> None:
    with pytest.raises(SettingsError, match="RULES_REFRESH_SECONDS: ") as caught:
        Settings.from_environment({**COMPLETE, "RULES_REFRESH_SECONDS": "hunter2"})

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_settings_cannot_be_changed() -> None:
    settings = Settings.from_environment(COMPLETE)

    with pytest.raises(ValueError, match="frozen"):
        settings.rules_table = "another"  # type: ignore[misc]
