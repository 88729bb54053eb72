"""The audit of hand-made scenes: what is a cause, what was left out, what an option would do, what was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waytrace.evaluate.audit import audit, audit_lines, with_audit
from waytrace.evaluate.audit_moment import AuditMoment
from waytrace.evaluate.audit_tools import TOOLS, ToolError, tool_verdicts
from waytrace.label import Asker, header_of, label_drive, line_of
from waytrace.observe import Reference, ReferenceKind
from waytrace.observe.rebuilt import scene_at
from waytrace.report.traces import read_told
from waytrace.scenario import AgentKind, LightState, Scenario, WaytraceError, scenario_hash
from waytrace.trace import Cause, Verdict
from waytrace.trace.file import TraceFileError, TraceLine, from_record, to_record

from ..planners.conftest import scene

CAR, WALKER = AgentKind.VEHICLE, AgentKind.PEDESTRIAN
LEAD, BEHIND = Reference(ReferenceKind.AGENT, 1), Reference(ReferenceKind.AGENT, 2)
LIGHT = Reference(ReferenceKind.LIGHT, 0)


def _line(scenario: Scenario) -> TraceLine:
    (moment,) = label_drive(scenario, ticks=[0], traffic="replay")
    return line_of(scenario.id, 0, header_of(moment.label, moment.at, scenario_hash(scenario)), moment.label)


def _saying(line: TraceLine, **changes: Any) -> TraceLine:
    return replace(line, trace=replace(line.trace, decision=replace(line.trace.decision, **changes)))


def _by_rule(verdicts: tuple[Verdict, ...], rule: str) -> list[Verdict]:
    return [v for v in verdicts if v.rule == f"audit.{rule}"]


@pytest.fixture(scope="module")
def following() -> tuple[Scenario, TraceLine]:
    """A slower car 25 m ahead, and one far behind; what the expert says of it."""
    scenario = scene((CAR, 85.0, 0.0, 0.0, 6.0), (CAR, 20.0, 0.0, 0.0, 6.0))
    return scenario, _line(scenario)


@pytest.fixture(scope="module")
def cause(following: tuple[Scenario, TraceLine]) -> Cause:
    (found,) = following[1].trace.decision.causes
    return found


def test_nothing_that_an_honest_trace_says_is_false(following: tuple[Scenario, TraceLine]) -> None:
    scenario, line = following
    verdicts = audit(line, scenario)
    assert {v.value for v in verdicts} == {"true"}
    assert {v.kind for v in verdicts} == {"interventional"}
    assert len(_by_rule(verdicts, "rejected")) == len(line.trace.decision.rejected)


def test_a_cited_leader_that_matters_is_borne_out(following: tuple[Scenario, TraceLine]) -> None:
    (found,) = _by_rule(audit(following[1], following[0]), "necessary")
    assert found.value == "true"
    assert found.evidence["ref"] == str(LEAD)
    assert found.slack == pytest.approx(float(found.evidence["along_m"]) - 1.0, abs=2e-3)
    assert found.slack > 0.0


def test_a_cited_car_far_behind_is_not(following: tuple[Scenario, TraceLine], cause: Cause) -> None:
    scenario, line = following
    verdicts = audit(_saying(line, causes=(replace(cause, ref=BEHIND),)), scenario)
    (found,) = _by_rule(verdicts, "necessary")
    assert found.value == "false"
    assert found.slack < 0.0
    assert found.evidence["along_m"] == 0.0


def test_an_omitted_leader_is_found_and_nobody_else(following: tuple[Scenario, TraceLine]) -> None:
    scenario, line = following
    (found,) = _by_rule(audit(_saying(line, causes=()), scenario), "omission")
    assert found.value == "false"
    assert found.evidence["ref"] == str(LEAD)


def test_agents_beyond_the_stated_number_are_not_asked_about(following: tuple[Scenario, TraceLine]) -> None:
    scenario, line = following
    (found,) = _by_rule(audit(_saying(line, causes=()), scenario, most_agents=0), "omission")
    assert found.value == "undetermined", "all that is uncited moves the plan, but nobody was asked about alone"


def test_a_trace_that_cites_all_that_it_can_is_not_blamed(following: tuple[Scenario, TraceLine], cause: Cause) -> None:
    scenario, line = following
    full = tuple(replace(cause, ref=BEHIND, role="joint") for _ in range(4))
    (found,) = _by_rule(audit(_saying(line, causes=full), scenario), "omission")
    assert found.value == "undetermined"


def test_a_cause_that_is_not_there_is_none(following: tuple[Scenario, TraceLine], cause: Cause) -> None:
    scenario, line = following
    for ref in (
        Reference(ReferenceKind.AGENT, 77),
        Reference(ReferenceKind.LIGHT, 9),
        Reference(ReferenceKind.LANE, 999),
    ):
        (found,) = _by_rule(audit(_saying(line, causes=(replace(cause, ref=ref),)), scenario), "cause")
        assert (found.value, found.evidence["ref"]) == ("false", str(ref))


def test_a_route_cannot_be_undone(following: tuple[Scenario, TraceLine], cause: Cause) -> None:
    scenario, line = following
    lane = replace(cause, ref=Reference(ReferenceKind.LANE, 0), constraint="route_feasibility")
    (found,) = _by_rule(audit(_saying(line, causes=(cause, lane)), scenario), "cause")
    assert (found.claim, found.value) == ("decision.causes[1]", "undetermined")


def test_who_overdetermines_is_undone_as_a_set(cause: Cause) -> None:
    """A red light and someone who stands before it: neither alone lets the ego through, both do."""
    scenario = scene((CAR, 134.0, 0.0, 0.0, 0.0), light=LightState.RED)
    line = _line(scenario)
    both = tuple(
        replace(cause, ref=ref, role="overdetermining", constraint=name)
        for ref, name in ((LEAD, "headway"), (LIGHT, "stop_point"))
    )
    found = _by_rule(audit(_saying(line, causes=both), scenario), "together")
    assert [v.value for v in found] == ["true", "true"]
    assert found[0].evidence["along_m"] == found[1].evidence["along_m"] > 1.0


def test_nobody_is_smuggled_into_a_set(following: tuple[Scenario, TraceLine], cause: Cause) -> None:
    """The leader moves the plan, so the set does; the car far behind adds nothing to it."""
    scenario, line = following
    both = tuple(replace(cause, ref=ref, role="overdetermining") for ref in (LEAD, BEHIND))
    found = _by_rule(audit(_saying(line, causes=both), scenario), "together")
    assert [(v.evidence["ref"], v.value) for v in found] == [(str(LEAD), "true"), (str(BEHIND), "false")]


def test_an_uncited_red_light_is_an_omission_and_a_green_one_is_not() -> None:
    for light, value in ((LightState.RED, "false"), (LightState.GREEN, "true")):
        scenario = scene(light=light)
        (found,) = _by_rule(audit(_saying(_line(scenario), causes=()), scenario), "omission")
        assert found.value == value, light
    assert found.evidence["asked"] == 0


@pytest.mark.parametrize(
    "wrong", [{"violates": "cross_conflict"}, {"ref": BEHIND}, {"violates": "nothing", "ref": None}],
    ids=["constraint", "reference", "nothing"],
)  # fmt: skip
def test_a_wrong_violation_is_found(following: tuple[Scenario, TraceLine], wrong: dict[str, Any]) -> None:
    scenario, line = following
    free = line.trace.decision.rejected[0]
    assert (free.violates, free.ref) == ("headway", LEAD)
    (right,) = _by_rule(audit(_saying(line, rejected=(free,)), scenario), "rejected")
    (found,) = _by_rule(audit(_saying(line, rejected=(replace(free, **wrong),)), scenario), "rejected")
    assert (right.value, found.value) == ("true", "false")
    assert (found.evidence["violates"], found.evidence["ref"]) == ("headway", str(LEAD))
    assert float(found.evidence["at_s"]) > 0.0
    assert float(found.evidence["margin"]) > 0.0


def test_an_option_that_the_expert_takes_or_does_not_have(following: tuple[Scenario, TraceLine]) -> None:
    scenario, line = following
    free = line.trace.decision.rejected[0]
    told = (replace(free, option="follow"), replace(free, axis="lateral", option="u_turn"))
    found = _by_rule(audit(_saying(line, rejected=told), scenario), "rejected")
    assert [v.value for v in found] == ["false", "undetermined"]


CALLS = [
    ("gap", {"ref": "agent:1"}), ("predict", {"ref": "agent:1", "t_s": 2.0}),
    ("rollout_option", {"axis": "longitudinal", "option": "set_speed"}), ("signal_state", {"ref": "light:0"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def lit() -> tuple[Scenario, TraceLine]:
    scenario = scene((CAR, 85.0, 0.0, 0.0, 6.0), light=LightState.RED)
    return scenario, _line(scenario)


@pytest.fixture(scope="module")
def moment(lit: tuple[Scenario, TraceLine]) -> AuditMoment:
    return AuditMoment.of(scene_at(lit[0], 0), Asker())


def _called(line: TraceLine, name: str, args: Any, result: Any, **more: Any) -> TraceLine:
    return replace(line, more={"tools": [{"name": name, "args": args, "result": result, "ms": 0.2, **more}]})


def _known(lit: tuple[Scenario, TraceLine], name: str, args: dict[str, Any]) -> dict[str, Any]:
    """What a tool says: read from the audit's own objection to an empty answer."""
    (found,) = _by_rule(audit(_called(lit[1], name, args, {}), lit[0]), "tool")
    assert found.value == "false"
    return {k: v for k, v in found.evidence.items() if k != "tool" and not k.startswith("said_")}


