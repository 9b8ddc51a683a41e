/**
 * Matrices, and the products that nearly all time goes into.
 *
 * A matrix is { rows, columns, data }, its numbers row by row. Several sums are made side by side, so that none waits
 * for the last addition of another, and each number that is read serves more than one.
 */

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
  const from = { ...x, data: new Float64Array(x.data) }; // as JavaScript counts: converted once, not in each product
  const fours = x.rows - (x.rows % 4);
  for (let a = 0; a < weight.rows; a += 2) {
    for (let i = 0; i < fours; i += 4) fourByTwo(from, i, weight, a, y);
  }
  for (let i = fours; i < x.rows; i++) {
    for (let a = 0; a < weight.rows; a += 4) oneByFour(from, i, weight, a, y);
  }
  if (bias) for (let i = 0; i < y.rows; i++) raise(row(y, i), bias.data);
  return y;
}

function raise(numbers, by) {
  for (let j = 0; j < by.length; j++) numbers[j] += by[j];
}

/** Row i of x times rows a to a + 3 of W; where it has fewer, the last one again. */
function oneByFour({ data: x, columns }, i, { data: w, rows }, a, { data: y }) {
  const b = Math.min(a + 1, rows - 1);
  const c = Math.min(a + 2, rows - 1);
  const d = Math.min(a + 3, rows - 1);
  const from = i * columns;
  const [wa, wb, wc, wd] = [a * columns, b * columns, c * columns, d * columns];
  let ya = 0;
  let yb = 0;
  let yc = 0;
  let yd = 0;
  for (let j = 0; j < columns; j++) {
    const number = x[from + j];
    ya += number * w[wa + j];
    yb += number * w[wb + j];
    yc += number * w[wc + j];
    yd += number * w[wd + j];
  }
  const to = i * rows;
  y[to + a] = ya;
  y[to + b] = yb;
  y[to + c] = yc;
  y[to + d] = yd;
}

/** Rows i to i + 3 of x times rows a and a + 1 of W. */
function fourByTwo({ data: x, columns }, i, { data: w, rows }, a, { data: y }) {
  const b = Math.min(a + 1, rows - 1);
  const [wa, wb] = [a * columns, b * columns];
  const from0 = i * columns;
  const from1 = from0 + columns;
  const from2 = from1 + columns;
  const from3 = from2 + columns;
  let a0 = 0;
  let a1 = 0;
  let a2 = 0;
  let a3 = 0;
  let b0 = 0;
  let b1 = 0;
  let b2 = 0;
  let b3 = 0;
  for (let j = 0; j < columns; j++) {
    const own = w[wa + j];
    const next = w[wb + j];
    const x0 = x[from0 + j];
    const x1 = x[from1 + j];
    const x2 = x[from2 + j];
    const x3 = x[from3 + j];
    a0 += own * x0;
    a1 += own * x1;
    a2 += own * x2;
    a3 += own * x3;
    b0 += next * x0;
    b1 += next * x1;
    b2 += next * x2;
    b3 += next * x3;
  }
  const to = i * rows;
  y[to + a] = a0;
  y[to + rows + a] = a1;
  y[to + 2 * rows + a] = a2;
  y[to + 3 * rows + a] = a3;
  y[to + b] = b0;
  y[to + rows + b] = b1;
  y[to + 2 * rows + b] = b2;
  y[to + 3 * rows + b] = b3;
}
