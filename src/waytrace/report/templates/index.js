// The index: rows from compact JSON; sorted, filtered and summed up here. Only what is near the screen becomes HTML.
const page = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const PORTION = 150;
const ID = 0, HREF = 1, SOURCE = 2, FAMILY = 3, PLANNER = 4, SCORE = 5, TERMS = 6, END = 7, WORST_S = 8, WORST = 9, ADMITTED = 10;
const grade = (v) => (v >= 0.9 ? "good" : v >= 0.5 ? "fair" : "poor");
const plain = (v) => (v >= 0.9995 ? "1" : v < 0.0005 ? "0" : v.toFixed(2));
const mean = (rows) => rows.reduce((sum, r) => sum + r[SCORE], 0) / rows.length;
const many = page.planners.length > 1;
const familyOf = (r) => page.names.family[r[FAMILY]];
const state = { sort: "score", up: true, shown: [], drawn: 0 };

function element(name, className, text, parent) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

const COLUMNS = [
  { key: "scenario", name: "Scenario", of: (r) => r[ID] },
  ...(many ? [{ key: "planner", name: "Planner", of: (r) => page.planners[r[PLANNER]].label }] : []),
  { key: "source", name: "Source", of: (r) => page.names.source[r[SOURCE]] },
  ...(page.names.family.some(Boolean) ? [{ key: "family", name: "Family", of: familyOf }] : []),
  { key: "score", name: "Score", of: (r) => r[SCORE], num: true },
  ...page.terms.map((t, i) => ({ key: `term-${t.key}`, name: t.key, title: t.name, of: (r) => r[TERMS][i], num: true, term: true })),
  { key: "worst", name: "Worst moment", of: (r) => page.names.worst[r[WORST]] },
  { key: "end", name: "End", of: (r) => page.names.end[r[END]].replace(/_/g, " ") },
];

function address(row) {
  const parts = [`t=${row[WORST_S].toFixed(1)}`, "follow=1"];
  if (many) parts.push(`planner=${encodeURIComponent(page.planners[row[PLANNER]].label)}`);
  return `${row[HREF]}#${parts.join("&")}`;
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
      bar.title = `${n} drives from ${k / 10} to ${(k + 1) / 10}`;
    });
    const hits = nc < 0 ? [] : rowsOf[i].filter((r) => r[TERMS][nc] !== null && r[TERMS][nc] < 1);
    element("div", "", `${rowsOf[i].length} drives, ${hits.length} with an at-fault collision`, card);
    if (p.errors.length) element("div", "failed", `${p.errors.length} failed, in no mean`, card);
    const list = element("dl", "", undefined, card);
    for (const [name, text] of p.details) {
      const pair = element("div", "", undefined, list);
      element("dt", "", name, pair);
      element("dd", "", text, pair);
    }
  });
  const failed = page.planners.flatMap((p) => p.errors.map((e) => [p.label, ...e]));
  byId("errors").hidden = !failed.length;
  byId("errors").open = failed.length > page.rows.length;
  if (!failed.length) return;
  byId("errors").firstElementChild.textContent = failed.length === 1 ? "1 drive failed; it is in no mean" : `${failed.length} drives failed; they are in no mean`;
  for (const [label, id, message] of failed) {
    const item = element("li", "", `${id}, ${label}`, byId("errors").lastElementChild);
    element("span", "", message, item);
  }
}

function groups() {
  document.querySelector(".groups").hidden = !page.rows.length;
  const table = byId("groups"), head = element("tr", "", undefined, element("thead", "", undefined, table));
  element("th", "", "mean score by source and family", head);
  for (const p of page.planners) element("th", "", p.label, head);
  const body = element("tbody", "", undefined, table);
  const line = (name, rows, className) => {
    const row = element("tr", className, undefined, body);
    element("th", "", name, row).scope = "row";
    page.planners.forEach((_, i) => {
      const cell = element("td", "", undefined, row), admittedOnly = page.planners[i].admitted_only;
      const mine = rows.filter((r) => r[PLANNER] === i && (r[ADMITTED] || !admittedOnly));
      if (!mine.length) { element("span", "none", "–", cell); return; }
      element("span", `value ${grade(mean(mine))}`, mean(mine).toFixed(3), cell);
      element("small", "", String(mine.length), cell);
    });
  };
  const sources = page.names.source.map((source, s) => [source, page.rows.filter((r) => r[SOURCE] === s)]);
  sources.sort((a, b) => b[1].length - a[1].length);
  sources.forEach(([source, rows]) => {
    line(source || "unknown", rows, "");
    const families = [...new Set(rows.map(familyOf))].filter(Boolean).sort();
    for (const family of families) line(family, rows.filter((r) => familyOf(r) === family), "family");
  });
}

