// The moving part of the drawing: agents, the ego, its plan, and the paths it drove and was recorded on.
const EGO = scene.ego;
const PEDESTRIAN = 4, STATIC = 5;

// Position of agent a at the fractional row t, between the two rows where it is valid in both; null where it is not there.
function poseAt(drive, a, t) {
  const i = Math.min(drive.n - 1, Math.floor(t)), k = a * drive.n + i;
  if (!drive.valid[k]) return null;
  const f = i + 1 < drive.n && drive.valid[k + 1] ? t - i : 0, j = f ? k + 1 : k;
  const mix = (s) => s[k] + f * (s[j] - s[k]);
  return { x: mix(drive.x), y: mix(drive.y), h: mix(drive.h), v: mix(drive.v), k };
}

function boxPath(x, y, h, length, width, round) {
  const path = new Path2D(), c = Math.cos(h), s = Math.sin(h);
  const l = length / 2, w = width / 2, r = Math.min(round, w * 0.8, l * 0.8);
  const at = (u, v) => [x + c * u - s * v, y + s * u + c * v];
  path.moveTo(...at(l - r, w));
  for (const [a, b] of [[-1, 1], [-1, -1], [1, -1], [1, 1]]) {
    const before = a * b < 0 ? [a * (l - r), b * w] : [a * l, b * (w - r)];
    const after = a * b < 0 ? [a * l, b * (w - r)] : [a * (l - r), b * w];
    path.lineTo(...at(...before));
    path.quadraticCurveTo(...at(a * l, b * w), ...at(...after));
  }
  path.closePath();
  return path;
}

// What tells the heading: windscreen and rear window of a car, the cab's window of a lorry; for all else, and for cars
// too small to show windows, a wedge near the front.
function nosePath(x, y, h, length, width, kind) {
  const path = new Path2D(), c = Math.cos(h), s = Math.sin(h), l = length / 2, w = width / 2;
  const shape = (points) => {
    points.forEach(([u, v], i) => {
      const p = [x + c * u * l - s * v * w, y + s * u * l + c * v * w];
      if (i) path.lineTo(...p); else path.moveTo(...p);
    });
    path.closePath();
  };
  if (kind > 1 || length * camera.scale < 20) shape([[0.86, 0], [0.3, 0.66], [0.3, -0.66]]);
  else if (kind === 1) shape([[0.93, 0.72], [0.93, -0.72], [0.78, -0.8], [0.78, 0.8]]);
  else {
    shape([[0.46, 0.74], [0.52, 0], [0.46, -0.74], [0.14, -0.6], [0.17, 0], [0.14, 0.6]]);
    shape([[-0.58, 0.56], [-0.58, -0.56], [-0.76, -0.64], [-0.76, 0.64]]);
  }
  return path;
}

function drawAgent(drive, a, t, marked) {
  const pose = poseAt(drive, a, t);
  if (!pose) return;
  const kind = scene.agents.kind[a], least = 7 / camera.scale;
  const length = Math.max(scene.agents.size[2 * a], least), width = Math.max(scene.agents.size[2 * a + 1], least * 0.6);
  const colour = `kind-${kind}`, seen = drive.visible[pose.k], reactive = drive.reactive[pose.k];
  const round = kind === PEDESTRIAN ? 9 : kind === STATIC ? 0 : 0.45;
  const size = kind === PEDESTRIAN ? [Math.max(length, width), Math.max(length, width)] : [length, width];
  const body = boxPath(pose.x, pose.y, pose.h, ...size, round), nose = nosePath(pose.x, pose.y, pose.h, ...size, kind);
  if (marked) stroke(body, marked, 0.7, 5, [], marked === "alarm" ? 0.9 : 0.55);
  if (!seen) {
    ctx.fillStyle = ink.hidden;
    ctx.globalAlpha = 0.12;
    ctx.fill(body);
    stroke(body, "hidden", 0.1, 1.2, [3 / camera.scale, 2.5 / camera.scale]);
    stroke(nose, "hidden", 0.05, 0.8);
    return;
  }
  ctx.fillStyle = ink.road;
  ctx.fill(body);
  ctx.fillStyle = ink[colour];
  ctx.globalAlpha = reactive ? 0.95 : 0.28;
  ctx.fill(body);
  stroke(body, colour, 0.12, 1.3);
  ctx.fillStyle = reactive ? ink.glass : ink[colour];
  if (kind !== STATIC) ctx.fill(nose);
}

