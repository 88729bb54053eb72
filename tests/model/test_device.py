"""Devices and precisions by name; what there is not is refused with what there is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from waytrace.model import EVERY, Waytrace, autocast, choose_device, pack
from waytrace.model.drawn import Samples
from waytrace.scenario import WaytraceError


def test_devices_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device().type == choose_device("cpu").type == "cpu"
    with pytest.raises(WaytraceError, match=r"'cuda:1' cannot be used.*It finds: cpu"):
        choose_device("cuda:1")
    with pytest.raises(WaytraceError, match="no device 'tpu'"):
        choose_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("cuda:1") == torch.device("cuda:1")
    assert choose_device().type == "cuda"


def test_precisions_by_name(nano: Waytrace, batch: Samples) -> None:
    made = pack(batch, EVERY, np.random.default_rng(0))
    device = nano.to(choose_device("cpu")).device
    losses = {}
    for precision in ("fp32", "bf16"):
        with autocast(device, precision):
            losses[precision] = nano.loss(made)[0].item()
    assert losses["fp32"] == nano.loss(made)[0].item()
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)
    with pytest.raises(WaytraceError, match="no precision 'fp16'"):
        autocast(device, "fp16")
