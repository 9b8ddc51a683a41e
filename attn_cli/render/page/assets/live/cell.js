/** What there is of one cell of a head, in what the worker kept. */

import { showArithmetic } from "./../arithmetic.js";
import { element, shown } from "./../words.js";
import { worded } from "./../wording.js";

/** Say how its weight came about; a mean of heads has no such. */
export function showInside(host, record, map, cell, ramp) {
  const place = record.headOf(map);
  if (place.head === null) host.replaceChildren(element("p", "hint", worded("inside_mean")));
  else showArithmetic(host, numbersOf(record, place, cell), cell, ramp);
}

/** The numbers of one cell of a head. */
function numbersOf({ found }, { layer, head: own }, { query, key }) {
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
