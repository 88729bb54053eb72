// The other half of texts.py: a text is the number of a template, then what fills its holes.
function textReader(next, table) {
  return () => table[next()].replace(/\u0001(.)/g, (_, digits) => {
    const value = next(), d = Number(digits);
    return d ? `${Math.floor(value / 10 ** d)}.${String(value % 10 ** d).padStart(d, "0")}` : String(value);
  });
}
