/**
 * Matrices, and the products that nearly all time goes into.
 *
 * A matrix is { rows, columns, data }, its numbers row by row. Four rows of x are multiplied side by side: each number
 * of W that is read serves all four, and no sum waits for the last addition of another. Eight sums would not stay in
 * the registers of a processor. The rows in hand lie in constant arrays of one length, so that the engine tests once,
 * and not at each number, whether it reads within them; and the inner loops stand apart, where it compiles them best.
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
  for (let from = 0; from < x.columns; from += WIDE) {
    const width = Math.min(WIDE, x.columns - from);
    for (let i = 0; i < x.rows; i += 4) {
      if (i === x.rows - 1) oneRow(x, i, weight, y, from, width);
      else fourRows(x, i, weight, y, from, width);
    }
  }
  return y;
}

/** Take a row of x in hand; where there are fewer, the last one again. */
function take(hand, { data, rows, columns }, index, from, width) {
  const at = Math.min(index, rows - 1);
  for (let j = 0, read = at * columns + from; j < width; j++) hand[j] = data[read + j];
  return at;
}

/** Add rows i to i + 3 of x times W to those of y, for `width` columns. */
function fourRows(x, i, { data: w, rows, columns }, { data: y }, from, width) {
  const to0 = take(X0, x, i, from, width) * rows;
  const to1 = take(X1, x, i + 1, from, width) * rows;
  const to2 = take(X2, x, i + 2, from, width) * rows;
  const to3 = take(X3, x, i + 3, from, width) * rows;
  for (let a = 0; a < rows; a++) {
    fourSums(w, a * columns + from, width, y, to0 + a, to1 + a, to2 + a, to3 + a);
  }
}

/** Add to four numbers of y the rows in hand, each times the row of W that begins at `at`: two columns at a time. */
function fourSums(w, at, width, y, to0, to1, to2, to3) {
  const pairs = width - (width % 2);
  let y0 = y[to0];
  let y1 = y[to1];
  let y2 = y[to2];
  let y3 = y[to3];
  for (let j = 0; j < pairs; j += 2) {
    const own = w[at + j];
    const next = w[at + j + 1];
    y0 += own * X0[j];
    y1 += own * X1[j];
    y2 += own * X2[j];
    y3 += own * X3[j];
    y0 += next * X0[j + 1];
    y1 += next * X1[j + 1];
    y2 += next * X2[j + 1];
    y3 += next * X3[j + 1];
  }
  for (let j = pairs; j < width; j++) {
    y0 += w[at + j] * X0[j];
    y1 += w[at + j] * X1[j];
    y2 += w[at + j] * X2[j];
    y3 += w[at + j] * X3[j];
  }
  y[to0] = y0;
  y[to1] = y1;
  y[to2] = y2;
  y[to3] = y3;
}

/** Add row i of x times W to that of y, for `width` columns. */
function oneRow(x, i, { data: w, rows, columns }, { data: y }, from, width) {
  const to = take(X0, x, i, from, width) * rows;
  for (let a = 0; a < rows; a++) y[to + a] += oneSum(w, a * columns + from, width);
}

/** The first row in hand times the row of W that begins at `at`: four columns at a time, each with its own sum. */
function oneSum(w, at, width) {
  const fours = width - (width % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let j = 0; j < fours; j += 4) {
    a += w[at + j] * X0[j];
    b += w[at + j + 1] * X0[j + 1];
    c += w[at + j + 2] * X0[j + 2];
    d += w[at + j + 3] * X0[j + 3];
  }
  for (let j = fours; j < width; j++) a += w[at + j] * X0[j];
  return a + b + c + d;
}
