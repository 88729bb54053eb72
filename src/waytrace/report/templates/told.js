// What the planner said: the decisions of a drive, and where on the drawing lies what they point at.
const STAGES = ["Scene", "Entities", "Forecasts", "Decision", "Causes", "Rejected", "Plan"];
const FORECASTS = 2, CAUSES = 4, REJECTED = 5;
const KINDS = ["present", "forecast", "audit"];
const VERDICTS = [
  { name: "true", mark: "✓" }, { name: "false", mark: "✕" }, { name: "undetermined", mark: "?" }, { name: "not judged", mark: "–" },
];

function decodeTold(traces) {
  const stream = unpack(traces.stream);
  let at = 0;
  const next = () => stream[at++], text = textReader(next, traces.texts);
  const list = (read) => { const n = next(), out = []; for (let i = 0; i < n; i++) out.push(read()); return out; };
  const verdict = () => {
    const code = next(), [field, rule, slack, why] = [text(), text(), text(), text()];
    return { kind: code >> 2, value: code & 3, field, rule, slack, why, evidence: list(() => [text(), text()]) };
  };
  const line = () => ({ stage: next(), ref: text(), head: text(), rest: text(), said: list(verdict) });
  const ghost = () => {
    const option = text(), violates = text(), n = next();
    const all = undelta(Array.from({ length: 2 * n }, next), n, 2);
    return { option, violates, xy: all.slice(0, n).map((x, i) => [x * 0.01, all[n + i] * 0.01]) };
  };
  const plan = (n) => {
    const xy = undelta(Array.from({ length: 2 * n }, next), n, 2), h = undelta(Array.from({ length: n }, next), n, 1);
    return h.map((v, i) => ({ x: xy[i] * 0.01, y: xy[n + i] * 0.01, h: v * DECIDEGREE }));
  };
  const undone = () => {
    const lines = list(next), moves = next() === 1, along = next() * 0.01, across = next() * 0.01, n = next();
    return { lines, moves, along, across, cited: plan(n), undone: plan(n) };
  };
  return Array.from({ length: traces.decisions }, () => {
    const row = next(), lon = next(), lateral = text(), changed = next() === 1, sentence = text();
    return { row, lon, lateral, changed, sentence, name: traces.longitudinal[lon], lines: list(line), ghosts: list(ghost), undone: list(undone), audit: list(text), other: list(verdict) };
  });
}

const toldCache = new Map();
function toldBy(index) {
  if (!toldCache.has(index)) toldCache.set(index, scene.drives[index].traces ? decodeTold(scene.drives[index].traces) : []);
  return toldCache.get(index);
}

// The decision that holds at a row; -1 before the first.
function decisionAt(told, row) {
  let d = -1;
  while (d + 1 < told.length && told[d + 1].row <= row) d++;
  return d;
}

const places = scene.told ? findPlaces(scene.map) : null;
function findPlaces(map) {
  const centre = polylines(map.centre), lane = undelta(unpack(map.lane), Infinity, 1);
  const walks = polylines(map.crosswalk), stop = unpack(map.stop).map((v) => v * 0.01), lamps = unpack(map.lamps).map((v) => v * 0.01);
  const agents = undelta(unpack(scene.told), Infinity, 1), found = new Map();
  const put = (ref, kind, line) => {
    if (!found.has(ref)) found.set(ref, { kind, lines: [] });
    if (line) found.get(ref).lines.push(line);
  };
  agents.forEach((index, a) => { put(`agent:${index}`, "agent"); found.get(`agent:${index}`).agent = a; });
  centre.forEach((line, i) => put(`lane:${lane[i]}`, "lane", line));
  unpack(map.walk).forEach((index, i) => put(`crosswalk:${index}`, "crosswalk", walks[i]));
  const bar = (all, k) => [[all[4 * k], all[4 * k + 1]], [all[4 * k + 2], all[4 * k + 3]]];
  unpack(map.stop_lane).forEach((index, k) => put(`stop_line:${index}`, "stop_line", bar(stop, k)));
  for (let k = 0; k < lamps.length / 4; k++) put(`light:${k}`, "light", bar(lamps, k));
  return found;
}

const refOfAgent = (a) => {
  if (places) for (const [ref, place] of places) if (place.agent === a) return ref;
  return "";
};

// Lights up what a reference points at. Agents are ringed above the traffic, all else is drawn below it.
function drawPlace(drive, t, ref, strong) {
  const place = places.get(ref);
  if (!place) return;
  const colour = strong ? "lit" : "cause", alpha = strong ? 0.95 : 0.75;
  ctx.lineCap = "round";
  if (place.kind === "agent") {
    const pose = poseAt(drive, place.agent, t);
    if (!pose) return;
    const [length, width] = [scene.agents.size[2 * place.agent], scene.agents.size[2 * place.agent + 1]], room = 1.1 + 5 / camera.scale;
    const ring = boxPath(pose.x, pose.y, pose.h, length + room, width + room, 0.9);
    stroke(ring, "halo", 0, strong ? 6 : 4.5, [], 0.8);
    stroke(ring, colour, 0, strong ? 3.6 : 2.4, [], alpha);
  } else if (place.kind === "crosswalk") {
    const path = trace(place.lines, true);
    ctx.fillStyle = ink[colour];
    ctx.globalAlpha = strong ? 0.45 : 0.25;
    ctx.fill(path);
    stroke(path, colour, 0.2, strong ? 3 : 2, [], alpha);
  } else if (place.kind === "lane") {
    const path = trace(place.lines);
    stroke(path, colour, 3, 6, [], strong ? 0.36 : 0.2);
    if (strong) stroke(path, colour, 0.3, 2.2);
  } else {
    const path = trace(place.lines);
    stroke(path, colour, 2.2, strong ? 15 : 11, [], strong ? 0.75 : 0.4);
  }
  ctx.lineCap = "butt";
}

