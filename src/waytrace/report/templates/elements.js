// What every page does with its elements: find them, make them, say how good a score is.
const byId = (id) => document.getElementById(id);
const grade = (v) => (v >= 0.9 ? "good" : v >= 0.5 ? "fair" : "poor");

function element(name, className, text, parent) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}
