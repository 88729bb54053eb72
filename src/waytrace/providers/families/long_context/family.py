"""Long context: facts found in survey corpora of 8k to 128k tokens, with sources, and nothing made up."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

from ..contract import Item, Message, Outcome, Reply, Skill, Verdict
from ..refusing import refuses
from ..text import json_of
from ..values import same, schema_error
from ..version import version_of
from .corpus import Corpus, Question, corpus

TOKENS = (8_000, 16_000, 32_000, 64_000, 96_000, 128_000)
SEEDS = (41, 42)
LEAST_RECALL, LEAST_PRECISION = 0.8, 0.8
"""What an answer that passes needs, beside not one invented figure. Set before any model was asked."""

SYSTEM = """You answer questions about a corpus of short documents, each with its id in brackets. Use nothing but the
documents, and no figure that does not stand in them. Where none of them says it, the value is null and there are no
citations; papers that are not about exactly what is asked do not say it. Cite the ids of the documents that an answer
rests on, and no others. Answer with one JSON object of the given schema and nothing else."""

_NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-])")
_CITED = re.compile(r"\[[^\]]*\]|\bD\d{4}\b")


class LongContext:
    """Twelve corpora, two of each length. A reply passes where it recalls, cites and invents nothing."""

    name = "long-context"

    @cached_property
    def version(self) -> str:
        """Hash of the items and of the modules that judge them."""
        return version_of(self.items(), __name__, [_corpus(seed, tokens).questions for tokens, seed in _WANTED])

    @cached_property
    def _wanted(self) -> dict[str, tuple[int, int]]:
        return {_id(tokens, seed): (tokens, seed) for tokens, seed in _WANTED}

    def items(self) -> Sequence[Item]:
        """One item a corpus, shortest first."""
        return [_item(tokens, seed) for tokens, seed in _WANTED]

    def score(self, item: Item, reply: Reply) -> Verdict:
        """Mean of recall, citation precision, and whether nothing is invented."""
        asked = self._corpus(item)
        try:
            record = json_of(reply.text)
            error = schema_error(record, _schema(asked))
        except ValueError as problem:
            if refuses(reply.text):
                return Verdict(Outcome.REFUSAL, 0.0, {"schema_valid": False, "why": "the model declined"})
            record, error = None, str(problem)
        if error:
            return Verdict(Outcome.FAIL, 0.0, {"schema_valid": False, "why": error})
        return _judge(asked, record)

    def scripted(self, item: Item, skill: Skill) -> Reply:
        """Every answer with its sources; or a plausible figure and the first document for every question."""
        asked = self._corpus(item)
        first = asked.documents[0][0]
        answers = [
            {"question": q.id, "value": q.value, "citations": list(q.sources)} if skill == "perfect"
            else {"question": q.id, "value": 3.14, "citations": [first]}
            for q in asked.questions
        ]  # fmt: skip
        return Reply(json.dumps({"answers": answers, "summary": f"{asked.compare[0]} and {asked.compare[1]} differ."}))

    def _corpus(self, item: Item) -> Corpus:
        tokens, seed = self._wanted[item.id]
        return _corpus(seed, tokens)


_WANTED = tuple((tokens, seed) for tokens in TOKENS for seed in SEEDS)


def _judge(asked: Corpus, record: Mapping[str, Any]) -> Verdict:
    given = {answer["question"]: answer for answer in record["answers"]}
    answerable = [q for q in asked.questions if q.value is not None]
    found = [_found(given[q.id]["value"] if q.id in given else None, q) for q in answerable]
    cited = [(q, name) for q in asked.questions if q.id in given for name in dict.fromkeys(given[q.id]["citations"])]
    right = sum(name in (*q.sources, *q.allowed) for q, name in cited)
    sourced = [
        q.id for q in answerable if q.id in given and set(q.sources) <= set(given[q.id]["citations"])
    ]  # fmt: skip
    recall, precision = sum(found) / len(found), right / len(cited) if cited else 0.0
    invented = _invented(asked, given, record["summary"])
    passed = recall >= LEAST_RECALL and precision >= LEAST_PRECISION and not invented
    details = {
        "schema_valid": True, "recall": round(recall, 4), "citation_precision": round(precision, 4),
        "citation_recall": round(len(sourced) / len(found), 4), "invented": invented,
        "missed": [q.id for q, held in zip(answerable, found, strict=True) if not held],
    }  # fmt: skip
    score = (recall + precision + (not invented)) / 3
    return Verdict(Outcome.PASS if passed else Outcome.FAIL, score, details)


def _found(value: Any, question: Question) -> bool:
    return value is not None and same(value, question.value)


def _invented(asked: Corpus, given: Mapping[str, Mapping[str, Any]], summary: str) -> list[str]:
    """Figures that no document holds, answers to what none says, and documents that do not exist."""
    known, names = _figures(asked.text), {name for name, _ in asked.documents}
    out = []
    for question in asked.questions:
        answer = given.get(question.id)
        if answer is None:
            continue
        if answer["value"] is not None and (question.value is None or float(answer["value"]) not in known):
            out.append(f"{question.id}: {answer['value']}")
        out += [f"{question.id}: [{name[:20]}]" for name in answer["citations"] if name not in names]
    counted = {str(k) for k in range(10)}  # "the 2 planners" is no figure
    said = (text for text in _NUMBER.findall(_unnamed(asked, summary)) if text not in counted)
    return out + [f"summary: {text}" for text in said if float(text) not in known]


def _unnamed(asked: Corpus, summary: str) -> str:
    """A summary without citations and without the names of the planners, which hold numbers too."""
    return _CITED.sub(" ", summary).replace(asked.compare[0], " ").replace(asked.compare[1], " ")


@lru_cache(maxsize=16)
def _figures(text: str) -> frozenset[float]:
    return frozenset(float(number) for number in _NUMBER.findall(text))


@lru_cache(maxsize=16)
def _corpus(seed: int, tokens: int) -> Corpus:
    return corpus(seed, tokens)


def _schema(asked: Corpus) -> dict[str, Any]:
    answer = {
        "type": "object",
        "properties": {
            "question": {"enum": [q.id for q in asked.questions]},
            "value": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "citations": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["question", "value", "citations"],
        "additionalProperties": False,
    }
    properties = {"answers": {"type": "array", "items": answer}, "summary": {"type": "string"}}
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
    }  # fmt: skip


def _id(tokens: int, seed: int) -> str:
    return f"long-context/{tokens // 1000:03d}k-{seed}"


def _item(tokens: int, seed: int) -> Item:
    asked = _corpus(seed, tokens)
    questions = "\n".join(f"{q.id}: {q.text}" for q in asked.questions)
    first, second = asked.compare
    task = (
        f"{asked.text}\n\n# Questions\n\n{questions}\n\nIn `summary`, compare {first} and {second} in at most three "
        "sentences, with figures from the documents and their ids in brackets."
    )
    prompt = (Message("system", SYSTEM), Message("user", task))
    meta = {"tokens": tokens, "seed": seed, "documents": len(asked.documents)}
    return Item(_id(tokens, seed), "long-context", prompt, (), _schema(asked), 2048, meta)