// A rejected option: a dashed way that ends in a cross, with what it violates.
function drawGhost(ghost, strong) {
  stroke(trace([ghost.xy]), "halo", 0, 5, [], 0.55);
  stroke(trace([ghost.xy]), "ghost", 0, strong ? 3.6 : 2.2, [7 / camera.scale, 5 / camera.scale], strong ? 1 : 0.85);
  const [x, y] = ghost.xy[ghost.xy.length - 1], r = Math.max(0.6, 5 / camera.scale), cross = new Path2D();
  cross.moveTo(x - r, y - r); cross.lineTo(x + r, y + r); cross.moveTo(x - r, y + r); cross.lineTo(x + r, y - r);
  stroke(cross, "halo", 0, 5.5);
  stroke(cross, "ghost", 0, 2.6);
  label(x, y, ghost.violates && ghost.violates !== "nothing" ? `${ghost.option}: ${ghost.violates}` : ghost.option, "ghost", 18);
}

const labels = [];
// Words on the drawing, moved down until they cover no others.
function label(x, y, text, colour, down) {
  let [px, py] = toScreen(x, y);
  if (px < 0 || py < 0 || px > camera.width || py > camera.height) return; // what it names is not in view
  py += down;
  ctx.save();
  ctx.setTransform(camera.dpr, 0, 0, camera.dpr, 0, 0);
  ctx.font = "600 12px Inter, -apple-system, 'Segoe UI', Roboto, Arial, 'Liberation Sans', sans-serif";
  ctx.textAlign = "center";
  ctx.lineJoin = "round";
  const wide = ctx.measureText(text).width / 2 + 3;
  px = Math.min(camera.width - wide - 4, Math.max(wide + 4, px));
  for (let tries = 0; tries < 8 && labels.some((b) => Math.abs(b.px - px) < b.wide + wide && Math.abs(b.py - py) < 15); tries++) py += 15;
  labels.push({ px, py, wide });
  ctx.lineWidth = 4;
  ctx.strokeStyle = ink.halo;
  ctx.strokeText(text, px, py);
  ctx.fillStyle = ink[colour];
  ctx.fillText(text, px, py);
  ctx.restore();
}

const pointing = (decision) => decision.lines.filter((line) => line.ref && line.stage === CAUSES);
const isAgent = (ref) => (places.get(ref) || {}).kind === "agent";

function drawToldBelow(drive, t, decision, lit) {
  for (const line of pointing(decision)) if (!isAgent(line.ref)) drawPlace(drive, t, line.ref, false);
  if (lit && !isAgent(lit)) drawPlace(drive, t, lit, true);
}

function drawToldAbove(drive, t, decision, lit) {
  labels.length = 0;
  drawUndone(drive, t, decision);
  for (const line of pointing(decision)) if (isAgent(line.ref) && line.ref !== lit) drawPlace(drive, t, line.ref, false);
  if (lit && isAgent(lit)) drawPlace(drive, t, lit, true);
  const named = new Map();
  for (const line of pointing(decision)) {
    const what = line.rest.split(";")[0], known = named.get(line.ref) || [];
    if (!known.includes(what)) named.set(line.ref, [...known, what]);
  }
  for (const [ref, constraints] of named) {
    const at = anchor(drive, t, ref);
    if (at) label(...at, constraints.join(", "), "cause", isAgent(ref) ? 26 : -12);
  }
  for (const ghost of decision.ghosts) drawGhost(ghost, ghost.option === state.litOption);
}

// Where a label of an element stands: on the agent, or on the element's point that is nearest to the ego.
function anchor(drive, t, ref) {
  const place = places.get(ref), ego = poseAt(drive, EGO, t);
  if (!place) return null;
  if (place.kind === "agent") { const pose = poseAt(drive, place.agent, t); return pose && [pose.x, pose.y]; }
  let best = null, least = Infinity;
  for (const line of place.lines) for (const [x, y] of line) {
    const away = ego ? Math.abs(Math.hypot(x - ego.x, y - ego.y) - 14) : 0;
    if (away < least) { least = away; best = [x, y]; }
  }
  return best;
}

// Which element of a decision lies under a point of the drawing; agents are looked for elsewhere.
function elementUnder(decision, px, py) {
  const [x, y] = toWorld(px, py), order = ["light", "stop_line", "crosswalk", "lane"];
  let best = "", rank = 9;
  for (const { ref } of decision.lines) {
    const place = places.get(ref);
    if (!place || place.kind === "agent" || order.indexOf(place.kind) >= rank) continue;
    const reach = place.kind === "lane" ? 1.6 : Math.max(1.2, 7 / camera.scale);
    const inside = place.kind === "crosswalk" ? place.lines.some((line) => within(line, x, y)) : place.lines.some((line) => beside(line, x, y) < reach);
    if (inside) { best = ref; rank = order.indexOf(place.kind); }
  }
  return best;
}

function within(polygon, x, y) {
  let inside = false;
  polygon.forEach(([ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length];
    if ((ay > y) !== (by > y) && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
  });
  return inside;
}

function beside(line, x, y) {
  let least = Infinity;
  for (let i = 1; i < line.length; i++) {
    const [ax, ay] = line[i - 1], dx = line[i][0] - ax, dy = line[i][1] - ay;
    const f = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / Math.max(dx * dx + dy * dy, 1e-9)));
    least = Math.min(least, Math.hypot(x - ax - f * dx, y - ay - f * dy));
  }
  return least;
}
