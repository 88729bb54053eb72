// The trace beside the player: the sentence above it, the claims with their verdicts, the decisions as a strip below it.
let toldShown = { drive: null, decision: -2 };
const opened = new Set();

const keyOf = (line) => `${line.stage} ${line.ref || line.head}`;
const CAME = ["came true", "came otherwise", "undetermined", "not judged"];
const verdictName = (v) => (v.kind === 1 ? CAME[v.value] : VERDICTS[v.value].name);
const verdictText = (v) => `${v.field}: ${verdictName(v)}`;

function markOf(value, kind, count, parent) {
  const { name, mark } = VERDICTS[value], node = element("i", `mark ${name.replace(" ", "-")} ${KINDS[kind]}`, mark, parent);
  node.setAttribute("aria-hidden", "true");
  if (count > 1) element("small", "", String(count), parent).setAttribute("aria-hidden", "true");
}

// One mark for each verdict that occurs, with how often.
function marks(said, parent) {
  const holder = element("span", "marks", undefined, parent);
  const judged = said.some((v) => v.value !== 3);
  for (const kind of [0, 1, 2]) for (const value of [1, 2, 0, 3]) {
    if (value === 3 && judged) continue;
    const count = said.filter((v) => v.kind === kind && v.value === value).length;
    if (count) markOf(value, kind, count, holder);
  }
  if (said.length) element("span", "off-screen", said.filter((v) => v.value !== 3 || !judged).map(verdictText).join(", "), holder);
}

// What judged each claim and by what; in short, where there is little room, the evidence in one line.
function proofOf(said, parent, short) {
  const order = [1, 2, 0, 3];
  for (const v of [...said].sort((a, b) => order.indexOf(a.value) - order.indexOf(b.value))) {
    if (short && v.value === 3 && said.some((other) => other.value !== 3)) continue;
    const item = element("li", "", undefined, parent), head = element("div", "judged", undefined, item);
    markOf(v.value, v.kind, 1, head);
    element("b", "", v.field, head);
    element("span", "", v.kind === 2 ? `${verdictName(v)}, by intervention` : verdictName(v), head);
    if (v.slack) element("span", "slack", `slack ${v.slack}`, head);
    if (v.why) element("p", "", v.why, item);
    if (short) {
      if (v.evidence.length) element("p", "quiet", v.evidence.map(([name, value]) => `${name} ${value}`).join(" · "), item);
      continue;
    }
    const list = element("dl", "", undefined, item);
    for (const [name, value] of [...(v.rule ? [["rule", v.rule]] : []), ...v.evidence]) {
      element("dt", "", name, list);
      element("dd", "", value, list);
    }
  }
}

function lightUp(ref, option) {
  if (state.lit === ref && state.litOption === (option || "")) return;
  state.lit = ref;
  state.litOption = option || "";
  dirty = true;
}

function claimRow(line, list) {
  const item = element("li", "claim", undefined, list), key = keyOf(line);
  const button = element("button", "what", undefined, item);
  button.type = "button";
  item.dataset.key = key;
  if (line.ref) item.dataset.ref = line.ref;
  const place = line.ref && places.get(line.ref);
  if (line.stage === REJECTED) element("i", "swatch ghost", undefined, button);
  else if (line.ref) element("i", place && place.kind === "agent" ? `swatch kind-${scene.agents.kind[place.agent]}` : "swatch thing", undefined, button);
  const words = element("span", "words", undefined, button);
  element("b", "", line.head, words);
  element("span", "", line.rest, words);
  marks(line.stage === FORECASTS ? line.said.filter((v) => v.kind === 1) : line.said, button);
  const option = line.stage === REJECTED ? line.head.replace(/^not /, "") : "";
  for (const enter of ["pointerenter", "focus"]) button.addEventListener(enter, () => { lightUp(line.ref, option); hoverProof(line, button, enter); });
  for (const leave of ["pointerleave", "blur"]) button.addEventListener(leave, () => { lightUp("", ""); byId("proof").hidden = true; });
  if (!line.said.length) return;
  const proof = element("ul", "proof", undefined, item);
  proofOf(line.said, proof);
  const show = (on) => { button.setAttribute("aria-expanded", String(on)); proof.hidden = !on; };
  show(opened.has(key));
  button.addEventListener("click", () => {
    if (opened.has(key)) opened.delete(key); else opened.add(key);
    show(opened.has(key));
    byId("proof").hidden = true;
  });
}

