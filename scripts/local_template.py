"""Prepares the result of `sam build` for `sam local`: defaults for this machine, and a local authorizer.

Usage: python scripts/local_template.py .aws-sam/local Runtime=python3.13 Architecture=x86_64
(in the virtual environment of SAM CLI)
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

AUTHORIZER = "LocalAuthorizer"
HERE = Path(__file__).parent
VARIABLES = HERE.parent / "events" / "sam-local-env.json"


def local_template(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """Return a copy of the template that needs no parameters and has a function as authorizer instead of Cognito."""
    local: dict[str, Any] = json.loads(json.dumps(template))
    for name, value in parameters.items():
        local["Parameters"][name]["Default"] = value
    local["Globals"]["Function"].pop("Layers", None)
    for resource in list(local["Resources"].values()):
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties.setdefault("Layers", template["Globals"]["Function"].get("Layers", []))
            for route in properties.get("Events", {}).values():
                route["Properties"].get("Auth", {}).pop("AuthorizationScopes", None)
        if resource["Type"] == "AWS::Serverless::Api":
            asks = {"FunctionArn": {"Fn::GetAtt": [AUTHORIZER, "Arn"]}, "FunctionPayloadType": "TOKEN"}
            authorizers = properties["Auth"]["Authorizers"]
            properties["Auth"]["Authorizers"] = dict.fromkeys(authorizers, asks)
    local["Resources"][AUTHORIZER] = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"CodeUri": AUTHORIZER, "Handler": "app.handler"},
    }
    return local


def local_defaults(variables: Path) -> str:
    """Return the samconfig.toml that saves typing the options of `sam local`."""
    options = f'env_vars = {json.dumps(str(variables))}\nadd_host = ["host.docker.internal:host-gateway"]\n'
    commands = ("local_invoke", "local_start_api")
    return "version = 0.1\n" + "".join(f"\n[default.{command}.parameters]\n{options}" for command in commands)


def main(build: Path, parameters: dict[str, str]) -> None:
    """Rewrite the built template as JSON, which is also YAML, and write the authorizer and the options."""
    from samtranslator.yaml_helper import yaml_parse

    path = build / "template.yaml"
    path.write_text(json.dumps(local_template(yaml_parse(path.read_text("utf-8")), parameters), indent=1), "utf-8")
    (build / AUTHORIZER).mkdir(exist_ok=True)
    shutil.copyfile(HERE / "local_authorizer.py", build / AUTHORIZER / "app.py")
    (build / "samconfig.toml").write_text(local_defaults(VARIABLES), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), dict(argument.split("=", 1) for argument in sys.argv[2:]))
