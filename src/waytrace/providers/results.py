"""A run read back from its folder, and doubted: every score needs a call behind it, a live call a public address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waytrace.scenario.folders import RUN

from .asking import PROBE
from .book import ProviderError
from .cost import Usage, usage_of
from .endpoint import Mode, is_public, mode_of
from .families import Family, Item, Outcome
from .faults import Fault
from .journal import MANIFEST, SCHEMA, Found, digest, file_hash, read_folder
from .run import recorded_reply

NOT_SCORED_AGAIN = ("coding",)
"""Scoring these runs code, which takes minutes and walls: their scores rest on the hash alone."""

Known = Mapping[str, tuple[Family, Mapping[str, Item]]]
"""Families by name, with their items by id."""


@dataclass(frozen=True)
class Row:
    """One sample: what came of one item, once."""

    item: str
    family: str
    epoch: int
    outcome: Outcome
    score: float | None
    """None where no reply was scored."""
    details: Mapping[str, Any]
    latency_s: float
    """Of the call that ended it."""
    cost: float
    """Of all its calls."""
    usage: Usage | None
    kind: str
    """What kind of request it is, where its family has kinds: ``unsafe``."""

    @property
    def served(self) -> float | None:
        """1 where what came is right for whoever asked, else 0; None where nothing came at all.

        An answer that the vendor filters is of no use; of an unsafe request it is what should come.
        """
        if self.outcome is Outcome.INFRASTRUCTURE:
            return None
        filtered_rightly = self.outcome is Outcome.MODERATION and self.kind == "unsafe"
        return float(self.outcome is Outcome.PASS or filtered_rightly)


@dataclass(frozen=True)
class Run:
    """A run as it can be believed. Made by :func:`load_run` alone."""

    folder: Path
    mode: Mode
    settings: Mapping[str, Any]
    """``run.json``: what was asked of whom."""
    manifest: Mapping[str, Any]
    rows: tuple[Row, ...]
    first_token_s: tuple[float, ...]
    tokens_per_s: tuple[float, ...]
    calls: int
    """Answered."""

    @property
    def name(self) -> str:
        """Provider, model and how hard it was to think."""
        thinking = self.settings["settings"]["thinking"]
        return f"{self.settings['provider']} {self.settings['model']}" + (f", thinking {thinking}" if thinking else "")

    @property
    def complete(self) -> bool:
        """Whether every sample has an end."""
        epochs = self.settings["epochs"]
        wanted = sum(len(items) * int(epochs[family]) for family, items in self.settings["items"].items())
        return len(self.rows) == wanted

    @property
    def asked(self) -> str:
        """Hash over what was asked and how it is scored: only runs that share it are compared."""
        return digest({key: self.settings[key] for key in ("families", "items", "epochs")})

    @property
    def price(self) -> Mapping[str, Any] | None:
        """The row of the price book that its costs rest on; None where nothing was billed."""
        price: Mapping[str, Any] | None = self.manifest["price"]
        return price


def load_run(folder: Path, known: Mapping[str, Family]) -> Run:
    """The run in a folder, with every reply scored anew, save those of :data:`NOT_SCORED_AGAIN`.

    Raises :class:`ProviderError` where there is none, where a file is not what the manifest says, where a score has no
    call behind it or is not what the scorer gives, and where a run is called live that cannot have been.
    """
    manifest = _manifest(folder)
    settings = json.loads((folder / RUN).read_text())
    found = read_folder(folder)
    for sha, request in found.requests.items():
        if digest(request) != sha:
            raise ProviderError(f"{folder}: request {sha[:12]} was edited.")
    mode = _mode(folder, settings, manifest, found)
    asked = {
        name: (family, {item.id: item for item in family.items()})
        for name, family in known.items() if name in settings["families"]
    }  # fmt: skip
    rows = tuple(_row(folder, settings, found, line, asked) for line in found.scores.values())
    probes = [
        e["answered"] for e in found.calls.values() if e["sent"]["kind"] == PROBE.family and "answered" in e
    ]  # fmt: skip
    return Run(
        folder, mode, settings, manifest, rows,
        tuple(p["first_token_s"] for p in probes), tuple(p["tokens_per_s"] for p in probes if p["tokens_per_s"]),
        sum("answered" in events for events in found.calls.values()),
    )  # fmt: skip


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text())
        schema, files = manifest["schema"], manifest["files"]
    except FileNotFoundError:
        cut = (folder / RUN).is_file()
        way_out = "It was cut off: repeat its command." if cut else "`waytrace providers run` makes one."
        raise ProviderError(f"{folder} holds no finished provider run. {way_out}") from None
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise ProviderError(f"{path} is damaged: {error!r}.") from error
    if schema != SCHEMA:
        raise ProviderError(f"{path} is of form {schema!r}; this version reads {SCHEMA!r}.")
    for name, sha in files.items():
        if file_hash(folder / name) != sha:
            raise ProviderError(
                f"{folder / name} is not what the manifest says: the run was cut off, or the file was edited. "
                "Repeat the run's command; what was paid for is kept."
            )
    return dict(manifest)


def _mode(folder: Path, settings: Mapping[str, Any], manifest: Mapping[str, Any], found: Found) -> Mode:
    """``live`` only if the endpoint can be a vendor's and every answer came from a public address."""
    said = {settings["mode"], manifest["mode"]}
    if said != {"live"}:
        return "dry-run"
    if mode_of(settings["endpoint"]) != "live":
        raise ProviderError(f"{folder} says it is live, but its endpoint {settings['endpoint']} is on this machine.")
    for number, events in found.calls.items():
        peer = events.get("answered", {}).get("peer", "") if "answered" in events else None
        if peer is not None and not is_public(peer):
            raise ProviderError(
                f"{folder} says it is live, but call {number} was answered by {peer or 'an unknown address'}, which is "
                "no vendor's. It can be in no report."
            )
    return "live"


