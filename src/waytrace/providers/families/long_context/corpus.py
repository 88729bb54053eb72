"""Survey corpora from seeds: short documents about planners that do not exist, with facts planted among look-alikes.

Nothing in them can be known beforehand, so an answer comes from the text or is made up. A corpus holds papers (each
with figures on two benchmarks), replications with other figures, errata, notes on training data, and filler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

CHARACTERS_PER_TOKEN = 3.5
"""An estimate for English with many figures; the true number is the model's own, and is recorded with each call."""

_NAMES = ("HALCYON", "TERNWAY", "OSTREL", "KESTREL", "MARROW", "VELDT", "QUILL", "BRACKEN", "LUMEN", "SABLE", "ORIEL",
          "FATHOM", "PIVOT", "RIDGE", "COVEY", "TARN", "EMBER", "GORSE", "HELM", "ISTRA")  # fmt: skip
_AUTHORS = ("Norvik", "Asante", "Okafor", "Lindqvist", "Tanaka", "Moreau", "Silva", "Haddad", "Petrov", "Nakamura",
            "Costa", "Iyer", "Brandt", "Kowalska", "Ferrand", "Mbeki", "Rossi", "Yilmaz", "Dufour", "Chen")  # fmt: skip
BENCHMARKS = ("Terrel", "Norrgate", "Basalt", "Quayside", "Millrace", "Upland")
METRICS = (
    ("collision rate", "%", 0.2, 6.0, 2), ("mean progress", "%", 55.0, 96.0, 1), ("plan latency", "ms", 8.0, 190.0, 1),
    ("comfort score", "points", 0.40, 0.98, 3),
)  # fmt: skip
_KINDS = ("a sampling planner", "a transformer planner", "a diffusion planner", "a tree-search planner",
          "a rule-based planner", "a planner learnt by imitation")  # fmt: skip
_DATA = ("Grenoble loops", "Osaka nights", "Harbour logs", "Alpine passes", "Delta bridges", "Ring-road set",
         "Winter depot", "Campus shuttles", "Coastal freight", "Tunnel runs")  # fmt: skip
_FILLER = (
    "Reviewers have asked for evaluation in closed loop, since open-loop error says little about what happens after a "
    "planner has left the recorded way. Several groups now publish both.",
    "A recurring complaint is that scenes are chosen after the planner was tuned. Held-out suites with a log of every "
    "use are the usual remedy, and are still rare.",
    "Explanations are mostly written after the fact. Whether the cause that is named would change the plan if it were "
    "taken away is seldom tested.",
    "Reactive traffic changes the ranking of planners more than sensor noise does, according to most authors, though "
    "the models of traffic differ so much that figures cannot be compared.",
    "Latency is reported on different machines and at different batch sizes. We list it as given and compare nothing.",
    "Rule-based planners remain strong where lanes are well marked. Learnt ones do better where people bend the rules.",
)


@dataclass(frozen=True)
class Question:
    """Something asked about a corpus."""

    id: str
    text: str
    kind: str
    """``direct``, ``corrected``, ``replicated``, ``two-hop`` or ``absent``."""
    value: float | None
    """None where no document says it."""
    sources: tuple[str, ...]
    """The documents that say it."""
    allowed: tuple[str, ...] = ()
    """Documents that may be cited besides."""


@dataclass(frozen=True)
class Corpus:
    """Documents with questions about them."""

    documents: tuple[tuple[str, str], ...]
    """(id, text) in the order in which they are shown."""
    questions: tuple[Question, ...]
    compare: tuple[str, str]
    """Two planners for the summary."""

    @property
    def text(self) -> str:
        """The documents as they are shown."""
        return "\n\n".join(f"[{name}] {text}" for name, text in self.documents)


@dataclass(frozen=True)
class _Planner:
    name: str
    paper: str
    data: str
    data_note: str
    figures: dict[tuple[str, str], str]


