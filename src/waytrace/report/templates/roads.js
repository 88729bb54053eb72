// The still part of the drawing. Paths are built once, in metres; only line widths depend on the zoom.
const COLOURS = [
  "ground", "road", "curb", "line", "middle", "centre", "route", "walk", "stop", "bike", "ego", "ego-edge", "path", "log",
  "glass", "hidden", "alarm", "warn", "good", "text", "muted", "halo", "lamp-unknown", "lamp-red", "lamp-yellow",
  "lamp-green", "lamp-off", "cause", "lit", "ghost", "undone", "kind-0", "kind-1", "kind-2", "kind-3", "kind-4", "kind-5", "kind-6",
];
const ink = {};

// Resolves the style sheet's colours for the present theme; a probe is needed because light-dark() resolves late.
function readColours() {
  const probe = document.getElementById("probe");
  for (const name of COLOURS) {
    probe.style.color = `var(--c-${name})`;
    ink[name] = getComputedStyle(probe).color;
  }
}

const LAMPS = ["lamp-unknown", "lamp-red", "lamp-yellow", "lamp-green", "lamp-off"];
const roads = buildRoads(scene.map);

function trace(lines, closed) {
  const path = new Path2D();
  for (const line of lines) {
    line.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
    if (closed) path.closePath();
  }
  return path;
}

function buildRoads(map) {
  const centre = polylines(map.centre), flags = unpack(map.flags), light = unpack(map.light);
  const pick = (test) => centre.filter((_, i) => test(flags[i], i));
  const drives = (f) => f >> 2 <= 1;
  const stop = unpack(map.stop).map((v) => v * 0.01), lamps = unpack(map.lamps).map((v) => v * 0.01);
  const crosswalk = polylines(map.crosswalk), drivable = polylines(map.drivable);
  const bars = [];
  for (let k = 0; k < lamps.length; k += 4) {
    const on = (f, i) => light[i] === k / 4;
    bars.push({ ends: lamps.slice(k, k + 4), connector: trace(pick(on)), route: pick((f, i) => on(f, i) && f & 1).length > 0 });
  }
  const stops = new Path2D();
  for (let k = 0; k < stop.length; k += 4) { stops.moveTo(stop[k], stop[k + 1]); stops.lineTo(stop[k + 2], stop[k + 3]); }
  return {
    drivable: trace(drivable, true),
    paved: drivable.length > 0,
    route: trace(pick((f) => f & 1)),
    centre: trace(pick(drives)),
    bike: trace(pick((f) => f >> 2 === 2)),
    arrows: chevrons(pick(drives)),
    solid: trace(polylines(map.solid)),
    dashed: trace(polylines(map.dashed)),
    middle: trace(polylines(map.middle)),
    crosswalk: trace(crosswalk, true),
    zebra: zebra(crosswalk),
    stops, bars,
  };
}

// A chevron every 24 m along each line, pointing the way it runs.
function chevrons(lines) {
  const path = new Path2D();
  for (const line of lines) {
    let next = 7, walked = 0;
    for (let i = 1; i < line.length; i++) {
      const [ax, ay] = line[i - 1], [bx, by] = line[i], length = Math.hypot(bx - ax, by - ay);
      const ux = (bx - ax) / length, uy = (by - ay) / length;
      for (; next <= walked + length; next += 24) {
        const x = ax + ux * (next - walked), y = ay + uy * (next - walked);
        path.moveTo(x - ux * 0.9 - uy * 0.55, y - uy * 0.9 + ux * 0.55);
        path.lineTo(x, y);
        path.lineTo(x - ux * 0.9 + uy * 0.55, y - uy * 0.9 - ux * 0.55);
      }
      walked += length;
    }
  }
  return path;
}

// Bars across each crosswalk, half a metre wide and half a metre apart along its longest edge; clipped when drawn.
function zebra(polygons) {
  const path = new Path2D();
  for (const polygon of polygons) {
    let ux = 1, uy = 0, longest = 0;
    polygon.forEach(([ax, ay], i) => {
      const [bx, by] = polygon[(i + 1) % polygon.length], length = Math.hypot(bx - ax, by - ay);
      if (length > longest) { longest = length; ux = (bx - ax) / length; uy = (by - ay) / length; }
    });
    const along = polygon.map(([x, y]) => x * ux + y * uy), across = polygon.map(([x, y]) => y * ux - x * uy);
    const [lo, hi] = [Math.min(...across), Math.max(...across)];
    const at = (s, w) => [s * ux - w * uy, s * uy + w * ux];
    for (let s = Math.min(...along) + 0.25; s < Math.max(...along); s += 1.1) {
      path.moveTo(...at(s, lo)); path.lineTo(...at(s + 0.55, lo)); path.lineTo(...at(s + 0.55, hi)); path.lineTo(...at(s, hi));
      path.closePath();
    }
  }
  return path;
}

function stroke(path, colour, metres, pixels, dash, alpha) {
  ctx.globalAlpha = alpha === undefined ? 1 : alpha;
  ctx.strokeStyle = ink[colour];
  ctx.lineWidth = Math.max(metres, pixels / camera.scale);
  ctx.setLineDash(dash || []);
  ctx.stroke(path);
  ctx.globalAlpha = 1;
}

function drawRoads(drive, row) {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.fillStyle = ink.ground;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  applyCamera();
  ctx.lineJoin = "round";
  ctx.lineCap = "butt";
  stroke(roads.drivable, "curb", 0.35, 2.4);
  ctx.fillStyle = ink.road;
  ctx.fill(roads.drivable);
  stroke(roads.drivable, "road", 0.06, 0.6);
  stroke(roads.bike, "bike", 1.5, 1, [], 0.16);
  ctx.save();
  if (roads.paved) ctx.clip(roads.drivable);
  ctx.lineCap = "round";
  stroke(roads.route, "route", 3.0, 3, [], 0.17);
  ctx.restore();
  ctx.save();
  ctx.clip(roads.crosswalk);
  ctx.fillStyle = ink.walk;
  ctx.fill(roads.zebra);
  ctx.restore();
  stroke(roads.centre, "centre", 0.06, 0.8, [0.8, 1.6], camera.scale > 2.5 ? 0.8 : 0.35);
  stroke(roads.solid, "line", 0.13, 1);
  stroke(roads.dashed, "line", 0.13, 1, [3, 4.5]);
  stroke(roads.middle, "middle", 0.16, 1.2);
  if (camera.scale > 3) stroke(roads.arrows, "centre", 0.12, 1.1);
  stroke(roads.stops, "stop", 0.4, 2);
  roads.bars.forEach((bar, k) => {
    const state = drive.lights[k * drive.n + row];
    const colour = LAMPS[state] || LAMPS[0];
    if (state > 0 && state < 4) stroke(bar.connector, colour, bar.route ? 0.35 : 0.2, 1.2, [], bar.route ? 0.65 : 0.22);
    const line = new Path2D();
    line.moveTo(bar.ends[0], bar.ends[1]);
    line.lineTo(bar.ends[2], bar.ends[3]);
    stroke(line, colour, 1.6, 9, [], 0.25);
    stroke(line, colour, 0.6, 4);
  });
}
