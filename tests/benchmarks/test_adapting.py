"""What adapters gain is compared on the same scenes, and what was not run says so."""

from __future__ import annotations

from typing import Any

import pytest


def _stamps(scores: dict[str, list[float]]) -> dict[str, Any]:
    """Stamps of drives over as many scenes, each in a place of its own; the last scene cannot be driven by anyone."""
    return {
        f"drive-{name}": {
            "figures": {
                "rows": {f"s{k}": [v, False, f"place{k}", k + 1 < len(values)] for k, v in enumerate(values)},
                "failed": 0,
            }
        }
        for name, values in scores.items()
    }  # fmt: skip


def test_the_gain_of_adapters_is_a_share_of_full_fine_tunings() -> None:
    from adapting_page import summary

    base, full = [0.2, 0.4, 0.3, 0.1, 0.0], [0.6, 0.8, 0.8, 0.4, 1.0]
    lora = [b + 0.9 * (f - b) for b, f in zip(base, full, strict=True)]
    told = summary(_stamps({"base-new": base, "full-0-new": full, "lora-0-new": lora}), 1)
    assert told["share"] == {key: pytest.approx(0.9) for key in ("value", "low", "high")}
    assert told["gains"]["full"]["value"] == pytest.approx(0.4)
    assert told["gains"]["full"]["low"] > 0.0


def test_where_nothing_is_gained_there_is_no_share() -> None:
    from adapting_page import summary

    told = summary(_stamps({"base-new": [0.5] * 4, "full-0-new": [0.5] * 4, "lora-0-new": [0.9] * 4}), 1)
    assert told["share"] is None


def test_a_gain_that_is_not_sure_has_a_share_without_an_interval() -> None:
    from adapting_page import page, summary

    stamps = _stamps(
        {"base-new": [0.5] * 5, "full-0-new": [0.3, 0.9, 0.4, 0.8, 0], "lora-0-new": [0.4, 0.7, 0.4, 0.7, 0]}
    )
    assert summary(stamps, 1)["share"] == {"value": pytest.approx(0.5), "low": None, "high": None}
    assert "**0.50** times (no interval" in page(stamps, "merge", 1)


def test_what_is_kept_of_the_old_is_beside_the_base() -> None:
    from adapting_page import summary

    told = summary(_stamps({"base-old": [0.8] * 3, "full-0-old": [0.4] * 3, "lora-0-old": [0.8] * 3}), 1)
    assert told["kept"] == {"full": pytest.approx(0.5), "lora": pytest.approx(1.0)}


def test_a_page_of_nothing_says_not_run() -> None:
    from adapting_page import page

    written = page({}, "merge", 1)
    assert written.count("not run") > 10
    assert "0.9" not in written
