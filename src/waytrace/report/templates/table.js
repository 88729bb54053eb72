// A long table: sorted by any column, filtered. Only what is near the screen becomes HTML; on paper all that is shown.
const PORTION = 150;

function choices(id, all, names, refresh) {
  const select = byId(id);
  element("option", "", all, select).value = "";
  names.forEach((name, i) => { if (name) element("option", "", name, select).value = String(i); });
  if (select.options.length < 3) select.parentElement.hidden = true;
  select.addEventListener("change", refresh);
}

// "1 drive", "2 drives".
function numberOf(number, what) {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

// columns: { key, name, title, num, of(row), fill(cell, value, row) }; of() gives what is sorted by, null for nothing.
// keep(row) says what is shown, then(l, r) the order of what a column calls equal. Gives back what draws it anew.
function longTable({ columns, rows, keep, sort, then, noun }) {
  const state = { sort, up: true, shown: [], drawn: 0 };

  function refresh() {
    const column = columns.find((c) => c.key === state.sort), sign = state.up ? 1 : -1;
    const compare = (a, b) => {
      const l = column.of(a), r = column.of(b);
      if (l === null || r === null) return (l === null) - (r === null);
      return sign * (l < r ? -1 : l > r ? 1 : 0);
    };
    state.shown = rows.filter(keep()).sort((a, b) => compare(a, b) || then(a, b));
    state.drawn = 0;
    byId("rows").replaceChildren();
    byId("count").textContent = `${state.shown.length} of ${numberOf(rows.length, noun)}`;
    for (const th of byId("head").children) {
      if (th.dataset.key === state.sort) th.setAttribute("aria-sort", state.up ? "ascending" : "descending");
      else th.removeAttribute("aria-sort");
    }
    portion(PORTION);
  }

  function portion(count) {
    const part = document.createDocumentFragment();
    for (const row of state.shown.slice(state.drawn, state.drawn + count)) {
      const line = element("tr", "", undefined, part);
      for (const column of columns) {
        const value = column.of(row), cell = element("td", column.num ? "num" : "", undefined, line);
        if (column.fill) column.fill(cell, value, row); else cell.textContent = value === null ? "–" : value;
      }
    }
    byId("rows").append(part);
    state.drawn = Math.min(state.shown.length, state.drawn + count);
    const left = state.shown.length - state.drawn;
    byId("more").textContent = left ? `${left} more below` : state.shown.length ? "" : rows.length ? `None of the ${noun}s matches.` : `There are no ${noun}s.`;
  }

  for (const column of columns) {
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
  // Up and down go from link to link, as left and right do from moment to moment on a scenario's page.
  byId("rows").addEventListener("keydown", (e) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key], line = e.target.closest("tr");
    const next = step && line && (step > 0 ? line.nextElementSibling : line.previousElementSibling);
    const link = next && next.querySelector("a");
    if (!link) return;
    e.preventDefault();
    link.focus();
  });
  new IntersectionObserver((seen) => { if (seen.some((e) => e.isIntersecting) && state.drawn < state.shown.length) portion(PORTION); },
    { rootMargin: "900px" }).observe(byId("more"));
  window.addEventListener("beforeprint", () => {
    portion(state.shown.length);
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
  });
  return refresh;
}
