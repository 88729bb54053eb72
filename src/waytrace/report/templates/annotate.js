// Annotation: one picture after the other, in the order of the pass; answers stay in this browser until they are exported.
const data = JSON.parse(document.getElementById("data").textContent);
const pictures = [...document.querySelectorAll("template.scene")];
const LATERAL_KEYS = "qwertyuiopasdf", LONGITUDINAL_KEYS = "1234567890";
const state = { who: "", pass: 1, at: 0, answers: {}, view: null };

const plain = (name) => name.replace(/_/g, " ");
const place = () => `waytrace.annotation ${data.set} ${state.pass} ${state.who}`;
const order = () => data.orders[state.pass - 1];
const sceneNow = () => data.scenes[order()[state.at]];
const answerNow = () => state.answers[order()[state.at]] || {};
const complete = (a) => Boolean(a && a.longitudinal && a.lateral && a.cause !== undefined && (a.cause === null || a.relation));

// A browser may refuse to keep anything (private windows): then the page works until it is closed.
function keep() {
  try { localStorage.setItem(place(), JSON.stringify({ at: state.at, answers: state.answers })); } catch (refused) { byId("who-now").textContent = "not kept by this browser: export before you leave"; }
}

function recall() {
  let kept = null;
  try { kept = JSON.parse(localStorage.getItem(place())); } catch (refused) { kept = null; }
  state.answers = (kept && kept.answers) || {};
  state.at = Math.min(data.scenes.length - 1, Math.max(0, (kept && kept.at) || 0));
}

function answer(field, value) {
  const key = order()[state.at], now = { ...(state.answers[key] || {}) };
  now[field] = value;
  if (field === "cause" && answerNow().cause !== value) delete now.relation;
  if (field === "cause" && value !== null && relationsOf(value).length === 1) now.relation = relationsOf(value)[0];
  state.answers[key] = now;
  keep();
  show();
}

const relationsOf = (ref) => (ref ? data.relations[ref.split(":")[0]] || [] : []);

function choice(group, value, words, key, about, checked, act) {
  const label = element("label", "", undefined, group), input = element("input", "", undefined, label);
  input.type = "radio";
  input.name = group.id;
  input.value = value;
  input.checked = checked;
  if (key) element("kbd", "", key, label);
  element("span", "", words, label);
  if (about && group.id === "causes") element("small", "", about, label); else if (about) label.title = about;
  input.addEventListener("change", act);
}

function show() {
  const scene = sceneNow(), now = answerNow(), focus = document.activeElement && document.activeElement.name && [document.activeElement.name, document.activeElement.value];
  const fill = (id, draw) => { const group = byId(id); group.replaceChildren(); draw(group); };
  fill("longitudinal", (g) => data.longitudinal.forEach(([value, about], k) =>
    choice(g, value, plain(value), LONGITUDINAL_KEYS[k], about, now.longitudinal === value, () => answer("longitudinal", value))));
  fill("lateral", (g) => data.lateral.forEach(([value, about], k) =>
    choice(g, value, plain(value), LATERAL_KEYS[k], about, now.lateral === value, () => answer("lateral", value))));
  fill("causes", (g) => {
    choice(g, "none", "none", "x", "nothing in particular", now.cause === null, () => answer("cause", null));
    for (const [ref, what, where] of scene.candidates) choice(g, ref, `${what} ${ref.split(":")[1]}`, "", where, now.cause === ref, () => answer("cause", ref));
  });
  fill("relation", (g) => relationsOf(now.cause).forEach((value) => choice(g, value, plain(value), "", data.about[value] || "", now.relation === value, () => answer("relation", value))));
  byId("relation-part").hidden = !now.cause;
  byId("tick-longitudinal").textContent = now.longitudinal ? "✓" : "";
  byId("tick-lateral").textContent = now.lateral ? "✓" : "";
  byId("tick-cause").textContent = now.cause !== undefined ? "✓" : "";
  byId("tick-relation").textContent = now.relation ? "✓" : "";
  if (document.activeElement !== byId("remark")) byId("remark").value = now.remark || "";
  for (const thing of byId("picture").querySelectorAll(".thing")) thing.classList.toggle("chosen", thing.dataset.ref === now.cause);
  const chosen = byId("causes").querySelector(":checked");
  if (chosen) chosen.parentNode.scrollIntoView({ block: "nearest" });
  if (focus) { const again = [...document.getElementsByName(focus[0])].find((n) => n.value === focus[1]); if (again) again.focus({ preventScroll: true }); }
  const done = order().filter((k) => complete(state.answers[k])).length;
  byId("count").textContent = `${state.at + 1} of ${data.scenes.length} · ${done} answered`;
  byId("done").style.width = `${(100 * done) / data.scenes.length}%`;
  byId("who-now").textContent = `${state.who}, pass ${state.pass}`;
  Object.assign(document.documentElement.dataset, { at: String(state.at), scene: String(order()[state.at]), done: String(done) });
}

