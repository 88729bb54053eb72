"""The micro GPT from its atoms: the expert shows a few moments, a model of one layer learns them by heart and says why.

    python examples/micro_gpt.py

There is no training loop in the package's NumPy form but this one; `waytrace train sft` does it with PyTorch.
"""

import time

import numpy as np

from waytrace.catalogue import generate
from waytrace.label import from_certificate, setting
from waytrace.microgpt import Adam, Example, GPTConfig, Learned, count, forward_pass, gradients, initial, scene_tokens
from waytrace.planners import Expert
from waytrace.scenario.roads import RoadCache
from waytrace.sim import World
from waytrace.trace import sentence

FAMILIES = ("lead-braking", "pedestrian-near", "red-light", "unprotected-left")
STEPS = 160

# The dataset: what the expert sees, says and does after three seconds of driving.
world, expert, state = World([generate(family, seed=3) for family in FAMILIES], traffic="reactive"), Expert(), None
for _ in range(6):
    plan, _, state = expert.plan(world.observe(), state)
    world.step_plans(plan, ticks=5)
observation = world.observe()
expert.plan(observation, state)
tokens = scene_tokens(observation, np.full((len(FAMILIES), 2), -1, np.int8))
examples, labels = [], []
for b in range(len(FAMILIES)):
    at = setting(observation, b, expert.forecasts[b], RoadCache())
    label, _ = from_certificate(expert.certificates[b], at)
    driven = {"accel": label.plan.accel_mps2, "curvature": label.plan.curvature_1pm, "speed_mps": label.plan.start[3]}
    examples.append(Example.of(label.trace, at.present, tokens, b, **driven))
    labels.append(label)

# The parameters, a plain dictionary; and training: forward, backward, update.
config = GPTConfig(depth=1)
parameters, adam = initial(config, seed=1), Adam(learning_rate=1e-2)
slots = sum(len(example.slot) for example in examples)
print(f"{count(parameters):,} parameters, {len(examples)} moments, {slots} slots with a choice")
began = time.perf_counter()
for step in range(STEPS):
    b = step % len(FAMILIES)
    loss, made = forward_pass(parameters, config, tokens, b, [examples[b]])
    adam.update(parameters, gradients(parameters, config, made), scale=1 - step / STEPS)
    if step % 40 == b == 0 or step == STEPS - 1:
        print(f"step {step:3d}  loss {loss:6.3f}")
print(f"{STEPS} steps in {time.perf_counter() - began:.1f} s")

# The planner that has learned it: what it says, beside what the expert said.
planner = Learned(parameters)
plan, traces, _ = planner.plan(observation, None)
for b, (family, trace, label) in enumerate(zip(FAMILIES, traces, labels, strict=True)):
    apart_m = np.abs(plan.waypoints[b, :, :2] - label.plan.waypoints[:, :2]).max()
    mass = np.mean([w.mass for w in planner.thoughts[b].written if w.chosen])
    print(f"\n{family}\n  expert: {sentence(label.trace)}\n  model:  {sentence(trace)}")
    print(f"  plans at most {apart_m:.1f} m apart; {100 * mass:.0f} % of the probability on legal values")
