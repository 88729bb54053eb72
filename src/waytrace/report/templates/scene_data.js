// The scene as arrays, from the page's JSON. Positions in metres from the scene's origin; row t of agent a at a * n + t.
const scene = JSON.parse(document.getElementById("data").textContent);
const DECIDEGREE = Math.PI / 1800;

function decodeDrive(d) {
  const n = d.n, agents = scene.agents.id.length;
  const drive = Object.assign({}, d, {
    x: track(d.x, n, 0.01, 2), y: track(d.y, n, 0.01, 2), h: track(d.h, n, DECIDEGREE, 1), v: track(d.v, n, 0.01, 1),
    valid: unruns(d.valid, n * agents), reactive: unruns(d.reactive, n * agents), visible: unruns(d.visible, n * agents),
    lights: undelta(unpack(d.lights), n, 1), lon: track(d.lon, n, 0.01, 1), lat: track(d.lat, n, 0.01, 1),
    decisions: undelta(unpack(d.decisions), Infinity, 1),
  });
  const plan = track(d.plan, d.knots, 0.01, 2), half = plan.length / 2;
  drive.planX = plan.subarray(0, half);
  drive.planY = plan.subarray(half);
  drive.plots = d.plots.map((p) => {
    const series = (s) => {
      const values = track(s.x, n, s.step, 1), finite = unruns(s.finite, n);
      return values.map((v, i) => (finite[i] ? v : NaN));
    };
    const out = Object.assign({}, p);
    if (p.value) out.value = series(p.value);
    if (p.limit) out.limit = series(p.limit);
    if (p.rows) out.rows = p.rows.map((r) => Object.assign({}, r, { on: unruns(r.on, n) }));
    return out;
  });
  return drive;
}

scene.agents.kind = unpack(scene.agents.kind);
scene.agents.size = unpack(scene.agents.size).map((v) => v * 0.01);
{
  const log = scene.log;
  log.x = track(log.x, log.n, 0.01, 2);
  log.y = track(log.y, log.n, 0.01, 2);
  log.h = track(log.h, log.n, DECIDEGREE, 1);
  log.valid = unruns(log.valid, log.n);
}
const decoded = new Map();
function driveAt(index) {
  if (!decoded.has(index)) decoded.set(index, decodeDrive(scene.drives[index]));
  return decoded.get(index);
}
