from __future__ import annotations

import pytest

from waytrace.catalogue.draws import Draw


def test_a_draw_depends_on_its_name_alone():
    draw = Draw("a/b")
    first = draw.unit("gap")
    draw.unit("other")
    assert draw.unit("gap") == first == Draw("a/b").unit("gap")
    assert draw.unit("other") != first
    assert draw.sub(1).unit("gap") != draw.sub(2).unit("gap")


def test_known_values_never_change():
    assert Draw("cut-in@1/train/scene/7").unit("gap") == 0.72944880617648


def test_draws_fill_their_range_evenly():
    draw = Draw("range")
    values = [draw.uniform(str(i), (2.0, 6.0)) for i in range(2000)]
    assert min(values) >= 2.0
    assert max(values) < 6.0
    assert sum(values) / 2000 == pytest.approx(4.0, abs=0.1)
    assert all(1.0 <= draw.log_uniform(str(i), (1.0, 120.0)) < 120.0 for i in range(200))


def test_weights_are_kept():
    draw = Draw("weights")
    picked = [draw.choice(str(i), ("a", "b", "c"), (3.0, 1.0, 0.0)) for i in range(2000)]
    assert picked.count("c") == 0
    assert picked.count("a") / 2000 == pytest.approx(0.75, abs=0.04)
