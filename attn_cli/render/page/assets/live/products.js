/**
 * Matrices, and the products that nearly all time goes into.
 *
 * A matrix is { rows, columns, data }, its numbers row by row. Four rows of x are multiplied side by side: each number
 * of W that is read serves all four, and no sum waits for the last addition of another. Eight sums would not stay in
 * the registers of a processor. The rows in hand lie in constant arrays of one length, and each row of W is an array:
 * so the engine tests once, not at each number, whether it reads within them. The inner loops stand apart, where it
 * compiles them best.
 */

const WIDE = 1024; // columns in hand
const X0 = new Float64Array(WIDE); // as JavaScript counts: converted once, not in each product
const X1 = new Float64Array(WIDE);
const X2 = new Float64Array(WIDE);
const X3 = new Float64Array(WIDE);

export function matrix(rows, columns, data = new Float32Array(rows * columns)) {
  return { rows, columns, data };
}

/** One row of a matrix. */
export function row(x, index) {
  return x.data.subarray(index * x.columns, (index + 1) * x.columns);
}

/** x · Wᵀ + b. */
export function linear(x, weight, bias) {
  const y = matrix(x.rows, weight.rows);
  if (bias) for (let i = 0; i < y.rows; i++) y.data.set(bias.data, i * y.columns);
  weight.panels ??= panels(weight);
  for (const panel of weight.panels) {
    for (let i = 0; i < x.rows; i += 4) {
      if (i === x.rows - 1) oneRow(x, i, panel, y);
      else fourRows(x, i, panel, y);
    }
  }
  return y;
}

/** The rows of W, cut where they are wider than what can be in hand; W keeps them. */
function panels(weight) {
  const cuts = Array.from({ length: Math.ceil(weight.columns / WIDE) }, (_, i) => i * WIDE);
  const rows = Array.from({ length: weight.rows }, (_, a) => row(weight, a));
  return cuts.map((from) => ({ from, rows: rows.map((w) => w.subarray(from, from + WIDE)) }));
}

/** Take a row of x in hand; where there are fewer, the last one again. */
function take(hand, { data, rows, columns }, index, from) {
  const at = Math.min(index, rows - 1);
  const width = Math.min(WIDE, columns - from);
  for (let j = 0, read = at * columns + from; j < width; j++) hand[j] = data[read + j];
  return at;
}

/** Add rows i to i + 3 of x times a panel of W to those of y. */
function fourRows(x, i, { from, rows }, { data: y, columns }) {
  const to0 = take(X0, x, i, from) * columns;
  const to1 = take(X1, x, i + 1, from) * columns;
  const to2 = take(X2, x, i + 2, from) * columns;
  const to3 = take(X3, x, i + 3, from) * columns;
  for (let a = 0; a < rows.length; a++) fourSums(rows[a], y, to0 + a, to1 + a, to2 + a, to3 + a);
}

/** Add to four numbers of y the rows in hand, each times a row of W: two columns at a time. */
function fourSums(w, y, to0, to1, to2, to3) {
  const pairs = w.length - (w.length % 2);
  let y0 = y[to0];
  let y1 = y[to1];
  let y2 = y[to2];
  let y3 = y[to3];
  for (let j = 0; j < pairs; j += 2) {
    const own = w[j];
    const next = w[j + 1];
    y0 += own * X0[j];
    y1 += own * X1[j];
    y2 += own * X2[j];
    y3 += own * X3[j];
    y0 += next * X0[j + 1];
    y1 += next * X1[j + 1];
    y2 += next * X2[j + 1];
    y3 += next * X3[j + 1];
  }
  for (let j = pairs; j < w.length; j++) {
    y0 += w[j] * X0[j];
    y1 += w[j] * X1[j];
    y2 += w[j] * X2[j];
    y3 += w[j] * X3[j];
  }
  y[to0] = y0;
  y[to1] = y1;
  y[to2] = y2;
  y[to3] = y3;
}

/** Add row i of x times a panel of W to that of y. */
function oneRow(x, i, { from, rows }, { data: y, columns }) {
  const to = take(X0, x, i, from) * columns;
  for (let a = 0; a < rows.length; a++) y[to + a] += oneSum(rows[a]);
}

/** The first row in hand times a row of W: four columns at a time, each with its own sum. */
function oneSum(w) {
  const fours = w.length - (w.length % 4);
  let a = 0; // each by itself: numbers out of a list would be objects in the loop
  let b = 0;
  let c = 0;
  let d = 0;
  for (let j = 0; j < fours; j += 4) {
    a += w[j] * X0[j];
    b += w[j + 1] * X0[j + 1];
    c += w[j + 2] * X0[j + 2];
    d += w[j + 3] * X0[j + 3];
  }
  for (let j = fours; j < w.length; j++) a += w[j] * X0[j];
  return a + b + c + d;
}
