// The player: what time it is, what moves it, and the address that leads back here.
const state = { t: 0, drive: 0, playing: false, rate: 1, picked: -1, hovered: -1, others: false, trace: true, lit: "", litOption: "", over: "", undone: 0, onPaper: false };
const RATES = [0.25, 0.5, 1, 2, 4];
let dirty = true, last = 0, saved = 0;
const drive = () => driveAt(state.drive);
const end = () => drive().n - 1;

function setTime(t, keepPlaying) {
  state.t = Math.min(end(), Math.max(0, t));
  if (!keepPlaying) setPlaying(false);
  dirty = true;
  saved = performance.now() + 150;
}

function setPlaying(on) {
  if (on && state.t >= end()) state.t = 0;
  state.playing = on;
  const button = byId("play");
  button.setAttribute("aria-label", on ? "Pause" : "Play");
  button.title = on ? "Pause (space)" : "Play (space)";
  button.classList.toggle("on", on);
  dirty = true;
  saved = performance.now() + 150;
}

function setRate(rate) {
  state.rate = rate;
  byId("rate").value = String(rate);
}

function setFollow(on) {
  camera.follow = on;
  byId("follow").setAttribute("aria-pressed", String(on));
  if (on) camera.scale = Math.max(camera.scale, Math.min(10, Math.max(4, camera.width / 110)));
  dirty = true;
  saved = performance.now() + 150;
}

function fitAll() {
  setFollow(false);
  setHeadingUp(false);
  const d = drive(), points = [], log = scene.log;
  for (let i = 0; i < d.n; i++) if (d.valid[EGO * d.n + i]) points.push([d.x[EGO * d.n + i], d.y[EGO * d.n + i]]);
  if (log.recorded) for (let i = 0; i < log.n; i++) if (log.valid[i]) points.push([log.x[i], log.y[i]]);
  if (points.length) frameBox(points, 22);
}

function setHeadingUp(on) {
  camera.headingUp = on;
  if (!on) camera.angle = 0;
  byId("turn").setAttribute("aria-pressed", String(on));
  dirty = true;
}

function setOthers(on) {
  state.others = on && scene.drives.length > 1;
  byId("others").setAttribute("aria-pressed", String(state.others));
  dirty = true;
  saved = performance.now() + 150;
}

function selectDrive(index) {
  const before = drive().dt;
  state.drive = index;
  state.t = Math.min(end(), state.t * (before / drive().dt));
  document.querySelectorAll("#planners button").forEach((b, i) => b.setAttribute("aria-pressed", String(i === index)));
  byId("scrub").max = String(end());
  byId("length").textContent = `${(end() * drive().dt).toFixed(1)} s`;
  buildPanel(drive(), setTime);
  buildFacts(drive());
  buildMarks(drive());
  buildPlots(drive(), setTime);
  buildTold(drive(), index, setTime);
  dirty = true;
}

function draw() {
  const d = drive(), t = state.t, row = Math.floor(t), ego = poseAt(d, EGO, t);
  if (camera.follow && ego) {
    camera.x = ego.x; camera.y = ego.y;
    if (camera.headingUp) camera.angle = ego.h - Math.PI / 2;
  }
  const told = toldBy(state.drive), said = state.trace ? told[decisionAt(told, row)] : undefined, lit = told.length ? litNow() : "";
  drawRoads(d, row);
  if (said) drawToldBelow(d, t, said, lit);
  drawPaths(d, t);
  drawPlan(d, t);
  if (state.others) drawOthers(state.drive, t * d.dt);
  for (let a = 0; a < scene.agents.id.length; a++) {
    if (a === EGO) continue;
    const struck = d.struck && d.struck.agent === a && t >= d.struck.row;
    drawAgent(d, a, t, struck ? "alarm" : a === state.picked || a === state.hovered ? "ego" : "");
  }
  drawEgo(d, t);
  drawImpact(d, t);
  if (said) drawToldAbove(d, t, said, lit);
  moveTold(d, t);
  movePlots(d, t);
  moveHud(d, t);
  const scrub = byId("scrub");
  scrub.value = String(t);
  scrub.setAttribute("aria-valuetext", seconds(t, d));
  byId("played").style.width = `${(t / Math.max(1, end())) * 100}%`;
  byId("clock").textContent = seconds(t, d);
  drawScale();
  drawTip();
  Object.assign(document.documentElement.dataset, { t: (row * d.dt).toFixed(1), planner: d.label, follow: camera.follow ? "1" : "0" });
}

