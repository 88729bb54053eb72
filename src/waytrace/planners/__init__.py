"""Planners: what drives. The protocol, the built-in ones, and the tools to make a plan from a wanted motion."""

from .constant_velocity import ConstantVelocity
from .expert import (
    CONSTRAINTS,
    Certificate,
    Choice,
    Considered,
    Constraint,
    Expert,
    ExpertConfig,
    Foresight,
    Rejected,
)
from .idm import Idm, IdmConfig
from .motion import fit_controls, make_plan
from .oracle import Oracle, OracleResult, oracle_reference
from .protocol import Planner
from .registry import NAMES, make, names
from .replay import Replay

__all__ = [
    "CONSTRAINTS",
    "NAMES",
    "Certificate",
    "Choice",
    "Considered",
    "ConstantVelocity",
    "Constraint",
    "Expert",
    "ExpertConfig",
    "Foresight",
    "Idm",
    "IdmConfig",
    "Oracle",
    "OracleResult",
    "Planner",
    "Rejected",
    "Replay",
    "fit_controls",
    "make",
    "make_plan",
    "names",
    "oracle_reference",
]
