// The index: rows from compact JSON; sorted, filtered and summed up here.
const page = JSON.parse(byId("data").textContent);
const ID = 0, HREF = 1, SOURCE = 2, FAMILY = 3, PLANNER = 4, SCORE = 5, TERMS = 6, END = 7, WORST_S = 8, WORST = 9, ADMITTED = 10;
const plain = (v) => (v >= 0.9995 ? "1" : v < 0.0005 ? "0" : v.toFixed(2));
const many = page.planners.length > 1;
const none = (cell, title) => { element("span", "none", "–", cell).title = title; };

const COLUMNS = [
  { key: "scenario", name: "Scenario", of: (r) => r[ID], fill: link },
  ...(many ? [{ key: "planner", name: "Planner", of: (r) => page.planners[r[PLANNER]].label }] : []),
  { key: "source", name: "Source", of: (r) => page.names.source[r[SOURCE]] },
  ...(page.names.family.some(Boolean) ? [{ key: "family", name: "Family", of: (r) => page.names.family[r[FAMILY]] }] : []),
  { key: "score", name: "Score", of: (r) => r[SCORE], num: true, fill: (cell, v) => { cell.textContent = v.toFixed(3); cell.classList.add("score", grade(v)); } },
  ...page.terms.map((t, i) => ({ key: `term-${t.key}`, name: t.key, title: t.name, of: (r) => r[TERMS][i], num: true, fill: term })),
  { key: "worst", name: "Worst moment", of: (r) => page.names.worst[r[WORST]], fill: moment },
  { key: "end", name: "End", of: (r) => page.names.end[r[END]].replace(/_/g, " ") },
];

function link(cell, id, row) {
  const parts = [`t=${row[WORST_S].toFixed(1)}`, "follow=1"];
  if (many) parts.push(`planner=${encodeURIComponent(page.planners[row[PLANNER]].label)}`);
  element("a", "", id, cell).href = `${row[HREF]}#${parts.join("&")}`;
  cell.title = id;
  if (row[ADMITTED]) return;
  element("small", "", "oracle fails", cell);
  cell.title += ": not even the oracle drives this without breaking a rule";
}

function term(cell, value) {
  if (value === null) { none(cell, "left out: does not apply"); return; }
  cell.textContent = plain(value);
  cell.classList.add("term", value >= 0.9995 ? "fine" : grade(value));
}

function moment(cell, text, row) {
  cell.className = "why";
  cell.textContent = text ? `${row[WORST_S].toFixed(1)} s: ${text}` : "";
  cell.title = cell.textContent;
}

function planners() {
  const rowsOf = page.planners.map(() => []);
  for (const row of page.rows) rowsOf[row[PLANNER]].push(row);
  const nc = page.terms.findIndex((t) => t.key === "NC");
  page.planners.forEach((p, i) => {
    const card = element("article", "card planner", undefined, byId("planners"));
    element("div", "name", p.label, card);
    const score = element("div", "score", p.score === null ? "–" : p.score.toFixed(3), card);
    if (p.score !== null) score.classList.add(grade(p.score));
    if (p.interval) element("small", "", `${p.interval[0].toFixed(3)} to ${p.interval[1].toFixed(3)}`, score);
    const bins = new Array(10).fill(0);
    for (const row of rowsOf[i]) bins[Math.min(9, Math.floor(row[SCORE] * 10))]++;
    const spread = element("div", "spread", undefined, card), most = Math.max(1, ...bins);
    spread.setAttribute("role", "img");
    spread.setAttribute("aria-label", `Drives by score, in tenths from 0 to 1: ${bins.join(", ")}`);
    spread.hidden = !rowsOf[i].length;
    bins.forEach((n, k) => {
      const bar = element("i", grade((k + 0.5) / 10), undefined, spread);
      bar.style.height = `${(n / most) * 100}%`;
      bar.title = `${numberOf(n, "drive")} from ${k / 10} to ${(k + 1) / 10}`;
    });
    const hits = nc < 0 ? [] : rowsOf[i].filter((r) => r[TERMS][nc] !== null && r[TERMS][nc] < 1);
    element("div", "", `${numberOf(rowsOf[i].length, "drive")}, ${hits.length} with an at-fault collision`, card);
    if (p.errors.length) element("div", "failed", `${p.errors.length} failed, in no mean`, card);
    const list = element("dl", "", undefined, card);
    for (const [name, text] of p.details) {
      const pair = element("div", "", undefined, list);
      element("dt", "", name, pair);
      element("dd", "", text, pair);
    }
  });
  failures(page.planners.flatMap((p) => p.errors.map((e) => [p.label, ...e])));
}

function failures(failed) {
  byId("errors").hidden = !failed.length;
  byId("errors").open = failed.length > page.rows.length;
  if (!failed.length) return;
  byId("errors").firstElementChild.textContent = failed.length === 1 ? "1 drive failed; it is in no mean" : `${failed.length} drives failed; they are in no mean`;
  for (const [label, id, message] of failed) {
    const item = element("li", "", `${id}, ${label}`, byId("errors").lastElementChild);
    element("span", "", message, item);
  }
}

const ONLY = [
  ["all drives", () => true],
  ["below 1", (r) => r[SCORE] < 1],
  ["at zero", (r) => r[SCORE] === 0],
  ["oracle passes", (r) => r[ADMITTED]],
  ["oracle fails too", (r) => !r[ADMITTED]],
  ...page.terms.map((t, i) => [`${t.key} below 1`, (r) => r[TERMS][i] !== null && r[TERMS][i] < 1]),
];

// What the fields above the table ask for.
function keep() {
  const text = byId("text").value.trim().toLowerCase(), only = ONLY[Number(byId("only").value)][1];
  const wanted = { [PLANNER]: byId("planner").value, [SOURCE]: byId("source").value, [FAMILY]: byId("family").value };
  return (r) => {
    for (const key in wanted) if (wanted[key] !== "" && r[key] !== Number(wanted[key])) return false;
    if (!only(r)) return false;
    return !text || `${r[ID]} ${page.names.worst[r[WORST]]} ${page.names.end[r[END]]}`.toLowerCase().includes(text);
  };
}

byId("title").textContent = page.title;
const scenarios = new Set(page.rows.map((r) => r[HREF])).size;
byId("about").textContent = `${numberOf(scenarios, "scenario")}, ${numberOf(page.rows.length, "drive")}`;
planners();
const refresh = longTable({
  columns: COLUMNS, rows: page.rows, keep, sort: "score", noun: "drive",
  then: (a, b) => a[SCORE] - b[SCORE] || (a[ID] < b[ID] ? -1 : 1),
});
choices("planner", "all", page.planners.map((p) => p.label), refresh);
choices("source", "all", page.names.source, refresh);
choices("family", "all", page.names.family, refresh);
ONLY.forEach(([name], i) => { element("option", "", name, byId("only")).value = String(i); });
byId("only").addEventListener("change", refresh);
byId("text").addEventListener("input", refresh);
refresh();
document.documentElement.dataset.ready = "1";
