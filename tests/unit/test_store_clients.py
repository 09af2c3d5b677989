"""A client of ours goes where the one of boto3 goes, and signs as it does; only making it takes less."""

from __future__ import annotations

import re
from typing import Any

import boto3
import pytest
from botocore.config import Config

from infusion_orders.store.dynamodb import aws_client
from infusion_orders_cli.embedded_table import CREDENTIALS, environment


class Sent(Exception):
    """Raised instead of sending; what would have been sent."""


def sent_by(client: Any, operation: str, **parameters: str) -> tuple[str, str, str]:
    """Method and address, and the scope that it is signed for."""

    def stop(request: Any, **_more: Any) -> None:
        raise Sent(request.method, request.url, request.headers["Authorization"])

    client.meta.events.register_first("before-send.*", stop)
    with pytest.raises(Sent) as told:
        getattr(client, operation)(**parameters)
    method, url, authorization = told.value.args
    scope = re.match(rb"(\S+) Credential=\w+/\d+/(\S+),", authorization)
    assert scope is not None
    return method, url, f"{scope[1].decode()} {scope[2].decode()}"


REGIONS = ("us-west-2", "us-east-1", "eu-south-2", "ap-southeast-7", "us-gov-west-1", "cn-north-1", "eusc-de-east-1")
NO_FIPS = ("cn-north-1",)


@pytest.mark.parametrize(
    ("region", "fips", "dualstack"),
    [
        (region, fips, dualstack)
        for region in REGIONS
        for fips in (False, True)
        for dualstack in (False, True)
        if not (fips and region in NO_FIPS)
    ],
)
@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [("dynamodb", "describe_table", {"TableName": "t"}), ("s3", "get_object", {"Bucket": "b", "Key": "k"})],
)
def test_a_client_goes_where_boto3s_goes(
    service: str, operation: str, parameters: dict[str, str], region: str, fips: bool, dualstack: bool
) -> None:
    config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dualstack)
    make: Any = boto3.client
    with environment(CREDENTIALS):
        ours = aws_client(service, region=region, config=config)
        theirs = make(service, region_name=region, config=config)
        assert ours.meta.partition == theirs.meta.partition
        assert sent_by(ours, operation, **parameters) == sent_by(theirs, operation, **parameters)


def test_an_address_of_ones_own_is_used() -> None:
    with environment(CREDENTIALS):
        client = aws_client("dynamodb", region="us-west-2", endpoint_url="http://127.0.0.1:8000")
        _method, url, scope = sent_by(client, "list_tables")
    assert url == "http://127.0.0.1:8000/"
    assert scope.endswith("us-west-2/dynamodb/aws4_request")
