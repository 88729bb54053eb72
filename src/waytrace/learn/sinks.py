"""Where metrics go besides ``metrics.jsonl``: TensorBoard and Weights & Biases, if asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from .config import ConfigError

NAMES = ("tensorboard", "wandb")


class Sink(Protocol):
    """Takes figures by name and step."""

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures of a step."""

    def close(self) -> None:
        """No more will come."""


def open_sinks(names: Sequence[str], folder: Path, config: Mapping[str, Any]) -> list[Sink]:
    """The sinks of a run. Raises :class:`ConfigError` for one that does not exist or is not installed."""
    return [_open(name, folder, config) for name in names]


def flat(figures: Mapping[str, Any], prefix: str) -> dict[str, float]:
    """The numbers among nested figures, by path: ``select/loss/longitudinal``."""
    out: dict[str, float] = {}
    for name, value in figures.items():
        path = f"{prefix}/{name}"
        if isinstance(value, Mapping):
            out |= flat(value, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            out[path] = float(value)
    return out


def _open(name: str, folder: Path, config: Mapping[str, Any]) -> Sink:
    if name == "tensorboard":
        return _TensorBoard(folder)
    if name == "wandb":
        return _Wandb(folder, config)
    raise ConfigError(f"There is no sink {name!r}; there are {', '.join(NAMES)}.")


def _needed(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"Metrics to {package} need the package {package}, which is not installed: pip install {package}. "
            "metrics.jsonl is written with or without it."
        ) from error


class _TensorBoard:
    def __init__(self, folder: Path) -> None:
        module = _needed("torch.utils.tensorboard", "tensorboard")
        self._writer = module.SummaryWriter(str(folder / "tensorboard"))

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()


class _Wandb:
    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        module = _needed("wandb", "wandb")
        # The id is the folder's name, so that a continued run goes on in the same curves.
        self._run = module.init(
            project="waytrace", id=folder.name, dir=str(folder), config=dict(config), resume="allow"
        )

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        self._run.log(dict(figures), step=step)

    def close(self) -> None:
        self._run.finish()