function polyline(from, to, point) {
  const path = new Path2D();
  for (let i = from; i <= to; i++) { const p = point(i); if (p) path.lineTo(p[0], p[1]); }
  return path;
}

function drawPaths(drive, t) {
  const log = scene.log, k = EGO * drive.n, row = Math.floor(t);
  if (log.recorded) {
    const dash = [7 / camera.scale, 5 / camera.scale];
    stroke(polyline(0, log.n - 1, (i) => log.valid[i] && [log.x[i], log.y[i]]), "log", 0, 2, dash, 0.9);
  }
  const driven = (i) => drive.valid[k + i] && [drive.x[k + i], drive.y[k + i]];
  stroke(polyline(row, drive.n - 1, driven), "path", 0, 1.4, [], 0.4);
  const past = polyline(0, row, driven), now = poseAt(drive, EGO, t);
  if (now) past.lineTo(now.x, now.y);
  ctx.lineCap = "round";
  stroke(past, "path", 0, 3);
  ctx.lineCap = "butt";
  const i = row - log.first;
  if (log.recorded && i >= 0 && i < log.n && log.valid[i]) {
    const body = boxPath(log.x[i], log.y[i], log.h[i], scene.agents.size[2 * EGO], scene.agents.size[2 * EGO + 1], 0.45);
    stroke(body, "log", 0, 1.8, [4 / camera.scale, 3 / camera.scale]);
  }
}

function currentPlan(drive, row) {
  let d = -1;
  while (d + 1 < drive.decisions.length && drive.decisions[d + 1] <= row) d++;
  return d;
}

// The plan held now: a band as wide as the ego and a line, both fading with the time they lie ahead; a dot every second.
function drawPlan(drive, t) {
  const d = currentPlan(drive, Math.floor(t));
  if (d < 0) return;
  const made = EGO * drive.n + drive.decisions[d], back = 0.28 * scene.agents.size[2 * EGO];
  const points = [[drive.x[made] - back * Math.cos(drive.h[made]), drive.y[made] - back * Math.sin(drive.h[made])]];
  for (let i = 0; i < drive.knots; i++) points.push([drive.planX[d * drive.knots + i], drive.planY[d * drive.knots + i]]);
  const fade = (i) => 1 - 0.85 * (i / points.length);
  for (let i = 1; i < points.length; i++) {
    const piece = polyline(i - 1, i, (j) => points[j]);
    stroke(piece, "ego", scene.agents.size[2 * EGO + 1], 6, [], 0.2 * fade(i));
    stroke(piece, "ego", 0, 2.2, [], fade(i));
  }
  ctx.fillStyle = ink.ego;
  for (let i = 2; i < points.length; i += 2) {
    const dot = new Path2D();
    dot.arc(points[i][0], points[i][1], Math.max(0.22, 2.6 / camera.scale), 0, 7);
    ctx.globalAlpha = fade(i);
    ctx.fill(dot);
  }
  ctx.globalAlpha = 1;
}

function drawEgo(drive, t) {
  const pose = poseAt(drive, EGO, t);
  if (!pose) return;
  const least = 9 / camera.scale;
  const length = Math.max(scene.agents.size[2 * EGO], least), width = Math.max(scene.agents.size[2 * EGO + 1], least * 0.45);
  const body = boxPath(pose.x, pose.y, pose.h, length, width, 0.5);
  stroke(body, "halo", 0.5, 4);
  ctx.fillStyle = ink.ego;
  ctx.fill(body);
  stroke(body, "ego-edge", 0.1, 1.2);
  ctx.fillStyle = ink.glass;
  ctx.fill(nosePath(pose.x, pose.y, pose.h, length, width, 0));
}

