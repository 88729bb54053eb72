"""The long-context family: corpora are the same bits every time, and what is recalled, cited and made up is counted."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest

from waytrace.providers.families import Outcome, Reply, Verdict
from waytrace.providers.families.long_context import LongContext
from waytrace.providers.families.long_context.corpus import CHARACTERS_PER_TOKEN, Corpus, corpus
from waytrace.providers.families.long_context.family import TOKENS

FAMILY = LongContext()
ITEM = FAMILY.items()[0]
ASKED = corpus(41, 8_000)


def answered(change: dict[str, dict[str, Any]] | None = None, summary: str = "They differ.") -> Verdict:
    """The verdict on a perfect answer with some of it changed, by question."""
    record = json.loads(FAMILY.scripted(ITEM, "perfect").text)
    for answer in record["answers"]:
        answer |= (change or {}).get(answer["question"], {})
    return FAMILY.score(ITEM, Reply(json.dumps(record | {"summary": summary})))


def figures(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"(?<![\w.-])\d+\.\d+", text)]


def of_kind(kind: str, asked: Corpus = ASKED) -> list[str]:
    return [q.id for q in asked.questions if q.kind == kind]


def test_a_corpus_is_the_same_bits_every_time() -> None:
    digest = hashlib.sha256((ASKED.text + repr(ASKED.questions)).encode()).hexdigest()
    assert digest[:16] == "f38c37394464b151"
    assert corpus(42, 8_000).text != ASKED.text


@pytest.mark.parametrize("tokens", TOKENS)
def test_corpora_have_the_length_that_they_say(tokens: int) -> None:
    for item in FAMILY.items():
        if item.meta["tokens"] == tokens:
            length = len(item.prompt[1].content) / CHARACTERS_PER_TOKEN
            assert tokens <= length <= tokens * 1.03 + 600


@pytest.mark.parametrize("seed", range(5))
def test_every_fact_stands_where_it_is_said_to_and_nowhere_else(seed: int) -> None:
    asked = corpus(seed, 8_000)
    documents = dict(asked.documents)
    assert sorted(q.kind for q in asked.questions) == [
        "absent", "absent", "corrected", "direct", "direct", "replicated", "two-hop", "two-hop",
    ]  # fmt: skip
    for question in asked.questions:
        assert all(name in documents for name in (*question.sources, *question.allowed))
        if question.value is not None:
            holders = [name for name, text in asked.documents if question.value in figures(text)]
            assert len(holders) == 1
            assert holders[0] in question.sources


def test_a_perfect_answer_passes_and_the_counts_say_so() -> None:
    verdict = answered()
    assert (verdict.outcome, verdict.score) == (Outcome.PASS, 1.0)
    assert (
        verdict.details["recall"] == verdict.details["citation_precision"] == verdict.details["citation_recall"] == 1.0
    )


def test_one_of_six_facts_may_be_missed() -> None:
    one, two = of_kind("direct")
    assert answered({one: {"value": None, "citations": []}}).outcome is Outcome.PASS
    missed = answered({one: {"value": None, "citations": []}, two: {"value": None, "citations": []}})
    assert missed.outcome is Outcome.FAIL
    assert missed.details["missed"] == sorted([one, two])


def test_the_figure_before_the_erratum_is_wrong_but_not_invented() -> None:
    (name,) = of_kind("corrected")
    question = next(q for q in ASKED.questions if q.id == name)
    paper = dict(ASKED.documents)[question.allowed[0]]
    old = float(next(w for w in paper.split() if w.replace(".", "", 1).isdigit() and float(w) != question.value))
    verdict = answered({name: {"value": old}})
    assert verdict.details["missed"] == [name]
    assert verdict.details["invented"] == []


def test_an_answer_to_what_nothing_says_is_invented() -> None:
    name = of_kind("absent")[0]
    known = next(q.value for q in ASKED.questions if q.value is not None)
    for value in (known, 1234.5):
        verdict = answered({name: {"value": value, "citations": []}})
        assert verdict.outcome is Outcome.FAIL
        assert len(verdict.details["invented"]) == 1


def test_documents_that_do_not_exist_are_invented_and_others_cost_precision() -> None:
    name = of_kind("direct")[0]
    verdict = answered({name: {"citations": ["D0001"]}})
    assert verdict.details["invented"] == [f"{name}: [D0001]"]
    some = [doc for doc, _ in ASKED.documents[:6]]
    verdict = answered({name: {"citations": some}})
    assert verdict.outcome is Outcome.FAIL
    assert verdict.details["citation_precision"] < 0.8
    assert verdict.details["invented"] == []


@pytest.mark.parametrize(
    ("summary", "invented"),
    [
        ("{0} and {1} are 2 planners.", []),
        ("{0} reaches {figure} % [{doc}], {1} is not comparable.", []),
        ("{0} has a collision rate of 98.765 %.", ["summary: 98.765"]),
        ("{0} was shown in 1987, {1} later.", ["summary: 1987"]),
        ("See [D1234, D5678] and D4321.", []),
    ],
)
def test_a_summary_holds_no_figure_that_no_document_holds(summary: str, invented: list[str]) -> None:
    figure = next(q.value for q in ASKED.questions if q.value is not None)
    text = summary.format(*ASKED.compare, figure=figure, doc=ASKED.documents[0][0])
    verdict = answered(summary=text)
    assert verdict.details["invented"] == invented
    assert (verdict.outcome is Outcome.PASS) is (not invented)


@pytest.mark.parametrize(
    "text",
    ['{"answers": []}', '{"answers": [{"question": "Q9", "value": 1, "citations": []}], "summary": ""}', "Q1: 3.2"],
)
def test_another_shape_is_no_answer(text: str) -> None:
    verdict = FAMILY.score(ITEM, Reply(text))
    assert (verdict.outcome, verdict.score, verdict.details["schema_valid"]) == (Outcome.FAIL, 0.0, False)
