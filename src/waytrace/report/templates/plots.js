// The rows of the score as small plots under the player: SVG stretched to width, one time axis, one cursor, click to seek.
const SVG = "http://www.w3.org/2000/svg";
const WIDE = 1000, TALL = 100;
let plotted = [];

function svg(name, attributes, parent) {
  const node = document.createElementNS(SVG, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (parent) parent.append(node);
  return node;
}

function number(value, unit) {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${(Math.abs(value) < 0.005 ? 0 : value).toFixed(digits)}${unit ? ` ${unit}` : ""}`.replace("-", "−");
}

function range(plot) {
  let lo = plot.span ? plot.span[0] : Infinity, hi = plot.span ? plot.span[1] : -Infinity;
  for (const series of [plot.value, plot.limit || [], plot.reference === undefined ? [] : [plot.reference]])
    for (const v of series) if (Number.isFinite(v)) { lo = Math.min(lo, v); hi = Math.max(hi, v); }
  if (plot.cap !== undefined) hi = plot.cap;
  if (lo > hi) { lo = 0; hi = 1; }
  if (lo === hi) { lo -= 0.5; hi += 0.5; }
  const pad = 0.06 * (hi - lo);
  return [lo === 0 ? lo - pad / 2 : lo - pad, hi + pad];
}

function seriesPath(values, n, y, cap) {
  let path = "", pen = false;
  values.forEach((v, i) => {
    if (!Number.isFinite(v) || (cap !== undefined && v > cap)) { pen = false; return; }
    path += `${pen ? "L" : "M"}${(i / Math.max(1, n - 1) * WIDE).toFixed(1)} ${y(v).toFixed(2)}`;
    if (!pen && !Number.isFinite(values[i + 1])) path += "h0.01";
    pen = true;
  });
  return path;
}

function breaks(plot, v) {
  return Number.isFinite(v) && ((plot.low !== undefined && v < plot.low) || (plot.high !== undefined && v > plot.high));
}

function linePlot(plot, n, box) {
  const [lo, hi] = range(plot), y = (v) => TALL * (1 - (v - lo) / (hi - lo));
  const worst = plot.value.some((v, i) => breaks(plot, v) || (plot.limit && v > plot.limit[i] + 0.5));
  for (const [bound, side] of [[plot.low, TALL], [plot.high, 0]]) {
    if (bound === undefined) continue;
    const at = Math.min(TALL, Math.max(0, y(bound)));
    svg("rect", { x: 0, width: WIDE, y: Math.min(at, side), height: Math.abs(at - side), class: "beyond" }, box);
    svg("line", { x1: 0, x2: WIDE, y1: at, y2: at, class: "bound" }, box);
  }
  if (lo < 0 && hi > 0 && (plot.low === undefined || plot.low < 0))
    svg("line", { x1: 0, x2: WIDE, y1: y(0), y2: y(0), class: "zero" }, box);
  if (plot.reference !== undefined)
    svg("line", { x1: 0, x2: WIDE, y1: y(plot.reference), y2: y(plot.reference), class: "limit" }, box);
  if (plot.limit) svg("path", { d: seriesPath(plot.limit, n, y), class: "limit" }, box);
  svg("path", { d: seriesPath(plot.value, n, y, plot.cap), class: worst ? "series bad" : "series" }, box);
  const shown = plot.value.filter(Number.isFinite);
  return { bad: worst, low: shown.length ? Math.min(...shown) : NaN, high: shown.length ? Math.max(...shown) : NaN };
}

function flagPlot(plot, box) {
  const each = TALL / plot.rows.length;
  let any = false;
  plot.rows.forEach((row, r) => {
    svg("rect", { x: 0, width: WIDE, y: r * each + each * 0.3, height: each * 0.4, class: "lane" }, box);
    for (let i = 0; i < plot.n; i++) {
      if (!row.on[i]) continue;
      any = true;
      const from = i;
      while (i + 1 < plot.n && row.on[i + 1]) i++;
      const x = Math.max(0, (from - 0.5) / (plot.n - 1) * WIDE), width = Math.max(8, (i - from + 1) / (plot.n - 1) * WIDE);
      svg("rect", { x, width, y: r * each + each * 0.15, height: each * 0.7, class: row.key === "collision" ? "flag mild" : "flag" }, box);
    }
  });
  return { bad: any };
}

function buildPlots(drive, seek) {
  const holder = document.getElementById("plots");
  holder.replaceChildren();
  plotted = drive.plots.map((plot) => {
    const card = element("figure", "plot", undefined, holder);
    const head = element("figcaption", "", undefined, card);
    element("span", "name", plot.title, head);
    const now = element("span", "now", "", head);
    const frame = element("div", plot.rows ? "frame flags" : "frame", undefined, card);
    const box = svg("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, preserveAspectRatio: "none", role: "img" }, frame);
    const found = plot.rows ? flagPlot(plot, box) : linePlot(plot, drive.n, box);
    const cursor = svg("line", { x1: 0, x2: 0, y1: 0, y2: TALL, class: "cursor" }, box);
    if (found.bad) card.classList.add("bad");
    if (plot.rows) {
      const names = element("div", "rows", undefined, frame);
      for (const row of plot.rows) element("span", "", row.name, names);
      box.setAttribute("aria-label", plot.rows.map((r) => `${r.name}: ${r.on.includes(1) ? "yes" : "no"}`).join(", "));
    } else {
      const between = `${number(found.low, plot.unit)} to ${number(found.high, plot.unit)}`;
      box.setAttribute("aria-label", `${plot.title}: ${between}${found.bad ? "; outside its bounds" : ""}`);
      const side = element("div", "scale", undefined, frame), [lo, hi] = range(plot);
      element("span", "", plot.cap !== undefined ? `${plot.cap}+` : number(hi - 0.06 * (hi - lo) / 1.12), side);
      element("span", "", number(Math.abs(lo) < 0.05 * (hi - lo) ? 0 : lo + 0.06 * (hi - lo) / 1.12), side);
    }
    const at = (e) => {
      const area = box.getBoundingClientRect();
      seek(Math.round(Math.min(1, Math.max(0, (e.clientX - area.left) / area.width)) * (drive.n - 1)));
    };
    frame.addEventListener("pointerdown", (e) => { if (e.button === 0) { frame.setPointerCapture(e.pointerId); at(e); } });
    frame.addEventListener("pointermove", (e) => { if (frame.hasPointerCapture(e.pointerId)) at(e); });
    return { plot, now, cursor };
  });
}

function movePlots(drive, t) {
  const row = Math.floor(t), x = (t / Math.max(1, drive.n - 1)) * WIDE;
  for (const { plot, now, cursor } of plotted) {
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    if (plot.rows) {
      const on = plot.rows.filter((r) => r.on[row]).map((r) => r.name);
      now.textContent = on.join(", ");
      now.classList.toggle("broken", on.length > 0);
      continue;
    }
    const v = plot.value[row], limit = plot.limit ? plot.limit[row] : plot.reference;
    let text = !Number.isFinite(v) && plot.cap !== undefined ? "none ahead" : number(v, plot.unit);
    if (Number.isFinite(limit)) text = `${number(v)} / ${number(limit, plot.unit)}`;
    now.textContent = text;
    now.classList.toggle("broken", breaks(plot, v) || Boolean(plot.limit && v > limit + 0.5));
  }
}