function hoverProof(line, button, how) {
  const proof = byId("proof");
  proof.hidden = !line.said.length || how === "focus" || button.getAttribute("aria-expanded") === "true";
  if (proof.hidden) return;
  const list = byId("proof-list"), box = button.getBoundingClientRect();
  list.replaceChildren();
  proofOf(line.said, list, true);
  const wide = Math.min(340, innerWidth - 16), left = box.left - wide - 10;
  proof.style.width = `${wide}px`;
  proof.style.left = `${left > 8 ? left : Math.max(8, Math.min(box.left, innerWidth - wide - 8))}px`;
  const top = left > 8 ? box.top : box.bottom + 4;
  proof.style.top = `${Math.max(8, Math.min(top, innerHeight - proof.offsetHeight - 8))}px`;
}

function buildTold(drive, index, seek) {
  const told = toldBy(index), has = told.length > 0;
  for (const id of ["said", "strip", "told", "trace"]) byId(id).hidden = !has;
  document.body.classList.toggle("has-told", has);
  toldShown = { drive: null, decision: -2 };
  buildUndone(told);
  if (has) buildStrip(drive, told, seek);
}

// The decisions over time: a cell each, those alike side by side under one name. One stop of the tab key, arrows inside.
function buildStrip(drive, told, seek) {
  const strip = byId("strip-cells"), last = Math.max(1, drive.n - 1);
  strip.replaceChildren();
  let run = null, runLon = -1;
  told.forEach((decision, d) => {
    const until = d + 1 < told.length ? told[d + 1].row : drive.n - 1, width = Math.max(0, until - decision.row);
    if (decision.lon !== runLon || decision.changed) {
      run = element("div", `run lon-${decision.lon}`, undefined, strip);
      run.style.left = `${(decision.row / last) * 100}%`;
      run.dataset.width = "0";
      element("span", "run-name", decision.name, run).setAttribute("aria-hidden", "true");
      runLon = decision.lon;
    }
    run.dataset.width = String(Number(run.dataset.width) + width);
    run.style.width = `${(Number(run.dataset.width) / last) * 100}%`;
    const cell = element("button", "cell", undefined, run), false_ = decision.lines.some((l) => l.said.some((v) => v.kind !== 1 && v.value === 1));
    cell.type = "button";
    cell.style.flexGrow = String(Math.max(width, 0.001));
    cell.tabIndex = -1;
    const words = `${seconds(decision.row, drive)}: ${decision.name}${decision.lateral === "keep" ? "" : `, ${decision.lateral}`}`;
    cell.title = words + (false_ ? "; a claim is false" : "");
    cell.setAttribute("aria-label", cell.title);
    if (false_) element("i", "", "✕", cell).setAttribute("aria-hidden", "true");
    cell.addEventListener("click", () => seek(decision.row));
  });
  const cells = [...strip.querySelectorAll(".cell")];
  if (cells.length) cells[0].tabIndex = 0;
}

function toDecision(step) {
  const told = toldBy(state.drive), now = decisionAt(told, Math.floor(state.t));
  const to = Math.min(told.length - 1, Math.max(0, now + step));
  if (told.length) setTime(step < 0 && now >= 0 && state.t > told[now].row ? told[now].row : told[to].row);
  return to;
}

function moveTold(drive, t) {
  const told = toldBy(state.drive);
  if (!told.length) return;
  const now = decisionAt(told, Math.floor(t));
  sayUndone(told[now]);
  sayOthers(state.drive, t * drive.dt);
  byId("strip-now").style.left = `${(t / Math.max(1, drive.n - 1)) * 100}%`;
  for (const row of document.querySelectorAll("#told-list .claim")) row.classList.toggle("lit", Boolean(litNow()) && row.dataset.ref === litNow());
  if (toldShown.drive === drive && toldShown.decision === now) return;
  toldShown = { drive, decision: now };
  const cells = [...document.querySelectorAll("#strip .cell")];
  cells.forEach((cell, d) => { cell.tabIndex = d === Math.max(0, now) ? 0 : -1; cell.setAttribute("aria-current", String(d === now)); });
  showDecision(told, now, drive);
}

