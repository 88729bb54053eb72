"""The recorded history that a world's agents look at before an episode begins."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import I4, jit
from waytrace.observe import look_back_ticks
from waytrace.scenario import DT_S
from waytrace.scenario.state import AGENT_STATE, AgentState

from .arrays import FIXED, Fixed
from .traffic.drive import put_on_log


@jit("void", FIXED, AGENT_STATE, "i4[:]", "i8")
def put_all_on_log(f: Fixed, st: AgentState, ticks: I4, tick: int) -> None:
    """Set every agent of every world to its recorded state ``tick`` ticks after the start step (negative: before)."""
    for w in range(len(f.agents)):
        step = f.start[w] + tick
        ticks[w] = tick
        for a in range(f.agents[w]):
            st.present[w, a] = step >= 0 and f.log_valid[w, a, max(step, 0)]
            if st.present[w, a]:
                put_on_log(f, st, w, a, step)


def history(f: Fixed, state: AgentState) -> Iterator[tuple[AgentState, NDArray[np.int32]]]:
    """(state, ticks [W]) of every moment of the history that is looked at, oldest first; one array, overwritten."""
    past = AgentState._make([array.copy() for array in state])
    ticks = np.zeros(len(f.start), np.int32)
    for tick in look_back_ticks(int(f.start.max()), DT_S):
        put_all_on_log(f, past, ticks, tick)
        yield past, ticks
