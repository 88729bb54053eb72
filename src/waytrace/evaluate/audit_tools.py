"""Tool calls of a trace, done again: a line's ``tools`` say what was measured, and this measures it anew."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from waytrace.observe import Reference, ReferenceKind
from waytrace.scenario import LightState, WaytraceError
from waytrace.trace import Verdict
from waytrace.trace.measure import measure

from .audit_moment import AuditMoment, judged, there
from .audit_rejected import Probes

TOLERANCE: Mapping[str, float] = {
    "gap_m": 0.1, "x_m": 0.5, "y_m": 0.5, "heading_rad": 0.1, "speed_mps": 0.5, "at_s": 0.2, "margin": 0.1
}  # fmt: skip
"""By how much a number of a result may be off, in its own unit."""

REACH_S = 8.0
RULE = "audit.tool"


class ToolError(WaytraceError):
    """A tool call that cannot be done again. The message says which, what is wrong and what would be right."""


def gap(args: Mapping[str, Any], moment: AuditMoment) -> dict[str, Any]:
    """``{"ref"}`` -> ``{"gap_m"}``: free way along the ego's path; null for what is not on it."""
    found = measure(moment.scene).gap_m(_ref(args, moment))
    return {"gap_m": found if math.isfinite(found) else None}


def signal_state(args: Mapping[str, Any], moment: AuditMoment) -> dict[str, Any]:
    """``{"ref"}`` of a light -> ``{"state"}``: red, yellow, green, off or unknown."""
    ref = _ref(args, moment, ReferenceKind.LIGHT)
    return {"state": LightState(int(moment.scene.light_state[ref.index])).name.lower()}


def predict(args: Mapping[str, Any], moment: AuditMoment) -> dict[str, Any]:
    """``{"ref", "t_s"}`` of an agent -> ``{"x_m", "y_m", "heading_rad", "speed_mps"}`` then.

    By the expert's forecast, which has a pose each 0.2 s; null for whom it does not forecast.
    """
    ref = _ref(args, moment, ReferenceKind.AGENT)
    t_s = args.get("t_s")
    if type(t_s) not in (int, float) or not 0.0 <= t_s <= REACH_S:  # type: ignore[operator]
        raise ToolError(f"predict: t_s is {str(t_s)[:40]!r}; it is a number of seconds from 0 to {REACH_S:g}")
    seen = moment.foresight
    if seen is None or ref.index not in seen.index:
        return dict.fromkeys(("x_m", "y_m", "heading_rad", "speed_mps"))
    row, step = int(np.flatnonzero(seen.index == ref.index)[0]), round(float(t_s or 0.0) * 5.0)
    pose = seen.poses[row, step]
    return dict(zip(("x_m", "y_m", "heading_rad", "speed_mps"), pose.tolist(), strict=True))


def rollout_option(args: Mapping[str, Any], moment: AuditMoment) -> dict[str, Any]:
    """``{"axis", "option"}`` -> ``{"violates", "ref", "at_s", "margin"}``, as the audit drives rejected options.

    ``violates`` is ``nothing`` for an option that is merely worse, null for one that the expert does not drive ahead.
    """
    axis, option = args.get("axis"), args.get("option")
    if not isinstance(axis, str) or not isinstance(option, str):
        raise ToolError("rollout_option: axis and option are texts, as in a trace's rejected options")
    drives = Probes(moment).find(axis, option)
    if not drives or not drives[0].violates:
        return {"violates": "nothing" if drives else None, "ref": None, "at_s": None, "margin": None}
    first = drives[0]
    return {"violates": first.violates, "ref": str(first.reference), "at_s": first.at_s, "margin": first.margin}


TOOLS: Mapping[str, Callable[[Mapping[str, Any], AuditMoment], dict[str, Any]]] = {
    "gap": gap, "predict": predict, "rollout_option": rollout_option, "signal_state": signal_state
}  # fmt: skip
"""The tools that can be done again, by name."""


