"""What a planner's server may answer. Nothing of it is believed before it was checked, nothing of it is executed."""

from __future__ import annotations

import json
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from waytrace.scenario import PLAN_KNOTS

from .exchange import RemoteError, one_line

PLANNER_SCHEMA = "waytrace.planner/1"
PLAN_SCHEMA = "waytrace.plan/1"
FARTHEST = 1.0e6
"""No number of a plan may be larger: metres, radians, m/s, m/s2 or 1/m."""

_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_Number = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)]
_Knots = Field(min_length=PLAN_KNOTS, max_length=PLAN_KNOTS)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class Described(_Answer):
    """The answer to a GET: who plans. Results are named after it, so it has to change when the planner does."""

    schema_: Literal["waytrace.planner/1"] = Field(alias="schema")
    name: _Name
    version: _Name


class Planned(_Answer):
    """The answer to a POST: a plan of 8 s in knots of 0.5 s, as controls or as poses."""

    schema_: Literal["waytrace.plan/1"] = Field(alias="schema")
    controls: Annotated[list[tuple[_Number, _Number]], _Knots] | None = None
    """(acceleration m/s2, curvature 1/m, left positive), each held for 0.5 s."""
    poses: Annotated[list[tuple[_Number, _Number, _Number, _Number]], _Knots] | None = None
    """(x, y, heading, speed) of the rear axle in the world frame, after 0.5, 1.0, ... 8.0 s."""
    state: JsonValue = None
    """Whatever the planner wants back with the next observation of this drive."""

    @field_validator("state")
    @classmethod
    def _state_is_json(cls, state: JsonValue) -> JsonValue:
        json.dumps(state, allow_nan=False)  # what reads JSON here lets NaN pass; it could not be sent back
        return state

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.controls is None) == (self.poses is None):
            raise ValueError("either 'controls' or 'poses' is to be given")
        return self


A = TypeVar("A", bound=_Answer)


def read_described(body: bytes, where: str) -> Described:
    """Who plans, from the body of an answer. Raises :class:`RemoteError`, naming the first thing that is wrong."""
    return _read(Described, body, where, "description")


def read_planned(body: bytes, where: str) -> Planned:
    """A plan, from the body of an answer. Raises :class:`RemoteError`, naming the first thing that is wrong."""
    return _read(Planned, body, where, "plan")


def _read(kind: type[A], body: bytes, where: str, called: str) -> A:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "all of it"
        said = first["msg"].removeprefix("Value error, ")
        what = f"{where} answered with a wrong {called}"
        raise RemoteError(f"{what}: {one_line(place, 60)}: {one_line(said)}") from None
