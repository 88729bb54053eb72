"""The schema of ``result.json``: what a result holds, key by key. ``docs/result.schema.json`` is made from it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from waytrace.scenario import StoreError

from .result import Result

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Time = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class _Record(BaseModel):
    """Keys of later versions are let pass: what is asked for is that those below are there and right."""

    model_config = ConfigDict(extra="allow", strict=True)


class OracleRecord(_Record):
    """What the oracle makes of the scene."""

    clean: bool = Field(description="whether its drive keeps every rule: the scene is admitted")
    preventable: bool = Field(description="whether an accident can be prevented")
    progress_m: float
    score: float


class EventRecord(_Record):
    """One contact or red light."""

    row: int
    time_s: float
    kind: str
    at_fault: bool
    agent_id: str
    cause: str


class LatencyRecord(_Record):
    """How long the planner took, and a fixed piece of work in the same process beside it. In no hash.

    On Linux without the time in which the process stood in line for a processor.
    """

    decisions: int = Field(ge=1, description="calls of plan() in the batch of four that the scene was driven in")
    median_ms: Time
    most_ms: Time
    reference_ms: Time = Field(description="median time of the reference work, between the calls")


class WordStabilityRecord(_Record):
    """How steady decisions and causes are; a step is from one decision to the next."""

    steps: int = Field(ge=0)
    flips: int = Field(ge=0, description="steps after which the decision is another one, on whichever axis")
    longitudinal_flips: int = Field(ge=0)
    lateral_flips: int = Field(ge=0)
    flickers: int = Field(ge=0, description="flips after which the decision of before came back within 1 s")
    cause_steps: int = Field(ge=0, description="steps with a cause before or after")
    causes_kept: float = Field(ge=0, description="sum over those of causes in both over causes in either")


class PlanStabilityRecord(_Record):
    """How far each plan is from the next one at the same moment of world time, means over steps. In no hash."""

    steps: int = Field(ge=1)
    apart_2s_m: float = Field(ge=0, description="2 s after the later plan was made")
    apart_4s_m: float = Field(ge=0)


class QualityRecord(_Record):
    """Mean over scenes of a figure of traces or plans."""

    value: float
    interval: list[float] | None = Field(description="95 %, over clusters of scenes")
    scenes: int = Field(ge=1)


class TraceRecord(_Record):
    """Verdicts of the kinematic check over the scene's traces. In no hash; the traces have their own."""

    decisions: int = Field(ge=1)
    true: int = Field(ge=0, description="claims about the present that hold")
    false: int = Field(ge=0)
    undetermined: int = Field(ge=0)
    plan_true: int = Field(ge=0, description="claims that are bound to the plan and hold for it")
    plan_false: int = Field(ge=0)
    stability: WordStabilityRecord | None = None


class RowRecord(_Record):
    """One scene."""

    id: str
    source: str
    family: str = Field(description="empty for recorded drives")
    cluster: str = Field(description="log, road section or layout: scenes of one are not independent")
    layout: str = Field("", description="the cluster of a generated scene; empty for recorded drives")
    score: Unit
    terms: dict[str, Unit]
    applied: list[str]
    figures: dict[str, float | None]
    events: list[EventRecord]
    oracle: OracleRecord
    end: str
    seconds: float = Field(ge=0, description="wall time of the drive; in no hash")
    digest: str = Field(description="hash of everything planned, driven and judged, to the last bit")
    latency: LatencyRecord | None = None
    plan_stability: PlanStabilityRecord | None = None
    trace: TraceRecord | None = None


class ErrorRecord(_Record):
    """A scene on which the planner raised, died or took too long. It is in no mean."""

    id: str
    message: str
    log: str


class ResultRecord(_Record):
    """A result file."""

    schema_: Literal["waytrace.result/1"] = Field(alias="schema")
    planner: str = Field(description="spec; of a checkpoint learned@ and twelve digits of its weights' hash")
    suite: str
    suite_hash: str | None
    store_hash: str
    traffic: str
    style: str
    seed: int
    replan_ticks: int = Field(ge=1)
    admitted_only: bool
    code: str = Field(description="hash over the package's source")
    environment: dict[str, Any] = Field(description="versions and machine, with their hash under 'hash'")
    result_hash: str
    planner_digest: str | None = Field(
        None, description="of weights, of a planner's source file, or of its server's name"
    )
    revision: str | None = Field(None, description="git commit of the folder it was made in; + where files differed")
    asked: int | None = Field(None, description="scenes that were to be driven")
    suite_scenes: int | None = Field(None, description="scenes that the suite has")
    quality: dict[str, QualityRecord] = Field(
        default_factory=dict, description="groundedness and stability by name; in no hash"
    )
    traces_hash: str | None = Field(None, description="sha256 of traces.jsonl")
    seconds: float | None = Field(None, description="wall time of this piece of the evaluation")
    label: str | None = Field(None, description="what people call the planner")
    store: str | None = Field(None, description="where the scenarios lie; empty in a baseline")
    count: int | None = Field(None, description="scenes that the means below are over")
    admitted: float | None = Field(None, description="share of scenes that the oracle drives without breaking a rule")
    score: float | None = Field(None, description="mean over scenes, as all below; null over none")
    score_interval: list[float] | None = Field(None, description="95 %, over clusters of scenes")
    oracle_score: float | None = None
    at_fault_collision_rate: float | None = None
    at_fault_preventable_rate: float | None = Field(None, description="the same where an accident can be prevented")
    off_road_rate: float | None = None
    terms: dict[str, float | None] = Field(default_factory=dict, description="over the scenes that have the term")
    unfiltered: dict[str, Any] = Field(default_factory=dict, description="the same means over all scenes")
    families: dict[str, dict[str, Any]] = Field(default_factory=dict, description="the same means by family")
    sources: dict[str, dict[str, Any]] = Field(default_factory=dict, description="the same means by source")
    errors: list[ErrorRecord]
    scenarios: list[RowRecord]


def checked(result: Result) -> ResultRecord:
    """The result's record, every key of the schema there and right.

    Raises :class:`StoreError` that names the first keys that are not.
    """
    try:
        return ResultRecord.model_validate(result.meta)
    except ValidationError as error:
        found = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()[:3]]
        more = error.error_count() - len(found)
        raise StoreError(
            "\n  ".join([f"{result.path / 'result.json'} is no result of schema waytrace.result/1:", *found])
            + (f"\n  and {more} more" if more else "")
            + "\nRepeat the evaluation."
        ) from error
