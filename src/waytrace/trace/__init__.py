"""The structured trace: what a planner claims, in typed slots that point at what is in the scene."""

from .codec import compose, decode, encode, filled
from .document import from_json, to_json
from .grammar import Ask, walk
from .present import Present
from .scene_hash import check_header, scene_hash
from .schema import json_schema
from .slots import SLOTS, vocabulary_hash
from .types import (
    Cause,
    Decision,
    Entity,
    Header,
    PlanClaim,
    Prediction,
    Producer,
    Rejection,
    SceneSummary,
    Segment,
    Trace,
    TraceError,
)
from .verdicts import Verdict
from .words import paragraphs, sentence

__all__ = [
    "SLOTS",
    "Ask",
    "Cause",
    "Decision",
    "Entity",
    "Header",
    "PlanClaim",
    "Prediction",
    "Present",
    "Producer",
    "Rejection",
    "SceneSummary",
    "Segment",
    "Trace",
    "TraceError",
    "Verdict",
    "check_header",
    "compose",
    "decode",
    "encode",
    "filled",
    "from_json",
    "json_schema",
    "paragraphs",
    "scene_hash",
    "sentence",
    "to_json",
    "vocabulary_hash",
    "walk",
]
