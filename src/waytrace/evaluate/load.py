"""A planner from what a person types: a built-in, a checkpoint, an address, an entry point, a class of their own."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

from waytrace.microgpt import MODES, Learned
from waytrace.microgpt.checkpoint import base_kind
from waytrace.microgpt.planner import SHIPPED_NAME
from waytrace.microgpt.second_thoughts import TRIES
from waytrace.planners import NAMES, make
from waytrace.planners.remote import HttpPlanner, is_address
from waytrace.scenario import WaytraceError

ENTRY_POINT_GROUP = "waytrace.planners"
ONCE = ":once"


class PlannerError(WaytraceError):
    """A planner cannot be loaded. The message says why and what would do."""


def load_planner(spec: str) -> Any:
    """A fresh planner.

    ``spec`` is the name of a built-in (``waytrace.planners.NAMES``), the folder of a checkpoint or ``shipped``, either
    followed by ``:fast`` or ``:decision_only`` where it should not write whole traces and by ``:once`` where it should
    have no second thoughts (``waytrace.microgpt.second_thoughts``), the address of a planner's
    server (``http://host:port/path``; it is not asked yet), the name of an installed entry point of the group
    ``waytrace.planners``, or ``module:Class``, where ``module`` is importable from the current directory and ``Class``
    needs no arguments.

    Raises :class:`PlannerError` where the name is unknown, the checkpoint is not whole, the address is none, the module
    does not import or the class is no planner.
    """
    planner = _make(spec)
    for method in ("reset", "plan"):
        if not callable(getattr(planner, method, None)):
            raise PlannerError(
                f"Planner {spec!r} has no method {method}(). A planner has reset(ids, world=None) and "
                "plan(observation, state) -> (Plan, Trace or None, state); see examples/my_planner.py."
            )
    return planner


def planner_digest(spec: str) -> str:
    """Hash of a checkpoint, of what a server calls its planner, or of the source file of somebody else's planner.

    Empty for a built-in.
    """
    if checkpoint_of(spec) is not None:
        return str(load_planner(spec).weights)
    if is_address(spec):
        return hashlib.sha256(load_planner(spec).described().encode()).hexdigest()
    if spec in NAMES:
        return ""
    try:
        path = inspect.getsourcefile(type(load_planner(spec)))
    except TypeError:
        return ""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else ""


def planner_name(spec: str) -> str:
    """What results call a planner: the spec; of a checkpoint its weights and mode, of a server what it calls itself.

    Neither depends on where it lies. Raises :class:`WaytraceError` where the server does not answer.
    """
    if is_address(spec):
        return f"http:{load_planner(spec).described()}"
    learned = checkpoint_of(spec)
    if learned is None:
        return spec
    return f"learned@{planner_digest(spec)[:12]}{learned.suffix}"


def planner_label(spec: str) -> str:
    """What a person is shown: the spec; of a checkpoint's folder the run and the step instead of the whole path."""
    learned = checkpoint_of(spec)
    if learned is None or learned.source == SHIPPED_NAME:
        return spec
    parts = [part for part in Path(learned.source).absolute().parts if part != "checkpoints"]
    return "/".join(parts[-2:]) + learned.suffix


class CheckpointSpec(NamedTuple):
    """Who drives, where it is a checkpoint."""

    source: str
    """Its folder, or ``shipped``."""
    mode: str
    once: bool
    """Whether its first thought is driven, whatever comes of it; said of no ``fast`` one, which has no other."""

    @property
    def suffix(self) -> str:
        """What follows the source in a spec; empty for whole traces and second thoughts."""
        mode = "" if self.mode == MODES[0] else f":{self.mode}"
        return mode + (ONCE if self.once else "")


def checkpoint_of(spec: str) -> CheckpointSpec | None:
    """The parts of a spec that means a checkpoint; None for any other."""
    if spec in NAMES or is_address(spec):
        return None
    once = spec.endswith(ONCE)
    spec = spec.removesuffix(ONCE)
    source, colon, mode = spec.rpartition(":")
    if not colon or (mode not in MODES and source != SHIPPED_NAME):
        source, mode = spec, MODES[0]
    if source == SHIPPED_NAME or Path(source).is_dir() or (os.sep in source and ":" not in source):
        return CheckpointSpec(source, mode, once and mode != "fast")
    return None


def _runs(source: str) -> Any:
    """What drives: of a micro GPT the checkpoint's folder, without PyTorch; a Hugging Face model in PyTorch."""
    if source == SHIPPED_NAME or base_kind(source) != "hf":
        return source
    try:
        from waytrace.model.running import Running
    except ModuleNotFoundError as error:
        raise PlannerError("a planner over a Hugging Face model needs PyTorch: pip install 'waytrace[hf]'") from error
    return Running.of(source)


def _make(spec: str) -> Any:
    learned = checkpoint_of(spec)
    if learned is not None:
        try:
            tries = 0 if learned.once else TRIES
            return Learned(
                _runs(learned.source), learned.mode, name=Path(learned.source).name, second_thoughts=tries
            )  # fmt: skip
        except WaytraceError as error:
            raise PlannerError(f"Planner {spec!r}: {error}") from error
    if is_address(spec):
        try:
            return HttpPlanner(spec)
        except WaytraceError as error:
            raise PlannerError(str(error)) from error
    if ":" in spec:
        return _make_own(spec)
    if spec in NAMES:
        return make(spec)
    for point in entry_points(group=ENTRY_POINT_GROUP, name=spec):
        try:
            made = point.load()
        except Exception as error:
            raise PlannerError(f"Planner {spec!r}: loading {point.value!r} fails: {_said(error)}") from error
        return _made(spec, made)
    installed = sorted(p.name for p in entry_points(group=ENTRY_POINT_GROUP))
    known = ", ".join([*NAMES, SHIPPED_NAME, *installed])
    raise PlannerError(
        f"No planner is called {spec!r}. Known: {known}. A checkpoint: its folder. Your own: module:Class. "
        "Behind a server: http://host:port/path."
    )


def _make_own(spec: str) -> Any:
    module_name, _, class_name = spec.partition(":")
    if not module_name or not class_name:
        raise PlannerError(f"Planner {spec!r}: a planner of your own is written module:Class.")
    here = os.getcwd()  # noqa: PTH109 - sys.path holds strings
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name.split(".")[0] and error.name != module_name:
            raise PlannerError(f"Planner {spec!r}: module {module_name!r} needs {error.name!r}, not found.") from error
        raise PlannerError(
            f"Planner {spec!r}: there is no module {module_name!r} in {here} or among the installed packages."
        ) from error
    except Exception as error:
        raise PlannerError(f"Planner {spec!r}: importing {module_name!r} fails: {_said(error)}") from error
    made = getattr(module, class_name, None)
    if made is None:
        raise PlannerError(f"Planner {spec!r}: module {module_name!r} has no {class_name!r}.")
    if not callable(made):
        raise PlannerError(f"Planner {spec!r}: {class_name!r} is no class or function.")
    return _made(spec, made)


def _made(spec: str, make: Callable[[], Any]) -> Any:
    """A planner of somebody else's, made without arguments."""
    try:
        return make()
    except Exception as error:
        raise PlannerError(f"Planner {spec!r}: making it without arguments fails: {_said(error)}") from error


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
