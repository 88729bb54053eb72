"""Errors planted in labelled traces: how many does the check find, and how often does it cry over nothing?

    python benchmarks/planted_errors.py [STORE] [--count 2000] [--drives 140] [--page docs/planted-errors.md]

Labels are the expert's over scenarios of split ``train`` (of a store, or of the catalogue: families in turn), one
decision a second. Errors are planted in traces of which the check calls no claim false; kinds get equal shares. An
error in the trace counts as found by the check where a claim about the present turns false, by the audit where one of
its claims newly does; damaged JSON counts as found where reading it is refused. The
last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mutant_audit import Auditor
from mutant_documents import DAMAGES, damaged
from mutant_scene import Look
from mutants import PLANTERS, Bed
from waytrace.catalogue import generate_many
from waytrace.label import header_of, label_drive
from waytrace.label.drive import LabelledMoment
from waytrace.scenario import Purpose, Scenario, permit, scenario_hash
from waytrace.scenario.store import ScenarioStore
from waytrace.trace import Present, Trace, TraceError, encode, from_json, to_json
from waytrace.trace.check import check

FIRST_SEED = 610_000
"""Of split train, far from the seeds of suites and of anything that was tuned on."""
APART_TICKS = 30
RARE = ("wrong role", "wrong violation", "omitted cause")
"""Kinds that few traces have room for; they are planted first."""


@dataclass
class Tally:
    """Of one kind of error."""

    planted: int = 0
    check: int = 0
    at_it: int = 0
    """Of those found by the check: a claim that was changed is among the false ones."""
    audit: int = 0
    schema: int = 0
    missed: list[str] = field(default_factory=list)

    @property
    def found(self) -> int:
        return self.check + self.audit + self.schema


@dataclass
class Ground:
    """One decision to plant in, with what the check says of it as it is."""

    bed: Bed
    moment: LabelledMoment
    document: dict[str, Any]
    before: Trace | None
    scenario: str
    false: frozenset[str]
    present: int
    """Claims about the present."""
    unsure: frozenset[str]
    """Those that are undetermined."""


def grounds(scenarios: Iterable[Scenario], limit: int) -> Iterator[Ground]:
    """Labelled decisions of up to ``limit`` drives."""
    for count, scenario in enumerate(permit(scenarios, Purpose.TRAIN)):
        if count == limit:
            return
        yield from _drive(scenario)


def _drive(scenario: Scenario) -> list[Ground]:
    made: list[Ground] = []
    before: Trace | None = None
    digest = scenario_hash(scenario)
    for moment in label_drive(scenario):
        trace, plan, scene = moment.label.trace, moment.label.plan, moment.at.scene
        if moment.tick % 10 == 0:
            verdicts = [v for v in check(trace, scene, plan, before) if v.kind == "present"]
            bed = Bed(trace, scene, plan, moment.at.present, Look(scene))
            points = np.asarray(plan.waypoints, np.float64).reshape(-1, 4).round(6).tolist()
            document = to_json(header_of(moment.label, moment.at, digest), trace, points)
            false = frozenset(v.claim for v in verdicts if v.value == "false")
            unsure = frozenset(v.claim for v in verdicts if v.value == "undetermined")
            made.append(Ground(bed, moment, document, before, scenario.id, false, len(verdicts), unsure))
        before = trace
    for k, one in enumerate(made):
        others = [o for o in made if abs(o.moment.tick - one.moment.tick) >= APART_TICKS]
        if others:
            later = others[k % len(others)].bed.trace
            made[k] = Ground(**{**vars(one), "bed": Bed(**{**vars(one.bed), "later": later})})
    return made


def refused(document: dict[str, Any], present: Present) -> bool:
    """Whether reading a document, or its place in the grammar, refuses it."""
    try:
        _, trace, _ = from_json(document)
        encode(trace, present)
    except TraceError:
        return True
    return False


def judge(ground: Ground, trace: Trace, tally: Tally, auditor: Auditor | None) -> None:
    """Count one planted trace: who finds it first, reader, check or audit."""
    tally.planted += 1
    document = to_json(from_json(ground.document)[0], trace)
    if refused(document, ground.bed.present):
        tally.schema += 1
        return
    verdicts = check(trace, ground.bed.scene, ground.bed.plan, ground.before)
    false = [v.claim for v in verdicts if v.value == "false"]
    if false:
        tally.check += 1
        tally.at_it += any(claim.startswith(place) for claim in false for place in _places(ground.bed.trace, trace))
    elif auditor is not None and auditor.newly(ground.bed.scene, ground.moment.state, ground.bed.trace, trace):
        tally.audit += 1
    else:
        said = {v.claim: v.value for v in verdicts}
        heard = Counter(said.get(place, "no claim") for place in said if place.startswith(
            tuple(_places(ground.bed.trace, trace))) and place not in ground.unsure)  # fmt: skip
        how = ", ".join(f"{count} {value}" for value, count in heard.items()) or "no claim"
        difference = _difference(ground.bed.trace, trace)
        tally.missed.append(f"{ground.scenario} tick {ground.moment.tick}: {difference} ({how})")


def _places(a: Any, b: Any, where: str = "") -> list[str]:
    """Paths of what differs between two traces: fields, items of lists, and lists of another length."""
    if a == b:
        return []
    if hasattr(a, "__dataclass_fields__") and not hasattr(a, "kind"):
        fields = ((f.rstrip("_"), getattr(a, f), getattr(b, f)) for f in a.__dataclass_fields__)
        return [p for name, x, y in fields for p in _places(x, y, f"{where}.{name}" if where else name)]
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        return [p for k, (x, y) in enumerate(zip(a, b, strict=True)) if x != y for p in [f"{where}[{k}]"]]
    return [where]


def _difference(a: Any, b: Any, where: str = "") -> str:
    """The first field in which two traces differ."""
    if hasattr(a, "__dataclass_fields__"):
        for name in a.__dataclass_fields__:
            if getattr(a, name) != getattr(b, name):
                return _difference(getattr(a, name), getattr(b, name), f"{where}.{name}")
    if isinstance(a, tuple) and len(a) == len(b):
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            if x != y:
                return _difference(x, y, f"{where}[{k}]")
    return f"{where[1:]} {a} -> {b}"[:240]


def plant(found: list[Ground], count: int, auditor: Auditor | None) -> dict[str, Tally]:
    """Plant ``count`` errors, kinds in equal shares; what there is no room for in a rare kind goes to the others."""
    clean = [g for g in found if not g.false]
    kinds = [*PLANTERS, *DAMAGES]
    tallies = {kind: Tally() for kind in kinds}
    left = count
    for done, kind in enumerate([*RARE, *(k for k in kinds if k not in RARE)]):
        number, each = kinds.index(kind), -(-left // (len(kinds) - done))
        rng = np.random.default_rng([7, number])
        seen: set[tuple[int, str]] = set()
        order = rng.permutation(len(clean))
        for turn in range(4):
            for k in order:
                tally = tallies[kind]
                if tally.planted == each:
                    break
                ground = clean[k]
                if kind in DAMAGES:
                    tally.planted += 1
                    bad = refused(damaged(ground.document, kind, rng), ground.bed.present)
                    tally.schema += bad
                    if not bad:
                        tally.missed.append(ground.scenario)
                    continue
                trace = PLANTERS[kind](ground.bed, np.random.default_rng([turn, number, int(k)]))
                if trace is not None and trace != ground.bed.trace and (int(k), repr(trace)) not in seen:
                    seen.add((int(k), repr(trace)))
                    judge(ground, trace, tally, auditor)
        left -= tallies[kind].planted
    return tallies


def rows(tallies: dict[str, Tally]) -> list[list[str]]:
    """One kind a row."""
    return [
        [kind, str(t.planted), str(t.check), str(t.at_it), str(t.audit), str(t.schema),
         f"{100 * t.found / t.planted:.1f} %" if t.planted else "-"]
        for kind, t in tallies.items()
    ]  # fmt: skip


def figures(found: list[Ground], tallies: dict[str, Tally], objections: tuple[int, int]) -> dict[str, Any]:
    """What the page and the last line say."""
    schema, semantic = ([t for k, t in tallies.items() if (k in DAMAGES) == wanted] for wanted in (True, False))
    claims = sum(g.present for g in found)
    return {
        "decisions": len(found), "drives": len({g.scenario for g in found}),
        "planted": sum(t.planted for t in tallies.values()),
        "found": sum(t.found for t in tallies.values()) / max(sum(t.planted for t in tallies.values()), 1),
        "found_semantic": sum(t.found for t in semantic) / max(sum(t.planted for t in semantic), 1),
        "found_schema": sum(t.found for t in schema) / max(sum(t.planted for t in schema), 1),
        "false_alarm_claims": sum(len(g.false) for g in found) / max(claims, 1),
        "false_alarm_traces": sum(bool(g.false) for g in found) / max(len(found), 1),
        "undetermined_claims": sum(len(g.unsure) for g in found) / max(claims, 1),
        "audit_objections": objections[0], "audit_asked": objections[1],
        "kinds": {k: {"planted": t.planted, "check": t.check, "at_it": t.at_it, "audit": t.audit, "schema": t.schema}
                  for k, t in tallies.items()},
    }  # fmt: skip


def page(out: dict[str, Any], tallies: dict[str, Tally], alarms: Counter[str], command: str) -> str:
    """The document."""
    columns = ["kind", "planted", "check", "at it", "audit", "reader", "found"]
    table = ["| " + " | ".join(columns) + " |", "| --- |" + " ---: |" * 6]
    table += ["| " + " | ".join(row) + " |" for row in rows(tallies)]
    missed = [f"- {kind}: {t.missed[0]}" for kind, t in tallies.items() if t.missed]
    often = ", ".join(f"`{name}` {count}" for name, count in alarms.most_common(8)) or "none"
    percent = {name: f"{100 * out[name]:.1f} %" for name in out if isinstance(out[name], float)}
    alarmed = f"{100 * out['false_alarm_claims']:.2f} %"
    return f"""# Planted errors