function choices(id, all, names) {
  const select = byId(id);
  element("option", "", all, select).value = "";
  names.forEach((name, i) => { if (name) element("option", "", name, select).value = String(i); });
  if (select.options.length < 3) select.parentElement.hidden = true;
  select.addEventListener("change", refresh);
}

const ONLY = [
  ["all drives", () => true],
  ["below 1", (r) => r[SCORE] < 1],
  ["at zero", (r) => r[SCORE] === 0],
  ["oracle passes", (r) => r[ADMITTED]],
  ["oracle fails too", (r) => !r[ADMITTED]],
  ...page.terms.map((t, i) => [`${t.key} below 1`, (r) => r[TERMS][i] !== null && r[TERMS][i] < 1]),
];

function refresh() {
  const text = byId("text").value.trim().toLowerCase(), only = ONLY[Number(byId("only").value)][1];
  const wanted = { [PLANNER]: byId("planner").value, [SOURCE]: byId("source").value, [FAMILY]: byId("family").value };
  const column = COLUMNS.find((c) => c.key === state.sort), sign = state.up ? 1 : -1;
  state.shown = page.rows.filter((r) => {
    for (const key in wanted) if (wanted[key] !== "" && r[key] !== Number(wanted[key])) return false;
    if (!only(r)) return false;
    return !text || `${r[ID]} ${page.names.worst[r[WORST]]} ${page.names.end[r[END]]}`.toLowerCase().includes(text);
  });
  const compare = (a, b) => {
    const l = column.of(a), r = column.of(b);
    if (l === null || r === null) return (l === null) - (r === null);
    return sign * (l < r ? -1 : l > r ? 1 : 0);
  };
  state.shown.sort((a, b) => compare(a, b) || a[SCORE] - b[SCORE] || (a[ID] < b[ID] ? -1 : 1));
  state.drawn = 0;
  byId("rows").replaceChildren();
  byId("count").textContent = `${state.shown.length} of ${page.rows.length} drives`;
  for (const th of byId("head").children) {
    if (th.dataset.key === state.sort) th.setAttribute("aria-sort", state.up ? "ascending" : "descending");
    else th.removeAttribute("aria-sort");
  }
  portion();
}

function portion() {
  const part = document.createDocumentFragment();
  for (const row of state.shown.slice(state.drawn, state.drawn + PORTION)) {
    const line = element("tr", "", undefined, part);
    for (const column of COLUMNS) {
      const value = column.of(row), cell = element("td", column.num ? "num" : "", undefined, line);
      if (column.key === "scenario") {
        const link = element("a", "", value, cell);
        link.href = address(row);
        cell.title = value;
        if (!row[ADMITTED]) {
          element("small", "", "oracle fails", cell);
          cell.title += ": not even the oracle drives this without breaking a rule";
        }
      } else if (value === null) element("span", "none", "–", cell).title = "left out: does not apply";
      else if (column.key === "score") { cell.textContent = value.toFixed(3); cell.classList.add("score", grade(value)); }
      else if (column.term) { cell.textContent = plain(value); cell.classList.add("term", value >= 0.9995 ? "fine" : grade(value)); }
      else if (column.key === "worst") {
        cell.className = "why";
        cell.textContent = value ? `${row[WORST_S].toFixed(1)} s: ${value}` : "";
        cell.title = cell.textContent;
      } else cell.textContent = value;
    }
  }
  byId("rows").append(part);
  state.drawn = Math.min(state.shown.length, state.drawn + PORTION);
  const left = state.shown.length - state.drawn;
  byId("more").textContent = left ? `${left} more below` : state.shown.length ? "" : page.rows.length ? "No drive matches." : "No drive came to its end.";
}

function wire() {
  byId("title").textContent = page.title;
  const places = new Set(page.rows.map((r) => r[HREF])).size;
  byId("about").textContent = `${places} ${places === 1 ? "scenario" : "scenarios"}, ${page.rows.length} drives`;
  for (const column of COLUMNS) {
    const th = element("th", column.num ? "num" : "", undefined, byId("head")), button = element("button", "", column.name, th);
    th.dataset.key = column.key;
    th.scope = "col";
    button.type = "button";
    if (column.title) button.title = column.title;
    button.addEventListener("click", () => {
      state.up = state.sort === column.key ? !state.up : true;
      state.sort = column.key;
      refresh();
    });
  }
  choices("planner", "all", page.planners.map((p) => p.label));
  choices("source", "all", page.names.source);
  choices("family", "all", page.names.family);
  ONLY.forEach(([name], i) => { element("option", "", name, byId("only")).value = String(i); });
  byId("only").addEventListener("change", refresh);
  byId("text").addEventListener("input", refresh);
  new IntersectionObserver((seen) => { if (seen.some((e) => e.isIntersecting) && state.drawn < state.shown.length) portion(); },
    { rootMargin: "900px" }).observe(byId("more"));
}

planners();
groups();
wire();
refresh();
document.documentElement.dataset.ready = "1";