function drawScale() {
  const step = [1, 2, 5, 10, 20, 50, 100, 200].find((m) => m * camera.scale >= 56) || 500;
  byId("bar").style.width = `${step * camera.scale}px`;
  byId("bar").textContent = `${step} m`;
}

function drawTip() {
  const tip = byId("tip"), a = state.hovered >= 0 ? state.hovered : state.picked;
  tip.hidden = a < 0;
  if (a < 0) return;
  const [head, ...rest] = describe(drive(), a, state.t), pose = poseAt(drive(), a, state.t);
  tip.replaceChildren();
  element("b", "", head, tip);
  for (const line of rest) element("span", "", line, tip);
  const [x, y] = pose ? toScreen(pose.x, pose.y) : [12, 60];
  const flip = x > camera.width - 220;
  tip.style.left = `${Math.max(4, flip ? x - 14 - tip.offsetWidth : x + 14)}px`;
  tip.style.top = `${Math.min(camera.height - tip.offsetHeight - 4, Math.max(4, y + 12))}px`;
}

function tick(now) {
  if (state.playing) {
    const t = state.t + (Math.min(100, now - last) / 1000) * state.rate / drive().dt;
    setTime(t, true);
    if (t >= end()) setPlaying(false);
  }
  last = now;
  if (dirty) { dirty = false; draw(); }
  if (saved && !state.playing && now > saved) { saved = 0; writeAddress(); }
  requestAnimationFrame(tick);
}

function writeAddress() {
  const parts = [`t=${(Math.round(state.t) * drive().dt).toFixed(1)}`, `follow=${camera.follow ? 1 : 0}`];
  if (scene.drives.length > 1) parts.push(`planner=${encodeURIComponent(drive().label)}`);
  if (state.others) parts.push("others=1");
  history.replaceState(null, "", `#${parts.join("&")}`);
}