function turn(to) {
  state.at = Math.min(data.scenes.length - 1, Math.max(0, to));
  keep();
  const picture = byId("picture"), old = picture.querySelector("svg"), made = pictures[order()[state.at]].content.firstElementChild.cloneNode(true);
  if (old) old.remove();
  picture.prepend(made);
  const scene = sceneNow();
  byId("hud-speed").textContent = `${Math.round(scene.speed_mps * 3.6)} km/h`;
  byId("hud-accel").textContent = `${(scene.gained_mps >= 0 ? "+" : "−") + Math.abs(3.6 * scene.gained_mps).toFixed(0)} km/h`;
  byId("hud-limit").textContent = scene.limit_mps === null ? "–" : `${Math.round(scene.limit_mps * 3.6)} km/h`;
  state.view = made.viewBox.baseVal;
  state.whole = [state.view.x, state.view.y, state.view.width, state.view.height];
  show();
}

function step() {
  const open = order().findIndex((k, i) => i > state.at && !complete(state.answers[k]));
  if (complete(answerNow()) && state.at === data.scenes.length - 1) showExport();
  else turn(complete(answerNow()) && open >= 0 ? open : state.at + 1);
}

function through(by) {
  const refs = sceneNow().candidates.map((c) => c[0]), at = refs.indexOf(answerNow().cause);
  if (!refs.length) return;
  const ref = refs[at < 0 ? (by > 0 ? 0 : refs.length - 1) : (at + by + refs.length) % refs.length];
  answer("cause", ref);
  byId("spoken").textContent = sceneNow().candidates.find((c) => c[0] === ref).join(", ");
}

function exported() {
  return order().filter((k) => complete(state.answers[k])).map((k) => {
    const a = state.answers[k], s = data.scenes[k];
    return JSON.stringify({
      schema: data.schema, set: data.set, scenario: s.scenario, tick: s.tick, scenario_hash: s.hash,
      producer: { kind: "human", who: state.who, pass: state.pass }, longitudinal: a.longitudinal, lateral: a.lateral,
      cause: a.cause, relation: a.cause === null ? null : a.relation, remark: a.remark || "",
    });
  }).join("\n") + "\n";
}

function showExport() {
  const text = exported(), done = order().filter((k) => complete(state.answers[k])).length;
  byId("lines").value = text;
  byId("export-count").textContent = `${done} of ${data.scenes.length} scenes are answered${done < data.scenes.length ? "; the others are left out" : ""}.`;
  const link = byId("download");
  if (link.href.startsWith("blob:")) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
  link.download = `annotation-${state.who.replace(/[^A-Za-z0-9]+/g, "-") || "anonymous"}-pass${state.pass}.jsonl`;
  if (!byId("export").open) byId("export").showModal();
}