Made by `{command}`; not edited by hand.

{out["planted"]} errors of {len(tallies)} kinds were planted in labelled traces of {out["drives"]} drives of the
expert (split `train`, {out["decisions"]} decisions), in each of which the check finds nothing false as it is. What is
planted is plainly wrong: by geometry that was written from the specification of the trace apart from the checker
(`benchmarks/mutant_scene.py`), with margins beyond its thresholds.

An error counts once, for who finds it first:

- the **reader**: JSON, vocabulary, grammar;
- the **check**: a claim about the present turns false (undetermined is no find); *at it*: a changed one is among them;
- the [audit](trace.md#the-audit): it calls something false that it did not in the trace before: a cause without which
  the expert's plan stays, something uncited without which it moves, what a rejected option would violate.
  It takes things out of the present scene alone, and it shares the expert with the labeller.

{chr(10).join(table)}

Found overall: {percent["found"]}; of errors in what is said {percent["found_semantic"]}; of damaged documents
{percent["found_schema"]}.

False alarms, on traces as the labeller wrote them: {alarmed} of claims about the present are called false, in
{percent["false_alarm_traces"]} of the traces (by field: {often}).
{percent["undetermined_claims"]} are undetermined. The audit objects to {out["audit_objections"]} of
{out["audit_asked"]} traces as they are.

## The first that was missed, by kind

In brackets what the check says of the claims that were changed.

{chr(10).join(missed) or "None."}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--drives", type=int, default=140)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--no-audit", action="store_true")
    parser.add_argument("--misses", action="store_true", help="list every error that was missed")
    given = parser.parse_args()
    source: Iterable[Scenario]
    if given.store is None:
        source = generate_many(given.drives, seed=FIRST_SEED)
    else:
        store = ScenarioStore.open(given.store)
        source = (store[name] for name in store.ids)
    found = list(grounds(source, given.drives))
    auditor = None if given.no_audit else Auditor()
    tallies = plant(found, given.count, auditor)
    asked = [] if auditor is None else [g for g in found if not g.false][:: max(len(found) // 200, 1)]
    objected = sum(auditor.objects(g.bed.scene, g.moment.state, g.bed.trace) for g in asked) if auditor else 0
    out = figures(found, tallies, (objected, len(asked)))
    alarms = Counter(claim.rpartition(".")[2] for g in found for claim in g.false)
    text = page(out, tallies, alarms, "python benchmarks/planted_errors.py")
    if given.page:
        given.page.write_text(text, encoding="utf-8")
    print(text)
    if given.misses:
        print("\n".join(f"{kind}: {one}" for kind, t in tallies.items() for one in t.missed))
    print(json.dumps(out))


if __name__ == "__main__":
    main()
