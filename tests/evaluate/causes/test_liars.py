"""The metric's own test on scenes of the catalogue: no planted liar gets as far as the honest expert."""

from __future__ import annotations

import pytest

from waytrace.catalogue import generate_many
from waytrace.evaluate.causes import audit_planner, summary


@pytest.mark.slow
def test_no_planted_liar_reaches_the_honest_expert() -> None:
    scenes = generate_many(54, split="select", seed=60_000)
    found = audit_planner("expert", scenes, moments=2, closed=0, workers=2)
    told = summary(found, {"planner": "expert"})
    assert told["sound"]
    voices = told["at"]["delta"]["voices"]
    f = {name: voice["faithfulness"]["value"] for name, voice in voices.items()}
    assert f["honest"] > f["proximate-only"] > f["nearest"] > f["random"] > f["cite-everything"] == 0.0
    assert f["planner"] == f["honest"], "the expert audited as a planner says what the honest one does"
