"""A planner behind HTTP, in the standard library alone: follows its route, keeps its distance, stops at red.

    python http_planner.py 8700
    waytrace eval http://127.0.0.1:8700/plan --scenarios STORE

A GET says who plans, a POST of an observation gets a plan. Any language can do this; see docs/bring-your-own.md.
"""

import json
import math
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

NAME, VERSION = "cautious", "1"  # results are named after both: raise the version when the planner changes
MOST_BYTES = 50_000_000
WANTED_MPS, GAP_M, HEADWAY_S = 12.0, 4.0, 1.5


def plan(observation):
    """16 knots of (acceleration, curvature), 0.5 s each, from one observation."""
    ego = observation["ego"]
    x, y, heading = ego["rear_axle"]
    speed = ego["speed_mps"]

    def seen(point):  # in the frame of the rear axle: metres ahead, metres to the left
        dx, dy = point[0] - x, point[1] - y
        ahead = dx * math.cos(heading) + dy * math.sin(heading)
        return ahead, dy * math.cos(heading) - dx * math.sin(heading)

    reach = max(8.0, 1.5 * speed)
    lanes = {lane["id"]: lane for lane in observation["map"]["lanes"]}
    points = [seen(p) for group in observation["route"] for lane in group for p in dense(lanes[lane]["centre"])]
    near = [p for p in points if p[0] > 0.5 * reach and abs(p[1]) < p[0]]
    ahead, left = min(near, key=lambda p: abs(math.hypot(*p) - reach) + abs(p[1]), default=(reach, 0.0))
    curvature = 2.0 * left / (ahead * ahead + left * left)  # pure pursuit

    obstacles = [(seen(a["pose"]), 0.5 * a["length_m"], a["speed_mps"]) for a in observation["agents"]]
    route = {lane for group in observation["route"] for lane in group}
    red = [light for light in observation["lights"] if light["state"] == "red" and light["lane"] in route]
    obstacles += [(seen(light["stop_xy"]), 0.0, 0.0) for light in red]
    wanted = [WANTED_MPS, lanes_limit(lanes, route)]
    accel = 1.5 * (1.0 - (speed / min(wanted)) ** 4)
    for (ahead, left), half, theirs in obstacles:  # the intelligent driver model, behind whatever is in the way
        gap = ahead - 0.8 * ego["length_m"] - half
        if ahead > 0.0 and abs(left - 0.5 * curvature * ahead * ahead) < 2.0:
            closing = speed * (speed - theirs) / (2.0 * math.sqrt(1.5 * 2.0))
            desired = GAP_M + max(0.0, HEADWAY_S * speed + closing)
            accel = min(accel, 1.5 * (1.0 - (speed / min(wanted)) ** 4 - (desired / max(gap, 0.5)) ** 2))
    return [[min(max(accel, -6.0), 1.5), min(max(curvature, -0.2), 0.2)]] * 16


def dense(line, step=1.0):
    for a, b in pairwise(line):
        count = max(1, round(math.dist(a, b) / step))
        yield from ((a[0] + k / count * (b[0] - a[0]), a[1] + k / count * (b[1] - a[1])) for k in range(count))


def lanes_limit(lanes, route):
    limits = [lanes[i]["speed_limit_mps"] for i in route if i in lanes]
    return min((limit for limit in limits if limit is not None), default=WANTED_MPS)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({"schema": "waytrace.planner/1", "name": NAME, "version": VERSION})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > MOST_BYTES:
            self.send_error(413)
            return
        observation = json.loads(self.rfile.read(length))
        self.answer({"schema": "waytrace.plan/1", "controls": plan(observation)})

    def answer(self, record):
        body = json.dumps(record).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8700), Handler)
    print(f"http://127.0.0.1:{server.server_port}/plan", flush=True)
    server.serve_forever()
