"""The types of an order's fields, all of them bounded: texts, calendar dates, decimals, coded words, lists."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

MOST_DIGITS = 18
MOST_DECIMALS = 18
FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2200, 12, 31)

_PLAIN_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")

Anything = TypeVar("Anything")


def is_bounded(number: Decimal) -> bool:
    """Return whether a number is finite and short when written out, which `1e999999999` is not."""
    if not number.is_finite():
        return False
    _sign, digits, exponent = number.as_tuple()
    return len(digits) <= MOST_DIGITS and -MOST_DECIMALS <= int(exponent) <= MOST_DIGITS - len(digits)


def _bounded_decimal(value: Any) -> Decimal:
    """Read a JSON number or a string of plain digits exactly; binary floats have lost digits and are refused."""
    is_number = type(value) is Decimal or type(value) is int
    if not is_number and (type(value) is not str or _PLAIN_DECIMAL.fullmatch(value) is None):
        raise PydanticCustomError("decimal_form", "must be a decimal number")
    number = Decimal(value)
    if not is_bounded(number):
        raise PydanticCustomError("decimal_size", "is out of range")
    return number


def _calendar_date(value: object) -> date:
    """Read `YYYY-MM-DD`, and no time of day, week date or number."""
    if type(value) is date:
        day = value
    elif type(value) is str and len(value) == 10 and value[4] == value[7] == "-" and value.isascii():
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("date_form", "must be a calendar date") from None
    else:
        raise PydanticCustomError("date_form", "must be a calendar date")
    if not FIRST_DAY <= day <= LAST_DAY:
        raise PydanticCustomError("date_range", "must be a date from 1900 to 2200")
    return day


_Exact = BeforeValidator(_bounded_decimal)
"""At most 18 digits before and after the point together: `1e400` and `1e-400` are not doses."""

Amount = Annotated[Decimal, Field(gt=0, le=1_000_000_000_000), _Exact]
Kilograms = Annotated[Decimal, Field(gt=0, le=1000), _Exact]
Centimetres = Annotated[Decimal, Field(gt=0, le=300), _Exact]
Hours = Annotated[Decimal, Field(gt=0, le=9000), _Exact]
Millilitres = Annotated[Decimal, Field(gt=0, le=100_000), _Exact]
DailyAmount = Annotated[Decimal, Field(ge=0, le=100_000), _Exact]
Concentration = Annotated[Decimal, Field(ge=0, le=10_000), _Exact]
Period = Annotated[Decimal, Field(gt=0, le=1_000_000), _Exact]

CalendarDate = Annotated[date, BeforeValidator(_calendar_date)]
"""A day from 1900 to 2200, written `YYYY-MM-DD`."""

Identifier = Annotated[str, Field(max_length=64)]
"""Any short text: a malformed identifier does not make an order invalid, the facts ask for the right one."""

_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
_ID = r"^[A-Za-z0-9._:-]+$"
_MODIFIER = r"^[A-Za-z0-9]{2}$"

PATTERNS = {
    _PRINTABLE: "must have no control characters",
    _ID: "must be of letters, digits and . _ : - only",
    _MODIFIER: "must be 2 letters or digits",
}
"""What each pattern requires, in words for the partner."""

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=_PRINTABLE)]
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=_PRINTABLE)]
OrderId = Annotated[str, Field(min_length=1, max_length=64, pattern=_ID)]
Modifier = Annotated[str, Field(pattern=_MODIFIER)]

Coded = Annotated[Anything, Strict(False)]
"""A word of a closed vocabulary; strict mode would not accept the word for the member of the enumeration."""

Listed = Annotated[tuple[Anything, ...], Strict(False)]
"""A JSON list, kept as a tuple so that the whole order is immutable."""


class Part(BaseModel):
    """An object of an order: immutable, and without fields that the contract does not have."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )


def optional(description: str, **limits: Any) -> Any:
    """Declare a field that an order may leave out: absent and null both become None, and the fact is unknown."""
    return Field(None, description=description, **limits)
