"""Suites: named sets of scenes, each frozen with its content and with what the oracle makes of it.

A suite is a text file. Its head says what is driven how; each further line is one scene::

    waytrace suite 1
    name: pr
    about: ...
    splits: select
    traffic: mixed
    seed: 0
    code: 3b5c...            (the simulator and oracle that the figures were made with)
    scenes: 612
    sha256: 9f0e...          (over the lines below)

    cut-in/select/000003@1 normal 5e0c9a41b2d3f607 admitted 212.345 0.98712 preventable

Scene, style of the traffic, the first 16 digits of the scenario's hash, whether the oracle keeps every rule, its
progress in metres, its own score, and whether an accident can be prevented (by the driver models where they apply,
else by the oracle).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from waytrace.scenario import SPLITS, WaytraceError
from waytrace.sim import STYLES, TRAFFIC

from .reference import Reference

FORMAT = "waytrace suite 1"
SUFFIX = ".suite"
HASH_DIGITS = 16
_HEAD = ("name", "about", "splits", "traffic", "seed", "code", "scenes", "sha256")


class SuiteError(WaytraceError):
    """A suite that does not exist, is damaged, or does not fit the scenarios at hand."""


@dataclass(frozen=True)
class SuiteScene:
    """One scene of a suite and what is frozen with it."""

    id: str
    """The scenario's id without the style."""
    style: str
    content: str
    """First digits of the scenario's hash."""
    admitted: bool
    """Whether the oracle drives it and keeps every rule; the others count in the unfiltered score alone."""
    progress_m: float
    oracle_score: float
    preventable: bool

    @property
    def key(self) -> str:
        """Id under which it is evaluated: one scene may be there in both styles."""
        return self.id if self.style == "normal" else f"{self.id}+{self.style}"

    @property
    def reference(self) -> Reference:
        """What progress is measured against."""
        return Reference(self.progress_m, self.admitted, "frozen", self.oracle_score, self.preventable)

    def line(self) -> str:
        """The scene as a line of a suite file."""
        verdict = "admitted" if self.admitted else "refused"
        tag = "preventable" if self.preventable else "unpreventable"
        return f"{self.id} {self.style} {self.content} {verdict} {self.progress_m:.3f} {self.oracle_score:.5f} {tag}"


@dataclass(frozen=True)
class Suite:
    """A frozen set of scenes."""

    name: str
    about: str
    splits: tuple[str, ...]
    traffic: str
    seed: int
    code: str
    scenes: tuple[SuiteScene, ...]

    @property
    def generated(self) -> bool:
        """Whether its scenes can be generated; recorded drives have to be brought along."""
        return all("@" in scene.id for scene in self.scenes)

    @property
    def held_out(self) -> bool:
        """Whether each use of it is logged: all its scenes are of split ``test``."""
        return self.splits == ("test",)

    @property
    def sha256(self) -> str:
        """Hash over head and scenes: two suites with one hash are the same suite."""
        head = [self.name, ",".join(self.splits), self.traffic, str(self.seed), self.code]
        return hashlib.sha256("\n".join([*head, *self._lines()]).encode()).hexdigest()

    def first(self, count: int, name: str, about: str) -> Suite:
        """Its first ``count`` scenes as a suite of their own."""
        return replace(self, name=name, about=about, scenes=self.scenes[:count])

    def text(self) -> str:
        """The suite as a file."""
        head = (
            self.name, self.about, ",".join(self.splits), self.traffic, self.seed, self.code, len(self.scenes),
            self.sha256,
        )  # fmt: skip
        lines = [f"{key}: {value}" for key, value in zip(_HEAD, head, strict=True)]
        return "\n".join([FORMAT, *lines, "", *self._lines(), ""])

    def _lines(self) -> list[str]:
        return [scene.line() for scene in self.scenes]


def suite_names() -> tuple[str, ...]:
    """Names of the suites that come with the package."""
    found = (entry.name for entry in files(__package__).joinpath("data").iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX)))


def load_suite(name: str | Path) -> Suite:
    """A suite by its name, or from a file of your own (``*.suite``).

    Raises :class:`SuiteError` for an unknown name and for a file that is not what its own hash says.
    """
    if str(name).endswith(SUFFIX):
        path = Path(name)
        try:
            return parse_suite(path.read_text(), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise SuiteError(f"Suite file {path} cannot be read: {error}.") from error
    if str(name) not in suite_names():
        raise SuiteError(f"There is no suite {str(name)!r}; there are {', '.join(suite_names())}, or a file *{SUFFIX}.")
    return parse_suite(files(__package__).joinpath("data", f"{name}{SUFFIX}").read_text(), f"suite {name}")


def parse_suite(text: str, where: str) -> Suite:
    """The suite in a file's text; ``where`` is for error messages."""
    lines = text.splitlines()
    if not lines or lines[0] != FORMAT:
        raise SuiteError(f"{where} is no suite: its first line is not {FORMAT!r}.")
    end = lines.index("") if "" in lines else len(lines)
    head = dict(line.partition(": ")[::2] for line in lines[1:end])
    missing = [key for key in _HEAD if key not in head]
    if missing:
        raise SuiteError(f"{where}: its head lacks {', '.join(missing)}.")
    scenes = tuple(_scene(line, f"{where}, line {k}") for k, line in enumerate(lines[end + 1 :], start=end + 2))
    splits = tuple(head["splits"].split(","))
    if not set(splits) <= set(SPLITS) or head["traffic"] not in TRAFFIC or not head["seed"].isdigit():
        raise SuiteError(f"{where}: splits, traffic or seed are none that exist.")
    suite = Suite(head["name"], head["about"], splits, head["traffic"], int(head["seed"]), head["code"], scenes)
    if len(scenes) != int(head["scenes"] if head["scenes"].isdigit() else -1) or suite.sha256 != head["sha256"]:
        raise SuiteError(
            f"{where} is not what its own hash says: it was edited or cut. `waytrace suites freeze` makes a new one."
        )
    if len({scene.key for scene in scenes}) != len(scenes):
        raise SuiteError(f"{where} names a scene twice.")
    return suite


def _scene(line: str, where: str) -> SuiteScene:
    parts = line.split(" ")
    try:
        name, style, content, verdict, progress, score, tag = parts
        scene = SuiteScene(
            name, style, content, verdict == "admitted", float(progress), float(score), tag == "preventable"
        )
    except ValueError as error:
        raise SuiteError(f"{where}: not a scene: {line[:80]!r}.") from error
    if style not in STYLES or scene.line() != line or len(content) != HASH_DIGITS:
        raise SuiteError(f"{where}: not a scene: {line[:80]!r}.")
    return scene
