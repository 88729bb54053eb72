// Beside the player: the score with its terms, what went wrong and when, figures, and what the page is of.
const percent = (v) => (Number.isFinite(v) ? (Math.round(v * 1000) / 10).toFixed(1).replace(/\.0$/, "") : "–");
const seconds = (row, drive) => `${(row * drive.dt).toFixed(1)} s`;

const FIGURES = {
  ade_m: ["average displacement (ADE)"], fde_m: ["final displacement (FDE)"], pdms: ["PDMS, as NAVSIM"],
  epdms: ["EPDMS, as NAVSIM"], min_ttc_s: ["shortest time to collision"], collision: ["collision", true],
  off_road: ["off the road", true], at_fault: ["at-fault contacts"], red_light: ["red lights entered"], scored_s: ["scored time"],
  progress_m: ["progress"], reference_progress_m: ["reference progress"],
};

function buildPanel(drive, seek) {
  byId("score").textContent = drive.score.toFixed(3);
  byId("score").className = `score ${grade(drive.score)}`;
  byId("score-of").textContent = `${drive.planner}, ${drive.traffic} traffic`;
  const ends = { horizon: "drove to the end", collision: "ended by a collision", off_road: "ended off the road", recording_end: "drove to the recording's end" };
  byId("score-end").textContent = ends[drive.end] || drive.end.replace(/_/g, " ");
  const table = byId("terms");
  table.replaceChildren();
  for (const term of drive.terms) {
    const row = element("tr", term.why ? "left-out" : "", undefined, table);
    row.title = term.rule;
    element("th", "", term.key, row).scope = "row";
    const name = element("td", "name", term.name, row);
    if (term.why) element("small", "", term.why, name);
    element("td", "weight", term.weight ? `${term.weight}` : "×", row);
    const value = element("td", "value", undefined, row);
    if (term.value === undefined) { value.textContent = "–"; continue; }
    value.textContent = String(Math.round(term.value * 1000) / 1000);
    value.classList.add(grade(term.value));
  }
  byId("formula").textContent = drive.formula[0];
  byId("formula-figures").textContent = `= ${drive.formula[1]} = ${drive.score.toFixed(3)}`;
  const list = byId("moments");
  list.replaceChildren();
  for (const m of drive.moments) {
    const button = element("button", `moment ${m.severity < 4 ? "grave" : "mild"}`, undefined, element("li", "", undefined, list));
    button.type = "button";
    element("span", "when", seconds(m.row, drive), button);
    const what = element("span", "what", m.label, button);
    if (m.detail) element("small", "", m.detail, what);
    button.addEventListener("click", () => seek(m.row));
  }
  byId("no-moments").hidden = drive.moments.length > 0;
  const figures = byId("figures");
  figures.replaceChildren();
  for (const [key, value] of Object.entries(drive.figures)) {
    const unit = /_m$/.test(key) ? "m" : /_s$/.test(key) ? "s" : "", [name, flag] = FIGURES[key] || [];
    element("dt", "", name || key.replace(/_(m|s)$/, "").replace(/_/g, " "), figures);
    element("dd", "", value === null ? "–" : flag ? (value ? "yes" : "no") : !unit && Number.isInteger(value) ? String(value) : number(value, unit), figures);
  }
}

function buildFacts(drive) {
  const facts = byId("facts");
  facts.replaceChildren();
  const absent = scene.agents.absent;
  const rows = [
    ["source", scene.source], ["family", scene.family], ["cluster", scene.cluster], ["traffic", drive.traffic],
    ["seed", String(drive.seed)], ["agents", `${scene.agents.id.length}${absent ? ` (${absent} out of sight left out)` : ""}`],
    ["licence", scene.licence], ["attribution", scene.attribution],
  ];
  for (const [name, text] of rows) {
    if (!text) continue;
    element("dt", "", name, facts);
    element("dd", "", text, facts);
  }
}

function buildMarks(drive) {
  const marks = byId("marks");
  marks.replaceChildren();
  const last = Math.max(1, drive.n - 1);
  for (const m of drive.moments) {
    const weight = m.severity < 4 ? "grave" : "mild", stretch = element("i", weight, undefined, marks);
    stretch.style.left = `${(m.row / last) * 100}%`;
    stretch.style.width = `max(3px, ${((m.until - m.row) / last) * 100}%)`;
    if (weight === "grave") element("i", "start", undefined, marks).style.left = stretch.style.left;
  }
}

function moveHud(drive, t) {
  const row = Math.floor(t), k = EGO * drive.n + row;
  const limit = (drive.plots.find((p) => p.key === "speed_mps") || {}).limit;
  byId("hud-time").textContent = `${(t * drive.dt).toFixed(1)} s`;
  byId("hud-speed").textContent = `${Math.round(Math.abs(drive.v[k]) * 3.6)}`;
  byId("hud-limit").textContent = limit && Number.isFinite(limit[row]) ? `${Math.round(limit[row] * 3.6)}` : "–";
  byId("hud-lon").textContent = number(drive.lon[row]);
  byId("hud-lat").textContent = number(drive.lat[row]);
}

// What is known of one agent now; the text under the pointer, or of the agent that was clicked.
function describe(drive, a, t) {
  const pose = poseAt(drive, a, t), kind = scene.kinds[scene.agents.kind[a]] || "unknown";
  const name = a === EGO ? "ego" : kind;
  if (!pose) return [`${name} ${scene.agents.id[a]}`, "not here now"];
  const lines = [`${name} ${scene.agents.id[a]}`];
  lines.push(`${number(pose.v, "m/s")} · ${Math.round(Math.abs(pose.v) * 3.6)} km/h`);
  const ego = poseAt(drive, EGO, t);
  if (a !== EGO) {
    if (ego) lines.push(`${number(Math.hypot(pose.x - ego.x, pose.y - ego.y), "m")} from the ego`);
    lines.push(`${drive.reactive[pose.k] ? "reactive" : "replayed"}${drive.visible[pose.k] ? "" : ", hidden from the ego"}`);
  }
  lines.push(`${scene.agents.size[2 * a].toFixed(1)} × ${scene.agents.size[2 * a + 1].toFixed(1)} m`);
  return lines;
}
