"""A function's environment as one typed value, read once when the function is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(Exception):
    """The environment lacks a variable or holds one that cannot be used; the text names each of them."""


class Settings(BaseModel):
    """Field names are the variables' names in lower case; periods are in the unit that the name says."""

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
        """An empty variable counts as absent, because templates cannot leave one out.

        Raises SettingsError, which names every variable that is missing or unusable, never its value.
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
                "The environment of this function is not complete: "
                + "; ".join(problems)
                + ". Set it in template.yaml, or in the shell that starts the function."
            ) from None
