"""A planner of one's own: keeps to its lane, brakes for what is near ahead. `waytrace eval my_planner:Cautious ...`"""

import numpy as np

from waytrace.observe import column
from waytrace.planners import make_plan
from waytrace.scenario import REAR_AXLE_TO_CENTRE

SPEED, LANE_D, LANE_ERROR = (column("ego", name) for name in ("speed", "lane_d", "lane_heading_error"))
X, Y = column("agents", "x"), column("agents", "y")


class Cautious:
    name, privileged = "cautious", False

    def reset(self, ids, world=None):
        pass  # nothing is remembered between decisions

    def plan(self, observation, state):
        ego, x, y = observation.ego, observation.agents[..., X], observation.agents[..., Y]
        ahead = observation.valid("agents") & (x > 0) & (abs(y) < 2)
        gap, speed = np.where(ahead, x, np.inf).min(axis=1), ego[:, SPEED]
        accel = np.where(gap < 8 + 2 * speed, -4.0, np.where(speed < 12, 1.0, 0.0))
        reach = np.maximum(8, 1.5 * speed)
        curvature = -(ego[:, LANE_D] + 2 * reach * ego[:, LANE_ERROR]) / reach**2
        centre = np.array([[*scene.ego.pose, scene.ego.speed_mps] for scene in observation.scenes])
        back = np.array([REAR_AXLE_TO_CENTRE * scene.ego.length_m for scene in observation.scenes])
        start = centre - np.stack([back * np.cos(centre[:, 2]), back * np.sin(centre[:, 2]), 0 * back, 0 * back], 1)
        controls = (np.outer(wanted, np.ones(16)) for wanted in (accel, curvature))  # 16 knots of 0.5 s
        return make_plan(observation.time_s, start, *controls, self.name), None, state
