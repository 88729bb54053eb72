"""Planners: what drives. The protocol, the built-in ones, and the tools to make a plan from a wanted motion."""

from .constant_velocity import ConstantVelocity
from .expert import Certificate, Constraint, Expert, ExpertConfig, Rejected
from .idm import Idm, IdmConfig
from .motion import fit_controls, make_plan
from .protocol import Planner
from .registry import NAMES, make, names

__all__ = [
    "NAMES",
    "Certificate",
    "ConstantVelocity",
    "Constraint",
    "Expert",
    "ExpertConfig",
    "Idm",
    "IdmConfig",
    "Planner",
    "Rejected",
    "fit_controls",
    "make",
    "make_plan",
    "names",
]
