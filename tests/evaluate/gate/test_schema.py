"""The documented schema of a result is the one that results are checked by."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from waytrace.evaluate.schema import ResultRecord, checked
from waytrace.scenario import StoreError

from .conftest import Make

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "result.schema.json"


def test_the_document_is_the_schema() -> None:
    """Renew it with WAYTRACE_RENEW=1."""
    found = json.dumps(ResultRecord.model_json_schema(), indent=1) + "\n"
    if os.environ.get("WAYTRACE_RENEW"):
        DOCUMENT.write_text(found)
    assert found == DOCUMENT.read_text()


def test_a_result_follows_it(make: Make, scores: dict[str, float]) -> None:
    result = make("a", scores)
    jsonschema.validate(result.meta, json.loads(DOCUMENT.read_text()))
    assert len(checked(result).scenarios) == len(scores)


def test_a_damaged_one_is_refused_with_the_place(make: Make, scores: dict[str, float]) -> None:
    with pytest.raises(StoreError, match=r"(?s)seed: .*Repeat the evaluation"):
        checked(make("a", scores, seed="0"))