class _Writer:
    """Writes documents until there are enough."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.texts: dict[str, str] = {}
        self.length = 0
        self.planners: list[_Planner] = []
        self.figures: set[float] = set()
        self.names = [f"{name}-{k}" for k in range(1, 60) for name in _NAMES]
        self.random.shuffle(self.names)

    def add(self, text: str) -> str:
        """A document's id; ids do not follow the order in which documents are shown."""
        while (name := f"D{self.random.randrange(1000, 10000)}") in self.texts:
            pass
        self.texts[name] = text
        self.length += len(text) + len("[D1234] \n\n")
        return name

    def figure(self, metric: tuple[str, str, float, float, int]) -> str:
        """A figure that stands nowhere else."""
        _, _, low, high, digits = metric
        while True:
            text = f"{self.random.uniform(low, high):.{digits}f}"
            if float(text) not in self.figures:
                self.figures.add(float(text))
                return text
            digits = min(digits + 1, 4)

    def paper(self) -> None:
        """A planner, its paper, and the note on what it was trained on."""
        pick = self.random
        name = self.names.pop()
        figures: dict[tuple[str, str], str] = {}
        lines = []
        for benchmark in pick.sample(BENCHMARKS, 2):
            told = []
            for metric in pick.sample(METRICS, 2):
                figures[benchmark, metric[0]] = self.figure(metric)
                told.append(f"a {metric[0]} of {figures[benchmark, metric[0]]} {metric[1]}")
            lines.append(f"On {benchmark} the authors report {' and '.join(told)}.")
        authors = " and ".join(pick.sample(_AUTHORS, 2))
        paper = self.add(f"{authors} present {name}, {pick.choice(_KINDS)}. {' '.join(lines)} {pick.choice(_FILLER)}")
        data = f"{pick.choice(_DATA)} {chr(65 + pick.randrange(26))}{chr(65 + pick.randrange(26))}{len(self.planners)}"
        note = self.add(f"According to its model card, {name} was trained on {data} alone. {pick.choice(_FILLER)}")
        self.planners.append(_Planner(name, paper, data, note, figures))

    def again(self, planner: _Planner, kind: str) -> tuple[str, str, str, str]:
        """(document, benchmark, metric, figure) of a replication or an erratum."""
        key = self.random.choice(sorted(planner.figures))
        metric = next(m for m in METRICS if m[0] == key[1])
        figure = self.figure(metric)
        if kind == "replicated":
            authors = " and ".join(self.random.sample(_AUTHORS, 2))
            text = f"{authors} ran {planner.name} again on {key[0]} and measured a {key[1]} of {figure} {metric[1]}."
        else:
            text = (
                f"Erratum to {planner.paper}: the {key[1]} of {planner.name} on {key[0]} was given wrongly there. "
                f"The right figure is {figure} {metric[1]}."
            )
        return (self.add(f"{text} {self.random.choice(_FILLER)}"), *key, figure)


def corpus(seed: int, tokens: int) -> Corpus:
    """The corpus of a seed, about ``tokens`` long. The same bits every time."""
    writer = _Writer(seed)
    most = int(tokens * CHARACTERS_PER_TOKEN)
    replicated: list[tuple[_Planner, tuple[str, str, str, str]]] = []
    corrected: list[tuple[_Planner, tuple[str, str, str, str]]] = []
    while writer.length < most:
        writer.paper()
        number = len(writer.planners)
        if number % 4 == 1:
            replicated.append((writer.planners[-1], writer.again(writer.planners[-1], "replicated")))
        elif number % 4 == 3:
            corrected.append((writer.planners[-1], writer.again(writer.planners[-1], "corrected")))
    order = sorted(writer.texts)
    writer.random.shuffle(order)
    questions = _questions(writer, replicated, corrected)
    first, second = writer.random.sample([p.name for p in writer.planners], 2)
    return Corpus(tuple((name, writer.texts[name]) for name in order), questions, (first, second))


def _questions(
    writer: _Writer,
    replicated: Sequence[tuple[_Planner, tuple[str, str, str, str]]],
    corrected: Sequence[tuple[_Planner, tuple[str, str, str, str]]],
) -> tuple[Question, ...]:
    pick = writer.random
    again, (paper_note, benchmark, metric, figure) = pick.choice(replicated)
    wrong, (erratum, b2, m2, right) = pick.choice(corrected)
    told = {p.name for p, _ in (*replicated, *corrected)}
    plain = pick.sample([p for p in writer.planners if p.name not in told], 5)
    out = [
        Question("", f"Which {metric} did the replication of {again.name} on {benchmark} measure?", "replicated",
                 float(figure), (paper_note,), (again.paper,)),
        Question("", f"What is the {m2} of {wrong.name} on {b2}, errata taken into account?", "corrected",
                 float(right), (erratum,), (wrong.paper,)),
    ]  # fmt: skip
    for planner in plain[:2]:
        b, m = pick.choice(sorted(planner.figures))
        text = f"Which {m} do the authors of {planner.name} report on {b}?"
        out.append(Question("", text, "direct", float(planner.figures[b, m]), (planner.paper,)))
    for planner in plain[2:4]:
        b, m = pick.choice(sorted(planner.figures))
        text = f"Take the planner that was trained on {planner.data}: which {m} do its authors report on {b}?"
        sources = (planner.data_note, planner.paper)
        out.append(Question("", text, "two-hop", float(planner.figures[b, m]), sources))
    for planner in plain[3:5]:
        missing = [b for b in BENCHMARKS if all(b != known for known, _ in planner.figures)]
        b, m = pick.choice(missing), pick.choice(METRICS)[0]
        out.append(Question("", f"Which {m} do the authors of {planner.name} report on {b}?", "absent", None, ()))
    pick.shuffle(out)
    return tuple(Question(f"Q{k + 1}", q.text, q.kind, q.value, q.sources, q.allowed) for k, q in enumerate(out))
