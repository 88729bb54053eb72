// A decision with a cause and without it: the expert's two plans over each other, and what was taken away struck out.
const SHOWN_S = [2, 4, 6], KNOT_S = 0.5;

// What is shown of a decision: what the cause under the pointer or the focus does, else the chosen one of those there are.
function undoneNow(decision) {
  const lit = state.lit && decision.undone.find((u) => u.lines.some((k) => decision.lines[k].ref === state.lit));
  if (lit) return lit;
  return state.undone < 0 || !decision.undone.length ? null : decision.undone[state.undone % decision.undone.length];
}

const undoneNames = (decision, undone) => undone.lines.map((k) => decision.lines[k].head).join(" and ");

function undoneText(decision, undone) {
  const why = [...new Set(undone.lines.map((k) => decision.lines[k].rest.split(";")[0]))].join(", ");
  const moved = `${number(undone.along, "m")} along and ${number(undone.across, "m")} across the lane within 6 s`;
  return `Without ${undoneNames(decision, undone)} (${why}) the expert's plan ${undone.moves ? "moves" : "stays"}: ${moved}.`;
}

// A box of the ego's size around a pose of its rear axle.
function egoBox(pose) {
  const [length, width] = [scene.agents.size[2 * EGO], scene.agents.size[2 * EGO + 1]], ahead = 0.28 * length;
  return boxPath(pose.x + ahead * Math.cos(pose.h), pose.y + ahead * Math.sin(pose.h), pose.h, length, width, 0.5);
}

function drawUndonePlan(poses, colour, dash, alpha) {
  const path = trace([poses.map((p) => [p.x, p.y])]);
  stroke(path, "halo", 0, 5, [], 0.6);
  stroke(path, colour, 0, 2.4, dash);
  for (const s of SHOWN_S) {
    const box = egoBox(poses[s / KNOT_S]);
    ctx.globalAlpha = alpha;
    ctx.fillStyle = ink[colour];
    ctx.fill(box);
    ctx.globalAlpha = 1;
    stroke(box, "halo", 0, 3.6, [], 0.7);
    stroke(box, colour, 0, 1.8, dash);
  }
}

function drawUndone(drive, t, decision) {
  const undone = undoneNow(decision);
  if (!undone) return;
  drawUndonePlan(undone.undone, "undone", [5 / camera.scale, 3.5 / camera.scale], 0.06);
  drawUndonePlan(undone.cited, "cause", [], 0.22);
  for (const k of undone.lines) strikeOut(drive, t, decision.lines[k].ref);
  const last = SHOWN_S[SHOWN_S.length - 1] / KNOT_S, cited = undone.cited[last], gone = undone.undone[last];
  if (!undone.moves) { label(cited.x, cited.y, "6 s: the same plan", "cause", -14); return; }
  label(cited.x, cited.y, "6 s, with", "cause", -14);
  label(gone.x, gone.y, `6 s, without ${undoneNames(decision, undone)}`, "undone", 24);
}

// A cross over an agent that is thought away; what is no agent has its outline already.
function strikeOut(drive, t, ref) {
  const place = places.get(ref), pose = place && place.kind === "agent" ? poseAt(drive, place.agent, t) : null;
  if (!pose) return;
  const r = Math.max(1.1, 9 / camera.scale), cross = new Path2D();
  cross.moveTo(pose.x - r, pose.y - r); cross.lineTo(pose.x + r, pose.y + r);
  cross.moveTo(pose.x - r, pose.y + r); cross.lineTo(pose.x + r, pose.y - r);
  stroke(cross, "halo", 0, 6.5);
  stroke(cross, "undone", 0, 3);
}

// The next cause of the decision that holds, then none.
function nextUndone() {
  const told = toldBy(state.drive), now = told[decisionAt(told, Math.floor(state.t))], most = now ? now.undone.length : 0;
  setUndone(state.undone + 1 < Math.max(1, most) ? state.undone + 1 : -1);
}

function setUndone(which) {
  state.undone = which;
  byId("undone").setAttribute("aria-pressed", String(which >= 0));
  dirty = true;
}

function buildUndone(told) {
  const any = told.some((decision) => decision.undone.length);
  byId("undone").hidden = !any;
  document.querySelectorAll(".of-undone").forEach((node) => { node.hidden = !any; });
}

function sayUndone(decision) {
  const undone = state.trace && decision ? undoneNow(decision) : null, text = undone ? undoneText(decision, undone) : "";
  byId("said-undone").hidden = !undone;
  if (byId("said-undone").textContent !== text) byId("said-undone").textContent = text;
}

// What the other planners say at this time, while they are shown.
function sayOthers(shown, seconds) {
  const said = state.others ? scene.drives.map((_, i) => [i, toldBy(i)]).filter(([i, told]) => i !== shown && told.length) : [];
  const lines = said.map(([i, told]) => {
    const now = told[decisionAt(told, Math.floor(seconds / driveAt(i).dt))];
    return [scene.drives[i].label, now ? now.sentence : "No decision yet."];
  });
  const key = JSON.stringify(lines), holder = byId("said-others");
  if (holder.dataset.key === key) return;
  holder.dataset.key = key;
  holder.replaceChildren();
  for (const [name, text] of lines) {
    const line = element("p", "beside", undefined, holder);
    element("b", "", name, line);
    line.append(text);
  }
}
