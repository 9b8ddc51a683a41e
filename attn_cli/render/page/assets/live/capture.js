/**
 * What passes through the attentions of a Transformer: every one goes through a function that may look on and
 * take part. As attn_cli/transformer/capture.py and intervening.py.
 */

import { matrix, row } from "./products.js";

/** One head: scores = q · kᵀ · scale, weights = softmax(scores / temperature), output = weights · value. */
export function attention(query, key, value, { scale, sees, temperature = 1 }) {
  const [scores, weights] = [matrix(query.rows, key.rows), matrix(query.rows, key.rows)];
  const output = matrix(query.rows, value.columns);
  for (let i = 0; i < query.rows; i++) {
    score(row(query, i), key, scale, row(scores, i));
    softmax(row(scores, i), (j) => sees(i, j), temperature, row(weights, i));
    mix(row(weights, i), value, row(output, i));
  }
  return { scores, weights, output };
}

/** The scaled product of a query with each key. */
function score(query, { data, columns }, scale, scores) {
  for (let j = 0; j < scores.length; j++) {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += query[i] * data[j * columns + i];
    scores[j] = scale * sum;
  }
}

/** exp(score / temperature) over their sum, among the keys that are seen; all 0 where none is. */
function softmax(scores, seen, temperature, weights) {
  let [top, sum] = [-Infinity, 0];
  for (let j = 0; j < scores.length; j++) if (seen(j)) top = Math.max(top, scores[j]);
  if (top === -Infinity) return;
  for (let j = 0; j < scores.length; j++) {
    if (seen(j)) sum += weights[j] = Math.exp((scores[j] - top) / temperature);
  }
  for (let j = 0; j < scores.length; j++) weights[j] /= sum;
}

/** The sum of all values, each times its weight. */
function mix(weights, { data, columns }, output) {
  for (let j = 0; j < weights.length; j++) {
    for (let i = 0; i < columns; i++) output[i] += weights[j] * data[j * columns + i];
  }
}

/** What is changed in a model while it runs: nothing, unless it is named. */
export const NOTHING = {
  heads: [], // whose output is 0: "cross 2 1" for head 1 of layer 2. Michel et al. 2019, arXiv:1905.10650
  keys: {}, // places that nobody sees, by the kind of attention. Geva et al. 2023, arXiv:2304.14767
  positions: true,
  temperature: 1, // of the softmax of every attention
};

/**
 * A function for `attend` that keeps what every attention is given and makes of it, in the order of the computation,
 * and the streams between layers. A `change` takes part in all of them, so that what comes later sees its effect.
 */
export function newCapture(change = NOTHING) {
  const attend = (query, key, value, part) => {
    const { kind, layer, scale } = part;
    const hidden = new Set(change.keys[kind]);
    const { first } = attend;
    const sees = (i, j) => part.sees(first + i, j) && !hidden.has(j);
    const heads = query.map((q, head) => {
      const silent = change.heads.includes(`${kind} ${layer} ${head}`);
      const v = silent ? matrix(value[head].rows, value[head].columns) : value[head];
      const steps = attention(q, key[head], v, { scale, sees, temperature: change.temperature });
      return { query: q, key: key[head], value: v, ...steps };
    });
    attend.layers.push({ part, kind, layer, scale, sees, heads });
    return heads.map(({ output }) => output);
  };
  attend.layers = [];
  attend.streams = { encoder: [], decoder: [] };
  attend.positions = change.positions;
  attend.temperature = change.temperature;
  attend.first = 0;
  attend.passed = (kind, x) => attend.streams[kind].push(x);
  return attend;
}

/** The same for a decoder that writes: it computes keys and values of each token once, and keeps them. */
export function newWriter(change) {
  const attend = newCapture(change);
  const kept = new Map();
  attend.remember = (part, make) => {
    const before = kept.get(part);
    if (before && part.kind === "cross") return before;
    const made = make();
    const whole = before ? made.map((heads, i) => heads.map((x, head) => below(before[i][head], x))) : made;
    kept.set(part, whole);
    return whole;
  };
  return attend;
}

/** What a writer kept token by token, as a capture has it that is given all of them at once. */
export function atOnce(writer) {
  const { layers, streams, temperature } = writer;
  const parts = new Set(layers.map(({ part }) => part));
  const each = (part) => layers.filter((step) => step.part === part);
  const width = streams.decoder.length / each([...parts][0]).length; // streams of one token
  const depths = Array.from({ length: width }, (_, depth) => depth);
  const passed = (depth) => streams.decoder.filter((_, i) => i % width === depth).reduce(below);
  return {
    layers: [...parts].map((part) => joint(each(part), temperature)),
    streams: { ...streams, decoder: depths.map(passed) },
    temperature,
  };
}

/** One attention of all its steps: each had a query of its own, and the last one all keys. */
function joint(steps, temperature) {
  const last = steps[steps.length - 1];
  const sees = (i, j) => steps[i].sees(0, j);
  const heads = last.heads.map(({ key, value }, head) => {
    const query = steps.map((step) => step.heads[head].query).reduce(below);
    return { query, key, value, ...attention(query, key, value, { scale: last.scale, sees, temperature }) };
  });
  return { ...last, sees, heads };
}

/** The rows of one matrix, and below them those of another. */
function below(x, y) {
  const both = matrix(x.rows + y.rows, x.columns);
  both.data.set(x.data);
  both.data.set(y.data, x.data.length);
  return both;
}
