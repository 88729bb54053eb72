"""A planner whose thinking is done by an HTTP server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import SplitResult, urlsplit

import numpy as np
from numpy.typing import NDArray

from waytrace.planners.motion import fit_controls, make_plan, stack_controls
from waytrace.scenario import Plan

from .answer import Planned, read_described, read_planned
from .exchange import ANSWER_S, RemoteError, exchange
from .message import observation_message

if TYPE_CHECKING:
    from waytrace.observe import Observation

Array = NDArray[np.float64]

SCHEMES = ("http", "https")


def is_address(spec: str) -> bool:
    """Whether what a person typed as a planner is an HTTP address."""
    return spec.partition("://")[0].lower() in SCHEMES and "://" in spec


class HttpPlanner:
    """Asks the server at ``url`` for every plan: one POST for each scene and decision, in the order of the rows.

    What a server remembers it hands over as ``state`` and gets back with the next observation of the same drive, so a
    drive can be forked and repeated as with any planner. Rows that are alike to the last bit (an evaluation fills its
    batch with them) are asked for once. Raises :class:`RemoteError` where the server fails; nothing is tried twice.
    """

    privileged: ClassVar[bool] = False

    def __init__(self, url: str, *, timeout_s: float = ANSWER_S) -> None:
        self.address = _address(url)
        self.timeout_s = timeout_s
        self.name = url
        """Of the plans; results are named after what the server says (:meth:`described`)."""

    def described(self) -> str:
        """``name@version`` as the server calls its planner."""
        who = read_described(exchange(self.address, None, timeout_s=self.timeout_s), self.name)
        return f"{who.name}@{who.version}"

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        """Nothing to prepare: every observation is whole."""

    def plan(self, observation: Observation, state: Any) -> tuple[Plan, None, Any]:
        """Plans of all rows, and the states that the server handed over."""
        states = [None] * len(observation) if state is None else state
        messages = [observation_message(scene, s) for scene, s in zip(observation.scenes, states, strict=True)]
        starts = np.array([[*m["ego"]["rear_axle"], m["ego"]["speed_mps"]] for m in messages]).reshape(-1, 4)
        answers: dict[str, Planned] = {}
        rows, following = [], []
        for message, start in zip(messages, starts, strict=True):
            body = json.dumps(message, allow_nan=False, separators=(",", ":"))
            asked = hashlib.sha256(body.encode()).hexdigest()
            if asked not in answers:
                answers[asked] = self._ask(body.encode())
            rows.append(_controls(answers[asked], start))
            following.append(answers[asked].state)
        return make_plan(observation.time_s, starts, *stack_controls(rows), self.name), None, following

    def _ask(self, body: bytes) -> Planned:
        return read_planned(exchange(self.address, body, timeout_s=self.timeout_s), self.name)


def _controls(answer: Planned, start: Array) -> tuple[Array, Array]:
    """Controls [16], [16] of one answer, for a rear axle that is at ``start`` [4]."""
    if answer.controls is not None:
        accel, curvature = np.array(answer.controls).T
        return accel, curvature
    poses = np.array(answer.poses)
    return fit_controls(poses[:, :3], poses[:, 3], start)


def _address(url: str) -> SplitResult:
    """The parts of a planner's address, checked."""
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError as error:
        raise RemoteError(f"{url} is no address of a planner: {error}") from error
    if address.scheme not in SCHEMES or not address.hostname or port == 0:
        raise RemoteError(f"{url} is no address of a planner; one is written http://host:port/path")
    if address.username is not None or address.query or address.fragment:
        raise RemoteError(
            f"the address of a planner at {address.hostname} has a user, a query or a fragment; it is kept in results, "
            "so write it as http://host:port/path"
        )
    return address
