"""Every threshold of the kinematic rules, each with its reason: the one table that checker and labeller share.

Units are in the names. ``T`` holds the values; ``rows()`` lists them with their reasons for the documentation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields


def _limit(value: float, why: str) -> float:
    return field(default=value, metadata={"why": why})


@dataclass(frozen=True)
class Thresholds:
    """What the rules compare with."""

    reference_range_m: float = _limit(120.0, "how far an observation reaches; a claim about more is made up")
    lead_gap_m: float = _limit(80.0, "beyond it no driver model of the package reacts")
    lead_headway_s: float = _limit(5.0, "longer headways do not constrain a plan of 8 s at equal speeds")
    lead_reach_s: float = _limit(8.0, "a slower one that is reached within the plan's horizon is a lead at any headway")
    headway_least_mps: float = _limit(
        3.0, "headways are counted at no less: in a queue, or standing, the one within 15 m is the lead"
    )
    lead_for_s: float = _limit(1.0, "whoever has come in more recently is a cut-in, not yet a lead")
    nearest_m: float = _limit(0.5, "two that end within this of each other: which is nearest is undetermined")
    in_path_m: float = _limit(0.3, "overlap with the way of the ego's body that makes someone in its path")
    rear_gap_m: float = _limit(80.0, "as for leads")
    rear_headway_s: float = _limit(5.0, "as for leads, at the follower's speed")
    aligned_deg: float = _limit(45.0, "drives the ego's way")
    oncoming_deg: float = _limit(135.0, "comes towards the ego")
    oncoming_gap_m: float = _limit(100.0, "at 2 x 14 m/s less than 4 s away")
    adjacent_gap_m: float = _limit(20.0, "nearer than this it can be beside the ego within seconds")
    adjacent_lane_m: float = _limit(
        3.0, "half width of the neighbouring lane beyond the ego's own, wide lanes included"
    )
    crossing_low_deg: float = _limit(25.0, "flatter ways merge")
    crossing_high_deg: float = _limit(155.0, "steeper ways are oncoming")
    crossing_arrival_s: float = _limit(6.0, "arrivals further apart do not interact")
    merging_arrival_s: float = _limit(6.0, "as for crossings")
    conflict_m: float = _limit(80.0, "conflict zones further along the path are not looked at")
    start_mps2: float = _limit(1.5, "how a standing road user is taken to set off when its arrival is asked for")
    cut_in_gap_m: float = _limit(40.0, "further ahead it does not constrain at town speeds; or within the headway")
    cut_in_s: float = _limit(3.0, "predicted to cross the lane's edge within this")
    lateral_mps: float = _limit(0.25, "recorded vehicles that keep their lane drift by less")
    vru_gap_m: float = _limit(80.0, "as for leads")
    vru_walk_mps: float = _limit(0.3, "slower is standing")
    vru_enter_s: float = _limit(6.0, "reaches the way of the ego's body within this")
    vru_roadside_m: float = _limit(5.0, "from the lane's edge: can step onto the lane within 3 s")
    vru_along_m: float = _limit(1.0, "from the lane's edge: on the lane or the strip beside it")
    vru_along_deg: float = _limit(35.0, "walks or rides along the lane, either way")
    parked_gap_m: float = _limit(80.0, "as for leads")
    parked_for_s: float = _limit(2.0, "whoever has stood for less may be stopping for something")
    blocker_m: float = _limit(0.8, "room left between the ego in mid-lane and it; with more nobody moves aside")
    queue_ahead_m: float = _limit(10.0, "who stands this near behind another one stands in a queue, and is not parked")
    occluder_gap_m: float = _limit(60.0, "beyond it nobody hidden could matter at town speeds")
    occluder_side_m: float = _limit(
        4.0, "from the way of the ego's body: who steps out from behind it is there at once"
    )
    occluder_size_m: float = _limit(1.5, "hides a person from a driver")
    occluder_mps: float = _limit(1.0, "who drives on does not hide a place")
    work_zone_m: float = _limit(8.0, "from the path's middle: on the lane or the one beside it")
    work_zone_gap_m: float = _limit(80.0, "as for leads")
    work_zone_count: float = _limit(3.0, "cones or barriers that make a work zone")
    work_zone_spread_m: float = _limit(20.0, "they stand this near to each other")
    entered_m: float = _limit(1.5, "a line this far behind the bumper has been passed")
    curve_accel_mps2: float = _limit(2.5, "the expert's lateral acceleration; a curve that asks for less is none")
    curve_radius_m: float = _limit(80.0, "tighter is a curve at any speed")
    standing_mps: float = _limit(0.3, "as for stops")
    motion_mps2: float = _limit(0.4, "recorded vehicles at steady speed stay within it over half a second")
    near_mps: float = _limit(0.05, "so near to the edge between two motions both are true")
    near_mps2: float = _limit(0.12, "so near to the edge between two motions both are true")
    motion_window_s: float = _limit(0.5, "accelerations are read off this much history")
    route_intent_m: float = _limit(100.0, "what a route asks for later is not next")
    turn_deg: float = _limit(30.0, "a junction's lanes that turn by less go straight on")
    u_turn_deg: float = _limit(150.0, "turns back")
    zone_m: float = _limit(30.0, "before a junction or crosswalk: where one begins to slow down for it")
    stop_mps: float = _limit(0.3, "a plan that ends slower comes to rest")
    stop_unsure_mps: float = _limit(0.5, "between the two it cannot be told whether a plan comes to rest")
    stop_point_mps: float = _limit(2.0, "a plan that stays faster does not stop for someone who moves")
    stop_before_m: float = _limit(2.0, "a driver stops this near before a line")
    stop_beyond_m: float = _limit(0.6, "a bumper over the line by so little has stopped at it: waypoints are rounded")
    stop_behind_m: float = _limit(
        8.0, "room left behind someone: the standstill gap of driver models, and a car length"
    )
    stop_wait_m: float = _limit(4.0, "room left before a lane's end or another one's way: drivers keep some distance")
    hold_m: float = _limit(0.5, "who moves less stays")
    drop_mps: float = _limit(0.75, "slowing by less is not giving way")
    drop_share: float = _limit(0.15, "the same as a share of the speed")
    yield_apart_s: float = _limit(2.5, "arrivals further apart need no yielding")
    free_accel_mps2: float = _limit(2.0, "how a free driver gathers speed: the package's drivers take 1.5 to 2.2")
    free_loss_mps: float = _limit(0.35, "mean over a plan: a drive that loses less against a free one is free")
    free_drop_mps: float = _limit(1.0, "a free drive may lose as much to control")
    follow_behind_m: float = _limit(0.0, "the plan's front stays behind the lead's rear if the lead goes on as now")
    emergency_mps2: float = _limit(4.0, "harder than the comfort term of the score allows (4.05), less rounding")
    emergency_least_mps2: float = _limit(2.0, "from next to nothing no harder braking is possible; less is none")
    required_mps2: float = _limit(3.0, "braking harder than most drivers ever do")
    offset_keep_m: float = _limit(0.45, "lane keeping, curves included, wanders by less")
    offset_nudge_m: float = _limit(0.3, "the least that is meant")
    offset_in_lane_m: float = _limit(1.2, "further out a car is over the edge of any lane")
    edge_near_m: float = _limit(0.1, "so near to the lane's edge a body is within the lane and over its edge")
    change_m: float = _limit(1.0, "sideways, relative to the lane")
    change_for_s: float = _limit(1.0, "a lane that is touched for less was not changed to")
    rear_decel_mps2: float = _limit(3.0, "what a change of lanes may ask of the one behind")
    gentle_mps2: float = _limit(0.1, "less is holding the speed")
    strong_mps2: float = _limit(1.25, "more is felt by passengers")
    gentle_band_mps2: float = _limit(0.15, "near the edge both neighbours are true")
    strong_band_mps2: float = _limit(0.25, "near the edge both neighbours are true")
    segment_s: float = _limit(0.8, "a shorter segment shows no acceleration reliably")
    cause_room_m: float = _limit(1.5, "beside the ego's way; with more room nothing is limited")
    cause_far_m: float = _limit(3.0, "from the ego's way: who is nearer may yet matter, so it cannot be told")
    forced_mps2: float = _limit(1.0, "who calls for so much braking shows in any plan that heeds it")
    forced_share: float = _limit(0.7, "a cited cause that calls for this share of it explains the plan as well")
    ahead_m: float = _limit(1.0, "who overlaps the ego lengthwise by no more is ahead of it, or behind")
    lead_aligned_deg: float = _limit(
        60.0, "who stands or turns ahead is in the way at larger angles than traffic drives"
    )
    oncoming_side_m: float = _limit(12.0, "from the path's middle: further off is another carriageway")
    plan_s: float = _limit(8.0, "what a plan covers")
    stop_near_m: float = _limit(60.0, "beyond what is driven within a plan: a stop further off does not matter yet")
    stop_moving_m: float = _limit(40.0, "room left behind someone who still rolls when the plan has come to rest")
    rolls_out_mps2: float = _limit(0.5, "how gently someone ahead may come to rest, at least")
    cap_reach_m: float = _limit(15.0, "a limit or bend that begins this far beyond the plan is slowed down for already")
    cap_brake_mps2: float = _limit(1.0, "how gently one may begin to slow down for a limit or a bend")
    cap_below_mps: float = _limit(2.0, "a plan that stays further below a limit is not held back by it")
    gives_way_m: float = _limit(2.0, "a place to give way this far beyond the plan is driven up to")
    sets_off_mps: float = _limit(2.0, "from less one sets off")
    standstill_m: float = _limit(1.0, "room that braking is to leave")
    after_s: float = _limit(0.5, "so much before someone else is at a place at the same time")
    crossed_m: float = _limit(0.8, "so far beside a lane's middle the ego has just crossed into it")
    settled_m: float = _limit(0.6, "so near to a lane's middle a change of lanes has ended")
    gap_search_m: float = _limit(300.0, "before the end of its lane one looks for a gap from here on")
    beside_gap_m: float = _limit(60.0, "a gap this far before or behind is not looked for")
    beside_far_m: float = _limit(5.5, "from the lane's edge to someone's middle: two lanes away at most")
    pass_side_m: float = _limit(4.0, "from the path's middle: who is further off is not passed but driven by")
    creep_m: float = _limit(4.0, "who drives no further within 2 s waits")
    crosses_s: float = _limit(2.5, "when someone on foot has left the way at the latest, for who is to get there after")
    crosses_spare_s: float = _limit(1.5, "how much sooner someone on foot may have left the way than now foreseen")
    turn_seen_deg: float = _limit(3.0, "a segment whose heading turns by less does not show a turn")
    bin_share: float = _limit(0.1, "of a bin's width: so near to an edge both bins are true")


T = Thresholds()


def rows() -> list[tuple[str, float, str]]:
    """Name, value and reason of every threshold."""
    return [(f.name, float(getattr(T, f.name)), str(f.metadata["why"])) for f in fields(T)]