// The wheel zooms about the pointer, a drag moves, a click on an element chooses it.
function gestures() {
  const picture = byId("picture");
  let held = null, moved = 0;
  const scale = () => { const box = picture.getBoundingClientRect(); return Math.max(state.view.width / box.width, state.view.height / box.height); };
  picture.addEventListener("wheel", (e) => {
    e.preventDefault();
    const v = state.view, box = picture.getBoundingClientRect(), factor = Math.min(Math.max(Math.exp(e.deltaY * 0.0016), 20 / v.width), state.whole[2] / v.width);
    const fx = (e.clientX - box.left) / box.width, fy = (e.clientY - box.top) / box.height;
    v.x += v.width * fx * (1 - factor); v.y += v.height * fy * (1 - factor);
    v.width *= factor; v.height *= factor;
  }, { passive: false });
  picture.addEventListener("pointerdown", (e) => { held = [e.clientX, e.clientY]; moved = 0; });
  picture.addEventListener("pointermove", (e) => {
    if (!held) return;
    moved += Math.hypot(e.clientX - held[0], e.clientY - held[1]);
    if (moved > 4) { state.view.x -= (e.clientX - held[0]) * scale(); state.view.y -= (e.clientY - held[1]) * scale(); }
    held = [e.clientX, e.clientY];
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) picture.addEventListener(end, () => { held = null; });
  picture.addEventListener("click", (e) => {
    const thing = moved <= 4 && e.target.closest && e.target.closest(".thing");
    if (thing && sceneNow().candidates.some((c) => c[0] === thing.dataset.ref)) answer("cause", thing.dataset.ref);
  });
  picture.addEventListener("dblclick", () => { [state.view.x, state.view.y, state.view.width, state.view.height] = state.whole; });
}

function ask() {
  byId("who").value = state.who;
  const group = byId("pass");
  group.replaceChildren();
  for (const pass of [1, 2]) choice(group, String(pass), pass === 1 ? "first" : "second", "", "", pass === state.pass, () => { state.pass = pass; });
  if (!byId("start").open) byId("start").showModal();
}

function begin() {
  state.who = byId("who").value.trim() || "anonymous";
  recall();
  byId("start").close();
  turn(state.at);
}

const KEYS = {
  x: () => answer("cause", null), ",": () => through(-1), ".": () => through(1), Enter: step, Backspace: () => turn(state.at - 1), "?": ask,
  m: () => byId("remark").focus(),
  g: () => { const first = byId("relation").querySelector(":checked") || byId("relation").querySelector("input"); if (first) first.focus(); },
};

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || byId("start").open || byId("export").open) return;
  const target = e.target;
  if (target.tagName === "TEXTAREA") { if (e.key === "Escape") target.blur(); return; }
  if (e.key === "Enter" && target.tagName === "BUTTON") return;
  const lon = LONGITUDINAL_KEYS.indexOf(e.key), lat = LATERAL_KEYS.indexOf(e.key), act = KEYS[e.key];
  if (lon >= 0) answer("longitudinal", data.longitudinal[lon][0]);
  else if (lat >= 0) answer("lateral", data.lateral[lat][0]);
  else if (act) act();
  else return;
  e.preventDefault();
});
byId("remark").addEventListener("input", () => {
  const key = order()[state.at];
  state.answers[key] = { ...(state.answers[key] || {}), remark: byId("remark").value };
  keep();
});
byId("who").addEventListener("keydown", (e) => { if (e.key === "Enter") { e.preventDefault(); begin(); } });
byId("start").addEventListener("cancel", (e) => { e.preventDefault(); begin(); });
byId("begin").addEventListener("click", begin);
byId("next").addEventListener("click", step);
byId("previous").addEventListener("click", () => turn(state.at - 1));
byId("open-export").addEventListener("click", showExport);
byId("close-export").addEventListener("click", () => byId("export").close());
byId("helper").addEventListener("click", ask);
gestures();
{
  const address = new URLSearchParams(location.hash.slice(1));
  state.who = address.get("who") || "";
  state.pass = address.get("pass") === "2" ? 2 : 1;
  ask();
  if (state.who) begin(); else turn(0);
}
document.documentElement.dataset.ready = "1";
