"""Runs as if they had been measured: what is compared and decided is tested without a vendor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from waytrace.providers import Run
from waytrace.providers.cost import Usage
from waytrace.providers.endpoint import Mode
from waytrace.providers.families import Outcome
from waytrace.providers.results import Row

PRICE = {"currency": "USD", "checked_on": "2026-11-20"}


def run_of(
    name: str, passes: Mapping[str, float], *, mode: Mode = "live", epochs: int = 1, cost: float = 0.001,
    latency_s: float = 1.0, outcomes: Mapping[str, Outcome] | None = None, details: Mapping[str, Any] | None = None,
    kinds: Mapping[str, str] | None = None, price: Mapping[str, Any] | None = PRICE, calls: int | None = None,
) -> Run:  # fmt: skip
    """A run of items (``family/number``) that passes the first share of each item's epochs."""
    provider, _, model = name.partition(" ")
    rows = []
    for item, share in passes.items():
        for epoch in range(epochs):
            outcome = Outcome.PASS if epoch < round(share * epochs) else Outcome.FAIL
            outcome = (outcomes or {}).get(item, outcome)
            score = None if outcome in (Outcome.MODERATION, Outcome.INFRASTRUCTURE) else float(outcome is Outcome.PASS)
            rows.append(
                Row(item, item.split("/")[0], epoch, outcome, score, details or {}, latency_s, cost,
                    Usage(100, 0, 50, 20), (kinds or {}).get(item, ""))
            )  # fmt: skip
    families = sorted({row.family for row in rows})
    settings = {
        "provider": provider, "model": model, "region": "own", "endpoint": "https://8.8.8.8/v1", "mode": mode,
        "settings": {"thinking": None, "temperature": 0.0}, "families": dict.fromkeys(families, "1"),
        "epochs": dict.fromkeys(families, epochs),
        "items": {f: [i for i in passes if i.split("/")[0] == f] for f in families},
    }  # fmt: skip
    manifest = {
        "price": price, "stopped": "", "began": "2026-11-26", "temperature_fell_back": False, "temperature_sent": 0.0,
        "versions": {"waytrace": "0"},
    }  # fmt: skip
    return Run(
        Path(name),
        mode,
        settings,
        manifest,
        tuple(rows),
        (0.5, 0.6, 0.7),
        (40.0, 50.0),
        len(rows) if calls is None else calls,
    )