function showDecision(told, now, drive) {
  const list = byId("told-list"), focus = document.activeElement && document.activeElement.closest ? document.activeElement.closest("#told-list .claim") : null;
  const kept = focus && focus.dataset.key;
  list.replaceChildren();
  byId("told-when").textContent = now < 0 ? "before the first decision" : `decision ${now + 1} of ${told.length}, ${seconds(told[now].row, drive)}`;
  byId("said-text").textContent = now < 0 ? "No decision yet." : told[now].sentence;
  byId("said").className = now < 0 ? "said" : `said lon-${told[now].lon}`;
  byId("said-name").textContent = now < 0 ? "" : told[now].name;
  const tally = byId("told-tally");
  tally.replaceChildren();
  if (now < 0) return;
  const decision = told[now], every = [...decision.lines.flatMap((l) => l.said), ...decision.other];
  [["Present tense", 0], ["Forecasts", 1], ["Audit", 2]].forEach(([name, kind]) => {
    const said = every.filter((v) => v.kind === kind);
    if (!said.length) return;
    const part = element("span", "", undefined, tally);
    element("span", "quiet", name, part);
    for (const value of [0, 1, 2, 3]) {
      const count = said.filter((v) => v.value === value).length;
      if (!count) continue;
      markOf(value, kind, 1, part);
      element("span", "", String(count), part).title = verdictName({ kind, value });
      element("span", "off-screen", verdictName({ kind, value }), part);
    }
  });
  STAGES.forEach((name, stage) => {
    const lines = decision.lines.filter((l) => l.stage === stage);
    if (!lines.length) return;
    const part = element("section", `stage-part stage-${stage}`, undefined, list);
    element("h3", "", name, part);
    if (stage === 2) element("p", "aside-note", "Judged by calibration over many drives; a mark says what then came.", part);
    const rows = element("ul", "", undefined, part);
    for (const line of lines) claimRow(line, rows);
  });
  const extra = [...decision.audit.map((text) => ({ text })), ...decision.other.map((v) => ({ v }))];
  if (extra.length) {
    const part = element("section", "stage-part", undefined, list);
    element("h3", "", "Audit and other findings", part);
    const rows = element("ul", "proof", undefined, part);
    for (const { text, v } of extra) if (v) proofOf([v], rows); else element("li", "", text, rows);
  }
  if (kept) {
    const again = [...list.querySelectorAll(".claim")].find((row) => row.dataset.key === kept);
    if (again) again.firstChild.focus({ preventScroll: true });
  }
}

// What is lit: what the list points at, else what the pointer or the choice of an agent does on the drawing.
function litNow() {
  if (state.lit) return state.lit;
  if (state.over) return state.over;
  const a = state.hovered >= 0 ? state.hovered : state.picked;
  return a >= 0 ? refOfAgent(a) : "";
}

// Brings the row of what is lit on the drawing into view.
function showLit() {
  const lit = toldBy(state.drive).length ? litNow() : "", row = lit && [...document.querySelectorAll("#told-list .claim")].find((r) => r.dataset.ref === lit);
  if (!row) return;
  const list = byId("told-list"), box = row.getBoundingClientRect(), room = list.getBoundingClientRect();
  if (box.top < room.top) list.scrollTop -= room.top - box.top + 8;
  else if (box.bottom > room.bottom) list.scrollTop += box.bottom - room.bottom + 8;
}

function wireTold() {
  byId("strip").addEventListener("keydown", (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    e.stopPropagation();
    const cells = document.querySelectorAll("#strip .cell"), at = [...cells].indexOf(document.activeElement);
    const to = Math.min(cells.length - 1, Math.max(0, at + step));
    setTime(toldBy(state.drive)[to].row);
    cells[to].focus();
  });
  byId("told-previous").addEventListener("click", () => toDecision(-1));
  byId("told-next").addEventListener("click", () => toDecision(1));
  byId("trace").addEventListener("click", () => setTrace(!state.trace));
  byId("undone").addEventListener("click", nextUndone);
}

function setTrace(on) {
  state.trace = on;
  byId("trace").setAttribute("aria-pressed", String(on));
  dirty = true;
}