@pytest.mark.parametrize(("name", "args"), CALLS, ids=[name for name, _ in CALLS])
def test_a_tool_call_is_done_again(lit: tuple[Scenario, TraceLine], name: str, args: dict[str, Any]) -> None:
    scenario, line = lit
    result = _known(lit, name, args)
    (right,) = _by_rule(audit(_called(line, name, args, result), scenario), "tool")
    assert right.value == "true"
    for key, value in result.items():
        other = value + 5.0 if isinstance(value, float) else "something else"
        (wrong,) = _by_rule(audit(_called(line, name, args, {**result, key: other}), scenario), "tool")
        assert wrong.value == "false", key
        assert key in wrong.why


def test_tools_measure_what_is_there(lit: tuple[Scenario, TraceLine]) -> None:
    assert {name for name, _ in CALLS} == set(TOOLS)
    assert _known(lit, "gap", {"ref": "agent:1"})["gap_m"] == pytest.approx(25.0 - 4.8, abs=0.1)
    assert _known(lit, "signal_state", {"ref": "light:0"})["state"] == "red"
    assert _known(lit, "predict", {"ref": "agent:1", "t_s": 0.0})["x_m"] == pytest.approx(85.0, abs=0.1)


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ({"name": "gap"}, "list"), ([3], "object"), ([{"name": "gap", "args": {}}], "result"),
        ([{"name": "oracle", "args": {}, "result": {}}], "gap, predict, rollout_option, signal_state"),
        ([{"name": [], "args": {}, "result": {}}], "no tool"),
        ([{"name": "gap", "args": [], "result": {}}], "objects"),
        ([{"name": "gap", "args": {"ref": 4}, "result": {}}], "reference"),
        ([{"name": "gap", "args": {"ref": "car:4"}, "result": {}}], "no reference"),
        ([{"name": "gap", "args": {"ref": "agent:99"}, "result": {}}], "no agent:99"),
        ([{"name": "signal_state", "args": {"ref": "agent:1"}, "result": {}}], "light"),
        ([{"name": "predict", "args": {"ref": "agent:1", "t_s": 99}, "result": {}}], "t_s"),
        ([{"name": "rollout_option", "args": {"axis": 1}, "result": {}}], "texts"),
        ([{"name": "gap", "args": {"ref": "agent:1"}, "result": {}, "ms": "fast"}], "milliseconds"),
    ],
)  # fmt: skip
def test_tool_calls_that_nobody_knows_are_refused(lit: tuple[Scenario, TraceLine], tools: Any, said: str) -> None:
    scenario, line = lit
    with pytest.raises(ToolError, match=said) as refused:
        audit(replace(line, more={"tools": tools}), scenario)
    assert str(refused.value).startswith("by-hand, tick 0: ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6,
)  # fmt: skip
REFS = st.sampled_from(
    ["agent:1", "light:0", "lane:0", "lane:999999999999999999999", "stop_line:0", "ego:0", "agent:٣"]
)
ARGS = st.dictionaries(
    st.sampled_from(["ref", "t_s", "axis", "option"]), REFS | JSON | st.sampled_from(["longitudinal", "set_speed"])
)
CALL = st.fixed_dictionaries(
    {"name": st.sampled_from(sorted(TOOLS)) | JSON, "args": ARGS | JSON,
     "result": JSON | st.dictionaries(st.sampled_from(["gap_m", "state", "x_m", "heading_rad"]), JSON)},
    optional={"ms": JSON},
)  # fmt: skip


