"""What the grammar allows at each slot of a labelled trace, from a sample alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.microgpt import PLACES, SceneTokens
from waytrace.microgpt.columns import COLUMNS, KINDS
from waytrace.observe import REFERENCE_KIND, ReferenceKind
from waytrace.trace import SLOTS, Present, sets, walk
from waytrace.trace.slots import ROW_COUNT

Mask = NDArray[np.bool_]

_FIRST_PIECE = COLUMNS["map"].index("first")
_CLASS = [COLUMNS["agent"].index(name) for name in KINDS]
_PROXIMATE = sets.ROLE.number("proximate")


class Walked(NamedTuple):
    """A labelled trace walked through the grammar."""

    legal: tuple[Mask, ...]
    """Of each recorded slot which of its values are legal; shorter than the trace where something is cited that has
    no token."""
    proximate: tuple[int, ...]
    """Numbers, among the recorded slots, of the references of proximate causes."""


def present_of(tokens: SceneTokens, b: int) -> Present:
    """What a trace can point at in moment ``b``: the elements that have a token, each by its first row."""
    index = np.full(ROW_COUNT, -1, np.int32)
    classes = ["unknown"] * PLACES["agent"]
    first = 0
    agents = np.flatnonzero(REFERENCE_KIND == ReferenceKind.AGENT)[0]
    for kind, places in PLACES.items():
        for place in np.flatnonzero(tokens.valid[b, first : first + places]):
            row = int(tokens.row[b, first + place])
            if row < 0 or (kind == "map" and tokens.map[b, place, _FIRST_PIECE] < 0.5):
                continue
            index[row] = row
            if kind == "agent":
                classes[row - agents] = KINDS[int(tokens.agent[b, place, _CLASS].argmax())]
        first += places
    return Present(index, tuple(classes))


def walked(present: Present, slot: NDArray[np.int16], value: NDArray[np.int16]) -> Walked:
    """Walk the grammar along a trace of the slots with a choice ([n], [n]; -1 is padding).

    A slot that is forced here was recorded only if others could be pointed at that have no token: then it is the next
    recorded one, which a forced slot's successor never is.
    """
    recorded = [(SLOTS[s], int(v)) for s, v in zip(slot, value, strict=True) if s >= 0]
    legal: list[Mask] = []
    proximate: list[int] = []
    cited = -1
    steps = walk(present)
    try:
        ask = next(steps)
        while True:
            at = len(legal)
            number = ask.only
            if at < len(recorded) and recorded[at][0] is ask.slot:
                number = recorded[at][1]
                if not ask.legal[number]:
                    break
                legal.append(ask.legal)
                if ask.slot.name == "causes.ref":
                    cited = at
            elif number < 0:
                break
            elif ask.slot.name == "causes.ref":
                cited = -1
            if ask.slot.name == "causes.role" and number == _PROXIMATE and cited >= 0:
                proximate.append(cited)
            ask = steps.send(number)
    except StopIteration:
        pass
    return Walked(tuple(legal), tuple(proximate))
