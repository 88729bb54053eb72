// Where the drawing looks: centre (m), scale (px per m), angle (the heading drawn as "east"); and the gestures that move it.
const canvas = document.getElementById("canvas");
const ctx = canvas.getContext("2d");
const camera = { x: 0, y: 0, scale: 8, angle: 0, follow: true, headingUp: false, width: 1, height: 1, dpr: 1 };

function fitCanvas() {
  const box = canvas.getBoundingClientRect();
  camera.width = Math.max(1, box.width);
  camera.height = Math.max(1, box.height);
  camera.dpr = Math.min(window.devicePixelRatio || 1, 4);
  canvas.width = Math.round(camera.width * camera.dpr);
  canvas.height = Math.round(camera.height * camera.dpr);
}

function applyCamera() {
  const s = camera.scale * camera.dpr, c = Math.cos(camera.angle) * s, n = Math.sin(camera.angle) * s;
  const e = canvas.width / 2 - (c * camera.x + n * camera.y), f = canvas.height / 2 - (n * camera.x - c * camera.y);
  ctx.setTransform(c, n, n, -c, e, f);
}

function toScreen(x, y) {
  const dx = x - camera.x, dy = y - camera.y, c = Math.cos(camera.angle), n = Math.sin(camera.angle);
  return [camera.width / 2 + camera.scale * (c * dx + n * dy), camera.height / 2 + camera.scale * (n * dx - c * dy)];
}

function toWorld(px, py) {
  const u = (px - camera.width / 2) / camera.scale, v = (camera.height / 2 - py) / camera.scale;
  const c = Math.cos(camera.angle), n = Math.sin(camera.angle);
  return [camera.x + c * u - n * v, camera.y + n * u + c * v];
}

function zoomAt(factor, px, py) {
  if (camera.follow) { px = camera.width / 2; py = camera.height / 2; }
  const before = toWorld(px, py);
  camera.scale = Math.min(120, Math.max(0.4, camera.scale * factor));
  const after = toWorld(px, py);
  camera.x += before[0] - after[0];
  camera.y += before[1] - after[1];
}

function frameBox(points, margin) {
  let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
  for (const [x, y] of points) { x0 = Math.min(x0, x); y0 = Math.min(y0, y); x1 = Math.max(x1, x); y1 = Math.max(y1, y); }
  camera.angle = 0;
  camera.x = (x0 + x1) / 2;
  camera.y = (y0 + y1) / 2;
  camera.scale = Math.min(14, camera.width / (x1 - x0 + 2 * margin), camera.height / (y1 - y0 + 2 * margin));
}

// Calls back: moved() after any gesture, panned() when a drag takes the view off the ego, hover(px, py), click(px, py).
function gestures(on) {
  const held = new Map();
  let travelled = 0, spread = 0;
  const place = (e) => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  const gap = () => { const [a, b] = [...held.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    const lines = e.deltaMode === 1 ? 16 : 1;
    zoomAt(Math.exp(-e.deltaY * lines * 0.0016), ...place(e));
    on.moved();
  }, { passive: false });
  canvas.addEventListener("pointerdown", (e) => {
    held.set(e.pointerId, place(e));
    travelled = 0;
    if (held.size === 2) spread = gap();
    try { canvas.setPointerCapture(e.pointerId); } catch (gone) { held.delete(e.pointerId); }
  });
  canvas.addEventListener("pointermove", (e) => {
    const now = place(e), was = held.get(e.pointerId);
    if (!was) { on.hover(...now); return; }
    held.set(e.pointerId, now);
    travelled += Math.hypot(now[0] - was[0], now[1] - was[1]);
    if (held.size === 1 && travelled > 4) {
      const a = toWorld(...was), b = toWorld(...now);
      camera.x += a[0] - b[0];
      camera.y += a[1] - b[1];
      canvas.classList.add("dragging");
      on.panned();
    } else if (held.size === 2) {
      const wide = gap(), points = [...held.values()];
      zoomAt(wide / Math.max(spread, 1), (points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2);
      spread = wide;
    }
    on.moved();
  });
  const release = (e) => {
    if (held.delete(e.pointerId) && travelled <= 4 && e.type === "pointerup") on.click(...place(e));
    canvas.classList.remove("dragging");
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => on.hover(-1, -1));
}
