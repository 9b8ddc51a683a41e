/** How one weight came about: two vectors, their product dimension by dimension, the sum, the scaling, the softmax. */

import { element, shown, writeNumber } from "./../words.js";
import { drawStrip } from "./strips.js";
import { worded } from "./../wording.js";

/** The numbers of one cell of a head. */
export function arithmeticOf({ found }, { layer, head: own }, { query, key }) {
  const { queries, keys, heads } = found;
  const head = layer * heads + own;
  const [n_query, n_key] = [queries.length, keys.length];
  const d_head = found.query.length / (found.layers * heads * n_query);
  const vector = (part, count, at) =>
    part.subarray((head * count + at) * d_head, (head * count + at + 1) * d_head);
  const [q, k] = [vector(found.query, n_query, query), vector(found.key, n_key, key)];
  const row = (part) => part.subarray((head * n_query + query) * n_key, (head * n_query + query + 1) * n_key);
  const products = Float32Array.from(q, (number, i) => number * k[i]);
  return {
    q,
    k,
    products,
    sum: products.reduce((total, product) => total + product, 0),
    scale: found.scales[layer],
    temperature: found.temperature,
    scores: row(found.scores),
    weights: row(found.weights),
    value: vector(found.value, n_key, key),
    output: vector(found.output, n_query, query),
    names: { query: shown(queries[query]), key: shown(keys[key]), keys },
  };
}

/** Write it into the page. */
export function showArithmetic(host, record, map, cell, ramp) {
  const place = record.headOf(map);
  if (place.head === null) {
    host.replaceChildren(element("p", "hint", worded("inside_mean")));
    return;
  }
  const { q, k, products, sum, scale, temperature, scores, weights, value, output, names } = arithmeticOf(
    record,
    place,
    cell,
  );
  const said = element("p", "hint dimension");
  const hear = (i) => (said.textContent = `${i}: ${tidy(q[i])} × ${tidy(k[i])} = ${tidy(products[i])}`);
  const strip = (name, numbers, parts) => strips(worded(name, parts), numbers, ramp, hear);
  const cooled = { temperature, score: tidy(scores[cell.key] / temperature) };
  const parts = { n: q.length, sum: tidy(sum), scale: tidy(scale), score: tidy(scores[cell.key]) };
  host.replaceChildren(
    strip("inside_query", q, { token: names.query }),
    strip("inside_key", k, { token: names.key }),
    strip("inside_product", products),
    said,
    element("p", "result", worded("inside_score", parts)),
    temperature === 1 ? "" : element("p", "result", worded("inside_temperature", cooled)),
    Number.isNaN(weights[cell.key]) ? element("p", "result", worded("inside_masked")) : "",
    softmaxTable(names.keys, scores, weights, cell.key),
    strips(worded("inside_value", { token: names.key }), value, ramp),
    strips(worded("inside_output"), output, ramp),
  );
}

function strips(caption, numbers, ramp, hear) {
  const figure = element("figure", "strip");
  const canvas = element("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${caption}: ${Array.from(numbers, tidy).join(" ")}`);
  drawStrip(canvas, numbers, numbers.length, ramp);
  const at = ({ offsetX }) =>
    Math.min(numbers.length - 1, Math.floor((offsetX / canvas.clientWidth) * numbers.length));
  if (hear) canvas.addEventListener("pointermove", (event) => hear(Math.max(0, at(event))));
  figure.append(element("figcaption", "", caption), canvas);
  return figure;
}

/** The scores of a row and what the softmax makes of them, a line for each key. */
function softmaxTable(keys, scores, weights, chosen) {
  const table = element("table", "softmax");
  const heads = element("tr");
  for (const name of ["", "inside_softmax", "inside_weights"]) {
    const head = element(name ? "th" : "td", "", name && worded(name));
    if (name) head.scope = "col";
    heads.append(head);
  }
  table.append(heads);
  keys.forEach((key, i) => table.append(softmaxLine(key, scores[i], weights[i], i === chosen)));
  return table;
}

function softmaxLine(key, score, weight, chosen) {
  const line = element("tr", chosen ? "chosen" : "");
  const name = element("th");
  name.scope = "row";
  name.append(element("bdi", "", shown(key)));
  const bar = element("span", "track");
  bar.append(element("span"));
  bar.firstChild.style.width = `${100 * (weight || 0)}%`;
  const last = element("td", "weight");
  last.append(bar, Number.isNaN(weight) ? worded("masked") : weight.toFixed(3));
  line.append(name, element("td", "", tidy(score)), last);
  return line;
}

/** A number with three digits. */
export function tidy(number) {
  return writeNumber(number, 3);
}
