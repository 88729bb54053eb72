// The other half of texts.py: a text is a number of the table, or that and the numbers that fill the template's holes.
function textReader(table) {
  return (code) => {
    if (code === -1) return "";
    const [place, ...fill] = Array.isArray(code) ? code : [code];
    let next = 0;
    return table[place].replace(/\u0001(.)/g, (_, digits) => {
      const value = fill[next++], d = Number(digits);
      return d ? `${Math.floor(value / 10 ** d)}.${String(value % 10 ** d).padStart(d, "0")}` : String(value);
    });
  };
}