def tool_verdicts(calls: object, moment: AuditMoment) -> Iterator[Verdict]:
    """A verdict for every tool call: true where each part of the result is found again, numbers within ``TOLERANCE``.

    ``calls`` is what a line holds under ``tools``. Raises :class:`ToolError` for anything but a list of
    ``{"name", "args", "result", "ms"}`` with known names.
    """
    if calls is None:
        return
    if not isinstance(calls, list):
        raise ToolError("tools is a list of objects with name, args, result and ms")
    for n, call in enumerate(calls):
        name, args, result = _call(call, f"tools[{n}]")
        try:
            again = TOOLS[name](args, moment)
        except ToolError as error:
            raise ToolError(f"tools[{n}]: {error}") from error
        yield _compared(f"tools[{n}].result", name, result, again)


def _call(call: object, where: str) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    if not isinstance(call, dict) or not {"name", "args", "result"} <= set(call):
        raise ToolError(f"{where} is an object with name, args, result and ms")
    name, args, result, ms = call["name"], call["args"], call["result"], call.get("ms", 0)
    if not isinstance(name, str) or name not in TOOLS:
        raise ToolError(f"{where}: there is no tool {str(name)[:40]!r}; known are {', '.join(sorted(TOOLS))}")
    if not isinstance(args, dict) or not isinstance(result, dict):
        raise ToolError(
            f"{where}: args and result of {name} are objects: {' '.join((TOOLS[name].__doc__ or '').split())}"
        )
    if not _is_number(ms) or ms < 0:
        raise ToolError(f"{where}: ms is {str(ms)[:40]!r}; it is how long the call took, in milliseconds")
    return name, args, result


def _ref(args: Mapping[str, Any], moment: AuditMoment, kind: ReferenceKind | None = None) -> Reference:
    text = args.get("ref")
    if not isinstance(text, str):
        raise ToolError(f"ref is {str(text)[:40]!r}; it is a reference such as agent:17")
    try:
        ref = Reference.parse(text)
    except ValueError as error:
        raise ToolError(f"ref: {error}") from error
    if kind is not None and ref.kind != kind:
        raise ToolError(f"ref is {ref}; it is to be a {kind.name.lower()}")
    if not there(moment.scene, ref):
        raise ToolError(f"there is no {ref} in the scene")
    return ref


def _compared(claim: str, name: str, result: Mapping[str, Any], again: Mapping[str, Any]) -> Verdict:
    rooms = {key: _room(key, result.get(key), value) for key, value in again.items()}
    numbers = [room for room in rooms.values() if math.isfinite(room)]
    evidence: dict[str, float | str] = {"tool": name}
    for key, value in again.items():
        evidence |= {key: _shown(value), f"said_{key}": _shown(result.get(key))}
    wrong = min(rooms, key=lambda key: rooms[key])
    if rooms[wrong] < 0.0:
        why = f"{name}, done again, gives another {wrong}: {evidence[wrong]}, not {evidence[f'said_{wrong}']}."
        return judged(claim, RULE, "false", why, slack=max(rooms[wrong], -1e6), found=evidence)
    why = f"{name}, done again, gives the same."
    return judged(claim, RULE, "true", why, slack=min(numbers, default=0.0), found=evidence)


def _room(key: str, said: Any, found: Any) -> float:
    """By how much a part of a result is within its tolerance; without bound for what is no number."""
    if not _is_number(said) or not _is_number(found):
        return math.inf if said == found else -math.inf
    off = abs(said - found)
    return TOLERANCE[key] - (abs(math.remainder(off, math.tau)) if key == "heading_rad" else off)


def _is_number(value: Any) -> bool:
    """Whether something is a finite number; one with more digits than a float holds is none."""
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def _shown(value: Any) -> float | str:
    if _is_number(value):
        return round(float(value), 3)
    return "none" if value is None else str(value)[:60]
