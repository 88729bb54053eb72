"""temporary"""
from __future__ import annotations
from dataclasses import dataclass
from waytrace.observe import Reference, Scene, ReferenceKind
from waytrace.trace import Entity, Present, SceneSummary, sets
@dataclass(frozen=True)
class Survey:
    summary: SceneSummary
    gives_way_here: bool = False
    def entities(self, cited, present):
        return []
def survey(scene):
    v = scene.ego.speed_mps
    return Survey(SceneSummary("follow_lane","standing" if v<.3 else "steady",sets.EGO_SPEED.number(v) if v>=.3 else 0,0,"road","none"))
