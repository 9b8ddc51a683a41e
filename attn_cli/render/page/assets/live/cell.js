/** What there is of one cell of a head, in what the worker kept. */

import { showArithmetic } from "./../arithmetic.js";
import { element, shown } from "./../words.js";
import { worded } from "./../wording.js";

/**
 * Say how its weight came about in each of `sides`, { side, record, cell }, named where there is more than the
 * original; a mean of heads has no such.
 */
export function showInside(host, sides, map, ramp, named) {
  const place = sides[0].record.headOf(map);
  if (place.head === null) {
    host.replaceChildren(element("p", "hint", worded("inside_mean")));
    return;
  }
  host.replaceChildren(
    ...sides.map(({ side, record, cell }) => {
      const [whole, steps] = [element("div"), element("div")];
      whole.dataset.side = side;
      if (named) whole.append(element("h3", "", worded(side)));
      whole.append(steps);
      showArithmetic(steps, numbersOf(record, place, cell), cell, ramp);
      return whole;
    }),
  );
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
