"""The policy file: what a team asks of a result. Everything has a default; unknown keys are refused."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .verdict import GateError

Share = Annotated[float, Field(gt=0.0, lt=0.5)]
Tail = Annotated[float, Field(ge=0.001, lt=0.5)]
"""Of an interval by 1,999 draws, which say nothing of a rarer tail."""
Margin = Annotated[float, Field(gt=0.0, le=1.0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Alpha(_Table):
    """Shares of the error rate: how often each gate may call two equal planners "regressed". They add up."""

    scores: Tail = 0.025
    families: Share = 0.005
    events: Share = 0.01
    traces: Share = 0.005
    release: Tail = 0.005

    @property
    def total(self) -> float:
        """The most that all gates together may err."""
        return self.scores + self.families + self.events + self.traces + self.release


class Scores(_Table):
    """G4."""

    margin: Margin | None = None
    """A mean score this much lower or higher still counts as equivalent. Default: by the number of scenes."""


class Events(_Table):
    """G3."""

    margin: Margin | None = None
    """A rate of at-fault collisions or red lights this much higher still counts as equivalent. Default: as of G4."""


class Traces(_Table):
    """G5."""

    required: bool = False
    """Whether a candidate without traces is refused."""
    ceiling: Path | None = None
    """Result with the expert's traces on the same suite; relative to the policy file."""
    floor: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Share of the ceiling's figures that must be reached; more than 0 needs a ceiling."""


class Latency(_Table):
    """G6."""

    most: Annotated[float, Field(gt=1.0)] = 1.25
    """Slower than the baseline by more than this factor is a regression."""
    required: bool = False


class Metrics(_Table):
    """G2."""

    order: tuple[Path, ...] = ()
    """Results of planners on the same suite, worst first, whose order is known; relative to the policy file."""
    causes: Path | None = None
    """Figures of `waytrace causes` in which the honest expert has to be above every planted liar; relative as above."""


class Rerun(_Table):
    """G1."""

    required: bool = False
    """Whether a gate without a second result of the same candidate (``--again``) fails."""


class Policy(_Table):
    """A policy. ``Policy()`` is the default one."""

    allow: tuple[Literal["inconclusive", "regressed"], ...] = ()
    """Verdicts that end the command with 0 beside improved and equivalent."""
    never_fail: tuple[str, ...] = ()
    """Scenes in which an at-fault collision, a red light or a crash is a regression, whatever the baseline did."""
    partial: bool = False
    """Whether both results may hold the same part of their suite (``--limit``)."""
    release: Path | None = None
    """The last release's result or baseline, for G7; relative to the policy file."""
    alpha: Alpha = Alpha()
    scores: Scores = Scores()
    events: Events = Events()
    traces: Traces = Traces()
    latency: Latency = Latency()
    metrics: Metrics = Metrics()
    rerun: Rerun = Rerun()


def load_policy(path: Path) -> Policy:
    """The policy in a TOML file; its paths are taken from the file's folder.

    Raises :class:`GateError` where it cannot be read, holds a key that is none, or a value that cannot be.
    """
    try:
        record = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise GateError(f"Policy {path} cannot be read: {error}.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise GateError(f"Policy {path} is no TOML: {error}.") from error
    try:
        policy = Policy.model_validate(record)
    except ValidationError as error:
        problems = [_problem(p["loc"], p["type"], p["msg"]) for p in error.errors()]
        raise GateError("\n  ".join([f"Policy {path}:", *problems])) from error
    if policy.alpha.total > 0.5:
        raise GateError(f"Policy {path}: the shares under [alpha] add up to {policy.alpha.total:g}; 0.05 is usual.")
    here = path.parent
    return policy.model_copy(
        update={
            "release": here / policy.release if policy.release else None,
            "metrics": Metrics(
                order=tuple(here / p for p in policy.metrics.order),
                causes=here / policy.metrics.causes if policy.metrics.causes else None,
            ),
            "traces": policy.traces.model_copy(
                update={"ceiling": here / policy.traces.ceiling if policy.traces.ceiling else None}
            ),
        }
    )


def _problem(where: tuple[int | str, ...], kind: str, message: str) -> str:
    name = ".".join(str(part) for part in where)
    if kind != "extra_forbidden":
        return f"{name}: {message}"
    table = Policy.model_fields[str(where[0])].default if len(where) > 1 else Policy()
    return f"{name}: there is no such key; there are {', '.join(type(table).model_fields)}"