// Where the other planners' egos are at this time: an outline with a name, the way they went, the plan they hold (dotted).
function drawOthers(shown, seconds) {
  scene.drives.forEach((_, index) => {
    if (index === shown) return;
    const drive = driveAt(index), t = Math.min(drive.n - 1, seconds / drive.dt), k = EGO * drive.n;
    const pose = poseAt(drive, EGO, t);
    stroke(polyline(0, drive.n - 1, (i) => drive.valid[k + i] && [drive.x[k + i], drive.y[k + i]]), "muted", 0, 1.4, [], 0.7);
    if (!pose) return;
    const d = currentPlan(drive, Math.floor(t)), plan = (i) => [drive.planX[d * drive.knots + i], drive.planY[d * drive.knots + i]];
    if (d >= 0) stroke(polyline(0, drive.knots - 1, plan), "muted", 0, 2.2, [2 / camera.scale, 4 / camera.scale]);
    const size = [scene.agents.size[2 * EGO], scene.agents.size[2 * EGO + 1]];
    const body = boxPath(pose.x, pose.y, pose.h, ...size, 0.5);
    ctx.fillStyle = ink.halo;
    ctx.globalAlpha = 0.6;
    ctx.fill(body);
    stroke(body, "muted", 0.1, 1.8);
    stroke(nosePath(pose.x, pose.y, pose.h, ...size, 0), "muted", 0.05, 1);
    const [px, py] = toScreen(pose.x, pose.y);
    ctx.save();
    ctx.setTransform(camera.dpr, 0, 0, camera.dpr, 0, 0);
    ctx.font = "600 12px Inter, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif";
    ctx.textAlign = "center";
    ctx.lineWidth = 4;
    ctx.strokeStyle = ink.halo;
    ctx.strokeText(drive.label, px, py - 28);
    ctx.fillStyle = ink.muted;
    ctx.fillText(drive.label, px, py - 28);
    ctx.restore();
  });
}

// A burst where the first collision happened, from that moment on.
function drawImpact(drive, t) {
  const hit = drive.struck;
  if (!hit || t < hit.row) return;
  const ego = poseAt(drive, EGO, hit.row), other = hit.agent < 0 ? null : poseAt(drive, hit.agent, hit.row);
  if (!ego) return;
  const x = other ? (ego.x + other.x) / 2 : ego.x, y = other ? (ego.y + other.y) / 2 : ego.y;
  const size = Math.max(1.1, 11 / camera.scale), star = new Path2D();
  for (let i = 0; i < 16; i++) {
    const r = i % 2 ? size * 0.45 : size, angle = (i / 8) * Math.PI;
    star.lineTo(x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  star.closePath();
  stroke(star, "halo", 0.2, 4);
  ctx.fillStyle = ink.alarm;
  ctx.fill(star);
}

function agentUnder(drive, t, px, py) {
  const [wx, wy] = toWorld(px, py), slack = 4 / camera.scale;
  let best = -1, nearest = Infinity;
  for (let a = 0; a < scene.agents.id.length; a++) {
    const pose = poseAt(drive, a, t);
    if (!pose) continue;
    const dx = wx - pose.x, dy = wy - pose.y, c = Math.cos(pose.h), s = Math.sin(pose.h);
    const u = Math.abs(c * dx + s * dy), v = Math.abs(-s * dx + c * dy), away = Math.hypot(dx, dy);
    if (u <= scene.agents.size[2 * a] / 2 + slack && v <= scene.agents.size[2 * a + 1] / 2 + slack && away < nearest) {
      best = a; nearest = away;
    }
  }
  return best;
}
