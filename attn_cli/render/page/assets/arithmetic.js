/** How one weight came about: two vectors, their product dimension by dimension, the sum, the scaling, the softmax. */

import { strip, tidy } from "./strips.js";
import { worded } from "./wording.js";
import { element, shown } from "./words.js";

const READABLE = 20; // a score whose exponential can still be read

/**
 * Write it into the page.
 *
 * `q`, `k`, their `products`, `sum` and `scale`; a `bias` or a `temperature`, where there is one; `scores` and `weights`
 * of the row, NaN where masked; what the tokens are called in `names`; `value` and `output`, where they are known.
 */
export function showArithmetic(host, numbers, cell, ramp) {
  const { q, k, products, temperature = 1, scores, weights, value, output, names } = numbers;
  const cooled = scores.map((score) => score / temperature);
  const said = element("p", "hint dimension");
  const hear = (i) => (said.textContent = `${i}: ${tidy(q[i])} × ${tidy(k[i])} = ${tidy(products[i])}`);
  const line = (name, vector, parts) => strip(worded(name, parts), vector, ramp, hear);
  host.replaceChildren(
    line("inside_query", q, { token: names.query }),
    line("inside_key", k, { token: names.key }),
    line("inside_product", products),
    said,
    element("p", "result", scoreInWords(numbers, scores[cell.key])),
    temperature === 1 ? "" : element("p", "result", cooledInWords(temperature, cooled[cell.key])),
    element("p", "result", weightInWords(cooled, weights, cell.key)),
    softmaxTable(names.keys, scores, weights, cell.key),
  );
  if (value) host.append(strip(worded("inside_value", { token: names.key }), value, ramp));
  if (output) host.append(strip(worded("inside_output"), output, ramp));
}

function scoreInWords({ q, sum, scale, bias = 0 }, score) {
  const isRoot = Math.abs(scale * Math.sqrt(q.length) - 1) < 1e-6;
  const factor = isRoot && q.length > 1 ? `1/√${q.length} = ${tidy(scale)}` : tidy(scale);
  const parts = { n: q.length, sum: tidy(sum), scale: factor, score: tidy(score) };
  if (!bias) return worded("inside_score", parts);
  return worded("inside_biased", { ...parts, scaled: tidy(sum * scale), bias: tidy(bias) });
}

function cooledInWords(temperature, score) {
  return worded("inside_temperature", { temperature, score: tidy(score) });
}

/** The softmax in numbers, where its exponentials can be read. */
function weightInWords(scores, weights, key) {
  if (Number.isNaN(weights[key])) return worded("inside_masked");
  const seen = scores.filter((_, i) => !Number.isNaN(weights[i]));
  if (Math.max(...seen) > READABLE) return "";
  const total = seen.reduce((sum, score) => sum + Math.exp(score), 0);
  const parts = { score: tidy(scores[key]), exp: tidy(Math.exp(scores[key])), total: tidy(total) };
  return worded("inside_weight", { ...parts, weight: tidy(weights[key]) });
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
