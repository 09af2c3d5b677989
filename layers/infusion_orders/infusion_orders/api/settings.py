"""The environment variables of a function as one typed value, read once when the function starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(Exception):
    """Variables are missing or invalid; the text names each of them, never its value."""


class Settings(BaseModel):
    """The settings.  A field is named like its variable, in lower case; the name gives the unit of a period."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rules_table: str = Field(min_length=3)
    decisions_table: str = Field(min_length=3)
    aws_region: str = Field(min_length=1)
    aws_endpoint_url_dynamodb: str | None = None
    rule_set: str = Field(default="home-infusion", min_length=1)
    rules_refresh_seconds: int = Field(default=30, ge=1, le=3600)
    rules_max_stale_seconds: int = Field(default=3600, ge=1)
    partners_refresh_seconds: int = Field(default=60, ge=1, le=3600)
    decision_retention_days: int = Field(default=2555, ge=1)
    replay_bucket: str | None = None
    four_eyes: bool = False
    shadow_sample_percent: int = Field(default=100, ge=0, le=100)
    metrics_namespace: str = Field(default="InfusionOrders", min_length=1)
    metrics_enabled: bool = True
    service_name: str = Field(default="infusion-orders", min_length=1)
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings.  An empty variable counts as missing, because a template cannot leave one out.

        Raises SettingsError.
        """
        given = {name: environment.get(name.upper()) for name in cls.model_fields}
        given["aws_region"] = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
        try:
            return cls(**{name: value for name, value in given.items() if value})
        except ValidationError as error:
            problems = [
                f"{str(problem['loc'][0]).upper()}: "
                + ("is not set" if problem["type"] == "missing" else problem["msg"][:1].lower() + problem["msg"][1:])
                for problem in error.errors(include_input=False, include_url=False)
            ]
            raise SettingsError(
                "The environment variables of this function are incomplete: "
                + "; ".join(problems)
                + ". Set them in template.yaml, or in the shell that starts the function."
            ) from None
