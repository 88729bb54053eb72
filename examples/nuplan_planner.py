"""A planner in the style of nuPlan's AbstractPlanner, driven here. `waytrace eval nuplan_planner:Adapted ...`

`LaneFollower` is what one brings: its four methods are nuPlan's. One that was written against nuplan-devkit imports
its types from there; this one takes the look-alikes, so that it runs without. `Adapted` is all that is to be added.
"""

import math

from waytrace.planners.nuplan import DetectionsTracks, InterpolatedTrajectory, NuplanAdapter, SemanticMapLayer

HORIZON_S, STEP_S = 8.0, 0.5
WANTED_MPS, HEADWAY_S, GAP_M, ACCEL_MPS2 = 12.0, 1.5, 4.0, 1.5


class LaneFollower:
    """Along the centre lines of its route, behind whoever is ahead on them."""

    requires_scenario = False

    def initialize(self, initialization):
        self.map_api, self.blocks = initialization.map_api, initialization.route_roadblock_ids

    def name(self):
        return "lane-follower"

    def observation_type(self):
        return DetectionsTracks

    def compute_planner_trajectory(self, current_input):
        ego, observation = current_input.history.current_state
        path = self.path_from(ego.center)
        red = {light.lane_connector_id for light in current_input.traffic_light_data if light.status.name == "RED"}
        gap, theirs = self.ahead(ego, path, observation.tracked_objects, red)
        pose, speed = (ego.rear_axle.x, ego.rear_axle.y, ego.rear_axle.heading), ego.dynamic_car_state.speed
        poses = [(*pose, speed)]
        for _ in range(round(HORIZON_S / STEP_S)):
            closing = speed * (speed - theirs) / (2.0 * ACCEL_MPS2)
            desired = GAP_M + max(0.0, HEADWAY_S * speed + closing)
            accel = ACCEL_MPS2 * (1.0 - (speed / WANTED_MPS) ** 4 - (desired / max(gap, 0.5)) ** 2)
            after = max(0.0, speed + STEP_S * max(-6.0, accel))
            way = 0.5 * STEP_S * (speed + after)
            aim = self.aim(pose, path, max(8.0, 1.5 * speed))
            turn = max(-0.2, min(0.2, aim)) * way
            x, y, heading = pose
            pose = (x + way * math.cos(heading + 0.5 * turn), y + way * math.sin(heading + 0.5 * turn), heading + turn)
            gap, speed = gap - way + STEP_S * theirs, after
            poses.append((*pose, speed))
        return InterpolatedTrajectory.of(current_input.iteration.time_us, poses, STEP_S)

    def path_from(self, centre):
        """(pose, connector id or None) along the route's lanes from the one nearest to the ego."""
        layers = [SemanticMapLayer.LANE, SemanticMapLayer.LANE_CONNECTOR]
        near = [
            lane for found in self.map_api.get_proximal_map_objects(centre, 30.0, layers).values() for lane in found
        ]
        mine = [lane for lane in near if lane.get_roadblock_id() in self.blocks] or near
        if not mine:
            return []
        lane = min(mine, key=lambda e: e.baseline_path.get_nearest_pose_from_position(centre).distance_to(centre))
        start = lane.baseline_path.get_nearest_arc_length_from_position(centre)
        path = [(pose, None) for k, pose in enumerate(lane.baseline_path.discrete_path) if k >= start]
        for _ in range(8):
            onward = [
                edge for edge in lane.outgoing_edges if edge.get_roadblock_id() in self.blocks
            ] or lane.outgoing_edges
            if not onward:
                break
            lane = onward[0]
            path += [(pose, lane.id) for pose in lane.baseline_path.discrete_path]
        return path

    def ahead(self, ego, path, others, red):
        """(gap, speed) of the nearest thing on the path; a closed connector stands."""
        found = [(1000.0, WANTED_MPS)]
        front = 0.5 * ego.car_footprint.length
        for k, (pose, connector) in enumerate(path):
            if connector in red:
                found.append((k - front, 0.0))
                break
            found += [
                (k - front - other.box.half_length, other.velocity.magnitude())
                for other in others
                if pose.distance_to(other.center) < 0.5 * other.box.width + 1.0
            ]
        return min(found)

    def aim(self, pose, path, reach):
        """Curvature of the arc to the point of the path that is ``reach`` away."""
        x, y, heading = pose
        for target, _ in path:
            dx, dy = target.x - x, target.y - y
            ahead = dx * math.cos(heading) + dy * math.sin(heading)
            if ahead > 0.0 and math.hypot(dx, dy) >= reach:
                return 2.0 * (dy * math.cos(heading) - dx * math.sin(heading)) / (dx * dx + dy * dy)
        return 0.0


class Adapted(NuplanAdapter):
    name = "nuplan-lane-follower"

    def make(self):
        return LaneFollower()
