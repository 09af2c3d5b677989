"""Prints the SAM template as plain CloudFormation, for linters and tests of the resources; needs no network.

Usage: python scripts/transform_template.py template.yaml > transformed.json  (in the virtual environment of SAM CLI)
"""

import json
import os
import sys
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

UPLOADED = {"CodeUri": "s3://bucket/key", "ContentUri": "s3://bucket/key", "DefinitionUri": "s3://bucket/key"}


class NoManagedPolicies:
    """An empty table of managed policies: the transformation asks for one, but this project uses none."""

    def load(self) -> dict[str, str]:
        """Return no policies."""
        return {}


def main(path: Path) -> None:
    """Print the transformed template, with placeholders for the files that `sam package` would upload."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-west-2")
    template = yaml_parse(path.read_text())
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        properties.update({name: address for name, address in UPLOADED.items() if name in properties})
    json.dump(transform(template, {}, NoManagedPolicies()), sys.stdout, indent=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