@given(tools=JSON | st.lists(CALL, max_size=3))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_stands_under_tools_is_judged_or_refused(moment: AuditMoment, tools: Any) -> None:
    try:
        found = list(tool_verdicts(tools, moment))
    except ToolError:
        return
    assert [v.claim for v in found] == [f"tools[{n}].result" for n in range(len(tools or []))]
    for verdict in found:
        assert Verdict.from_json(json.loads(json.dumps(verdict.to_json(), allow_nan=False))) == verdict


def test_a_trace_of_another_moment_is_refused(following: tuple[Scenario, TraceLine]) -> None:
    scenario, line = following
    with pytest.raises(TraceFileError, match="scene_hash"):
        audit(replace(line, header=replace(line.header, scene_hash="0" * 64)), scenario)
    with pytest.raises(WaytraceError, match="not in the drive"):
        audit(replace(line, tick=9000), scenario)


def test_later_decisions_are_judged_with_what_the_expert_carried() -> None:
    """Labelled in closed loop and audited from the recording of that drive, every claim is as it was."""
    scenario = scene((CAR, 85.0, 0.0, 0.0, 6.0), (CAR, 100.0, -3.5, 0.0, 9.0), lanes=2)
    lines, world = [], None
    for moment in label_drive(scenario, ticks=[10, 15, 30], traffic="replay"):
        world = moment.world
        header = header_of(moment.label, moment.at, scenario_hash(scenario))
        lines.append(line_of(scenario.id, moment.tick, header, moment.label))
    assert world is not None
    rollout = world.rollouts()[0]
    found = list(audit_lines(lines[::-1], lambda _: scenario, lambda _: rollout))
    assert [line.tick for line, _ in found] == [10, 15, 30]
    for line, verdicts in found:
        assert [v for v in _by_rule(verdicts, "rejected") if v.value == "false"] == [], line.tick


def test_an_audited_line_is_read_and_shown(following: tuple[Scenario, TraceLine]) -> None:
    scenario, line = following
    verdicts = audit(line, scenario)
    record = to_record(with_audit(line, verdicts))
    assert from_record(record).audit == tuple(v.to_json() for v in verdicts)
    assert [Verdict.from_json(entry) for entry in record["audit"]] == list(verdicts)
    told = read_told(record, "here")
    assert len(told.audit) == len(verdicts)
    assert told.audit[0].startswith("Without agent:1 the expert's plan moves")
    again = with_audit(with_audit(line, verdicts), verdicts)
    assert again.audit == with_audit(line, verdicts).audit
