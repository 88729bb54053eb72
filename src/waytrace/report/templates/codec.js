// The other half of codec.py: base64 varints (zigzag plus one; 0 announces a number of zeros), differences, runs.
function unpack(text) {
  const raw = atob(text), out = [];
  let value = 0, scale = 1, zeros = false;
  for (let i = 0; i < raw.length; i++) {
    const b = raw.charCodeAt(i);
    value += (b & 127) * scale;
    if (b > 127) { scale *= 128; continue; }
    if (zeros) { for (let k = 0; k < value; k++) out.push(0); zeros = false; }
    else if (value === 0) zeros = true;
    else out.push(value % 2 ? (value - 1) / 2 : -value / 2);
    value = 0; scale = 1;
  }
  return out;
}

function undelta(values, length, order) {
  for (let k = 0; k < order; k++)
    for (let i = 0; i < values.length; i++) if (i % length) values[i] += values[i - 1];
  return values;
}

function track(text, length, step, order) {
  const values = Float64Array.from(undelta(unpack(text), length, order));
  for (let i = 0; i < values.length; i++) values[i] *= step;
  return values;
}

function unruns(text, length) {
  const out = new Uint8Array(length);
  let at = 0, on = 0;
  for (const run of unpack(text)) { if (on) out.fill(1, at, at + run); at += run; on ^= 1; }
  return out;
}

function polylines(set) {
  const x = undelta(unpack(set.x), Infinity, 1), y = undelta(unpack(set.y), Infinity, 1);
  const out = [];
  let at = 0;
  for (const n of unpack(set.n)) {
    const line = [];
    for (let i = at; i < at + n; i++) line.push([x[i] * 0.01, y[i] * 0.01]);
    out.push(line);
    at += n;
  }
  return out;
}