function readAddress() {
  const address = new URLSearchParams(location.hash.slice(1));
  const theme = address.get("theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  const wanted = scene.drives.findIndex((d) => d.label === address.get("planner"));
  selectDrive(wanted >= 0 ? wanted : Math.max(0, scene.drives.findIndex((d) => d.traces)));
  if (address.get("others") === "1") setOthers(true);
  if (address.get("follow") === "0") fitAll(); else setFollow(true);
  const t = parseFloat(address.get("t"));
  setTime(Number.isFinite(t) ? Math.round(t / drive().dt) : 0);
}

const KEYS = {
  " ": () => setPlaying(!state.playing),
  k: () => setPlaying(!state.playing),
  ArrowRight: (e) => setTime(Math.floor(state.t) + (e.shiftKey ? Math.round(1 / drive().dt) : 1)),
  ArrowLeft: (e) => setTime(Math.ceil(state.t) - (e.shiftKey ? Math.round(1 / drive().dt) : 1)),
  Home: () => setTime(0),
  End: () => setTime(end()),
  "+": () => { zoomAt(1.25, camera.width / 2, camera.height / 2); dirty = true; },
  "=": () => KEYS["+"](),
  "-": () => { zoomAt(0.8, camera.width / 2, camera.height / 2); dirty = true; },
  f: () => (camera.follow ? fitAll() : setFollow(true)),
  o: () => { setHeadingUp(!camera.headingUp); if (camera.headingUp) setFollow(true); },
  ".": () => setRate(RATES[Math.min(RATES.length - 1, RATES.indexOf(state.rate) + 1)]),
  ",": () => setRate(RATES[Math.max(0, RATES.indexOf(state.rate) - 1)]),
  w: () => setTime(drive().worst[0]),
  p: () => selectDrive((state.drive + 1) % scene.drives.length),
  c: () => setOthers(!state.others),
  a: () => pickNext(),
  n: (e) => toDecision(e.shiftKey ? -1 : 1),
  t: () => setTrace(!state.trace),
  x: nextUndone,
  Escape: () => { state.picked = -1; dirty = true; },
  "[": () => scene.links.previous && location.assign(scene.links.previous),
  "]": () => scene.links.next && location.assign(scene.links.next),
  "?": () => byId("help").showModal(),
};

// The next agent by distance from the ego: what a pointer does, for keyboards.
function pickNext() {
  const d = drive(), ego = poseAt(d, EGO, state.t);
  const order = scene.agents.id.map((_, a) => [a, poseAt(d, a, state.t)])
    .filter(([a, p]) => p && ego && a !== EGO)
    .sort((l, r) => Math.hypot(l[1].x - ego.x, l[1].y - ego.y) - Math.hypot(r[1].x - ego.x, r[1].y - ego.y))
    .map(([a]) => a);
  state.picked = order.length ? order[(order.indexOf(state.picked) + 1) % order.length] : -1;
  if (state.picked >= 0) byId("spoken").textContent = describe(d, state.picked, state.t).join(", ");
  dirty = true;
}

// What does not change with the planner: names, the ways out, the legend.
function furnish() {
  byId("title").textContent = scene.id;
  for (const tag of [scene.source, scene.family]) if (tag) element("span", "", tag, byId("tags"));
  for (const to of ["index", "previous", "next"]) {
    const link = byId(`to-${to}`);
    if (scene.links[to]) { link.href = scene.links[to]; link.hidden = false; }
  }
  for (const kind of [...new Set(scene.agents.kind)].sort()) {
    const entry = element("span", "", undefined, byId("kinds"));
    element("i", `dot kind-${kind}`, undefined, entry);
    entry.append(scene.kinds[kind] || "unknown");
  }
  document.querySelectorAll(".of-log").forEach((node) => { node.hidden = !scene.log.recorded; });
  document.querySelectorAll(".of-told").forEach((node) => { node.hidden = !scene.told; });
  byId("legend").open = innerWidth > 900 && innerHeight > 960;
}

function wire() {
  scene.drives.forEach((d, i) => {
    const button = element("button", "", undefined, byId("planners"));
    button.type = "button";
    element("span", "", d.label, button);
    element("b", grade(d.score), d.score.toFixed(2), button);
    button.addEventListener("click", () => selectDrive(i));
  });
  byId("play").addEventListener("click", () => setPlaying(!state.playing));
  byId("back").addEventListener("click", (e) => KEYS.ArrowLeft(e));
  byId("ahead").addEventListener("click", (e) => KEYS.ArrowRight(e));
  byId("worst").addEventListener("click", KEYS.w);
  byId("scrub").addEventListener("input", (e) => setTime(Number(e.target.value)));
  byId("rate").addEventListener("change", (e) => setRate(Number(e.target.value)));
  byId("follow").addEventListener("click", () => setFollow(!camera.follow));
  byId("fit").addEventListener("click", fitAll);
  byId("turn").addEventListener("click", KEYS.o);
  byId("others").addEventListener("click", KEYS.c);
  byId("others").hidden = scene.drives.length < 2;
  byId("in").addEventListener("click", KEYS["+"]);
  byId("out").addEventListener("click", KEYS["-"]);
  byId("helper").addEventListener("click", KEYS["?"]);
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    readColours();
    dirty = true;
  });
  wireTold();
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || byId("help").open) return;
    if (/^(SELECT|TEXTAREA)$/.test(e.target.tagName)) return;
    if (e.key === " " && /^(BUTTON|SUMMARY)$/.test(e.target.tagName)) return;
    const act = KEYS[e.key] || KEYS[e.key.toLowerCase()];
    if (act) { e.preventDefault(); act(e); }
  });
  gestures({
    moved: () => { dirty = true; },
    panned: () => { if (camera.follow) setFollow(false); },
    hover: (px, py) => {
      const a = px < 0 ? -1 : agentUnder(drive(), state.t, px, py);
      const told = px < 0 || a >= 0 ? [] : toldBy(state.drive), said = told[decisionAt(told, Math.floor(state.t))];
      const over = said ? elementUnder(said, px, py) : "";
      if (over !== state.over) { state.over = over; dirty = true; showLit(); }
      if (a !== state.hovered) { state.hovered = a; dirty = true; canvas.classList.toggle("over", a >= 0); showLit(); }
    },
    click: (px, py) => { state.picked = agentUnder(drive(), state.t, px, py); dirty = true; showLit(); },
  });
  new ResizeObserver(() => { if (!state.onPaper) { fitCanvas(); dirty = true; } }).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); dirty = true; });
  window.addEventListener("hashchange", () => { readAddress(); readColours(); });
  printing();
}

// On paper the moment that is shown, in light colours.
function printing() {
  const root = document.documentElement;
  let theme;
  window.addEventListener("beforeprint", () => {
    state.onPaper = true;
    setPlaying(false);
    theme = root.dataset.theme;
    root.dataset.theme = "light";
    readColours();
    draw();
  });
  window.addEventListener("afterprint", () => {
    state.onPaper = false;
    if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
    readColours();
    dirty = true;
  });
}

furnish();
wire();
fitCanvas();
readAddress();
readColours();
draw();
document.documentElement.dataset.ready = "1";
requestAnimationFrame(tick);