def _row(folder: Path, settings: Mapping[str, Any], found: Found, line: Mapping[str, Any], known: Known) -> Row:
    item, family, epoch = line["item"], line["family"], line["epoch"]
    where = f"{folder}, {item}, epoch {epoch}"
    if item not in settings["items"].get(family, ()) or not 0 <= epoch < settings["epochs"][family]:
        raise ProviderError(f"{where}: the run did not ask this.")
    events = found.calls.get(line["call"], {})
    sent = events.get("sent", {})
    if (sent.get("kind"), sent.get("item"), sent.get("epoch")) != ("sample", item, epoch):
        raise ProviderError(f"{where}: its score has no call behind it.")
    scorer, asked = _asked(where, settings, known, family, item)
    outcome = Outcome(line["outcome"])
    trouble = events.get("trouble")
    if outcome in (Outcome.MODERATION, Outcome.INFRASTRUCTURE):
        if trouble is None or (trouble["fault"] == Fault.MODERATION) != (outcome is Outcome.MODERATION):
            raise ProviderError(f"{where}: it is called {outcome}, and its call says something else.")
    elif "answered" not in events:
        raise ProviderError(f"{where}: it was scored, and its call was never answered.")
    else:
        _check_score(where, scorer, asked, found, line)
    end = events.get("answered") or events["trouble"]
    calls = [e for e in found.calls.values() if (e["sent"]["item"], e["sent"]["epoch"]) == (item, epoch)]
    paid = sum((e.get("answered") or e.get("trouble") or {}).get("cost", e["sent"]["reserved"]) for e in calls)
    usage = usage_of(end.get("response") or {})
    kind = str(asked.meta.get("kind", ""))
    return Row(item, family, epoch, outcome, line["score"], line["details"], end["latency_s"], paid, usage, kind)


def _asked(where: str, settings: Mapping[str, Any], known: Known, name: str, item: str) -> tuple[Family, Item]:
    """The family and the item as this version has them, if the run was scored by this version."""
    family, items = known.get(name, (None, {}))
    if family is None or family.version != settings["families"][name]:
        raise ProviderError(
            f"{where}: it was scored by version {settings['families'][name]} of {name}, and here is "
            f"{family.version if family else 'none'}. Run it anew: figures of two versions do not compare."
        )
    return family, items[item]


def _check_score(where: str, family: Family, item: Item, found: Found, line: Mapping[str, Any]) -> None:
    """Score the recorded reply again."""
    if family.name in NOT_SCORED_AGAIN:
        return
    verdict = family.score(item, recorded_reply(found, found.calls[line["call"]]))
    if (verdict.outcome, verdict.score) != (line["outcome"], line["score"]):
        raise ProviderError(
            f"{where}: it says {line['outcome']} {line['score']}, the scorer says {verdict.outcome} {verdict.score}: "
            "the run was edited."
        )
