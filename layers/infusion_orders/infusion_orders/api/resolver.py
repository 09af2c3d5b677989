"""Powertools' resolver of REST API events, without its resolvers of all other events and the asyncio that they need.

Importing one module of a package runs the package's own code first, and that of `event_handler` imports every resolver
there is.  Here it runs when somebody asks the package for a name that it does not have without; no function does.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from typing import Any

PACKAGE = "aws_lambda_powertools.event_handler"


def run_when_asked(name: str) -> None:
    """The package, whose modules can be imported from now on, and whose own code runs with the first need of it."""
    spec = find_spec(name)
    if name in sys.modules or spec is None or spec.loader is None:
        return
    package, loader = module_from_spec(spec), spec.loader

    def find(attribute: str) -> Any:
        if attribute.startswith("__") or find_spec(f"{name}.{attribute}"):
            raise AttributeError(attribute)  # a module of the package: who imports it will find it
        del vars(package)["__getattr__"]
        loader.exec_module(package)
        return getattr(package, attribute)

    vars(package)["__getattr__"] = find
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    setattr(sys.modules[parent], child, package)


run_when_asked(PACKAGE)

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver, Response  # noqa: E402
from aws_lambda_powertools.event_handler.exceptions import NotFoundError  # noqa: E402

__all__ = ["APIGatewayRestResolver", "NotFoundError", "Response"]
