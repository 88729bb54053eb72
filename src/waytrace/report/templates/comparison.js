// The index of a comparison: scenes that went differently; what no score shows comes first.
const page = JSON.parse(byId("data").textContent);
page.rows.forEach((row, i) => { row.rank = i; });
const families = [...new Set(page.rows.map((r) => r.family))].filter(Boolean).sort();
const score = (cell, v) => { cell.textContent = v === null ? "failed" : v.toFixed(3); cell.classList.add("score", v === null ? "poor" : grade(v)); };
const moved = (r) => (r.before === null || r.after === null ? null : r.after - r.before);

const COLUMNS = [
  { key: "scene", name: "Scene", of: (r) => r.id, fill: link },
  ...(families.length ? [{ key: "family", name: "Family", of: (r) => r.family }] : []),
  { key: "kind", name: "Listed under", of: (r) => r.rank, fill: (cell, _, r) => { element("span", `kind ${page.kinds[r.kind][0]}`, page.kinds[r.kind][1], cell); } },
  { key: "before", name: "Before", of: (r) => r.before, num: true, fill: score },
  { key: "after", name: "After", of: (r) => r.after, num: true, fill: score },
  { key: "moved", name: "Difference", of: moved, num: true, fill: (cell, v) => { cell.textContent = v === null ? "–" : signed(v); } },
  { key: "what", name: "What is different", of: (r) => r.changes.map((c) => c.join(" ")).join(" "), fill: changes },
];

function signed(v) {
  return Math.abs(v) < 0.0005 ? "0" : `${v > 0 ? "+" : "−"}${Math.abs(v).toFixed(3)}`;
}

// Leads to the first difference, with the other drive drawn over the one shown.
function link(cell, id, row) {
  cell.title = id;
  if (!row.href) { cell.textContent = id; return; }
  const planner = encodeURIComponent(page.labels[row.after === null ? 0 : 1]);
  element("a", "", id, cell).href = `${row.href}#t=${row.at_s.toFixed(1)}&follow=1&planner=${planner}&others=1`;
}

function changes(cell, _, row) {
  cell.className = "changes";
  for (const [name, text] of row.changes) {
    const line = element("div", "", undefined, cell);
    element("small", "", name, line);
    line.append(text);
  }
}

function keep() {
  const text = byId("text").value.trim().toLowerCase(), family = byId("family").value, kind = byId("kind").value;
  return (r) => (family === "" || r.family === families[Number(family)]) && (kind === "" || r.kind === Number(kind))
    && (!text || `${r.id} ${r.changes.map((c) => c.join(" ")).join(" ")}`.toLowerCase().includes(text));
}

const refresh = longTable({ columns: COLUMNS, rows: page.rows, keep, sort: "kind", then: (a, b) => a.rank - b.rank, noun: "scene" });
choices("family", "all", families, refresh);
choices("kind", "all", page.kinds.map(([, text]) => text), refresh);
byId("text").addEventListener("input", refresh);
refresh();
document.documentElement.dataset.ready = "1";
