/** What is under the pointer, in words: on the line above the view, and aloud when it was reached by keyboard. */

import { strongest } from "./record.js";
import { worded } from "./wording.js";
import { element, shown, writeNumber, writeWeight } from "./words.js";

const NAMED = 3; // strongest partners that are read out
const LISTED = 8; // and that the panel beside the view lists

/** The weights that one cell has in the heads that are open, and `beside` them what else is known of it. */
export function showCell(attention, heads, { query, key }, spoken, beside = "") {
  const weights = heads.map((head) => writeWeight(attention, head, query, key));
  if (heads.length > 1) weights.push(writeDifference(attention, heads, query, key));
  const [from, to] = [attention.queries[query], attention.keys[key]];
  write(
    token(from, query),
    element("span", "arrow", "→"),
    token(to, key),
    element("b", "weight", weights.join(" · ")),
    ...(beside ? [element("span", "hint", beside)] : []),
  );
  const said = worded("to", { query: shown(from), key: shown(to), weights: weights.join(", ") });
  if (spoken) say([said, beside].filter(Boolean).join("; "));
}

function writeDifference(attention, [first, second], query, key) {
  const [one, other] = [first, second].map((head) => attention.weight(head, query, key) ?? 0);
  return worded("difference_of", {
    number: (one > other ? "+" : "") + writeNumber(one - other, 3),
  });
}

/**
 * A query and the keys that it attends to most, or a key and the queries that attend to it most; `tag` is what
 * stands before that where several heads are seen, and `beside` what the others give.
 */
export function showToken(attention, head, { query, key }, spoken, { tag = [], beside = [] } = {}) {
  const given = query !== undefined;
  const tokens = given ? attention.keys : attention.queries;
  const weights = attention.line(head, { query, key });
  const best = strongest(weights, NAMED);
  const own = given ? attention.queries[query] : attention.keys[key];
  const verb = verbOf(attention, given, best);
  const parts = best.flatMap((other) => [
    token(tokens[other], other),
    element("span", "weight", writeNumber(weights[other])),
  ]);
  write(...tag, token(own, given ? query : key), element("span", "arrow", verb), ...parts, ...beside);
  if (spoken)
    say(
      `${shown(own)} ${verb} ${best.map((other) => `${shown(tokens[other])}, ${writeNumber(weights[other])}`).join("; ")}`,
    );
}

/** Take the numbers of what was looked at before out of the panel. */
export function forgetStrongest() {
  document.getElementById("strongest").replaceChildren(element("h3", "", worded("strongest_hint")));
}

/** The panel of the strongest keys of a query, and of the strongest queries of a key; `tag` names the head where several are seen. */
export function showStrongest(attention, head, { query, key }, tag = "") {
  if (query === undefined && key === undefined) return;
  const parts = [];
  if (query !== undefined) parts.push(...ranking(attention, head, { query }, tag));
  if (key !== undefined) parts.push(...ranking(attention, head, { key }, tag));
  document.getElementById("strongest").replaceChildren(...parts);
}

/**
 * What a token does with the strongest of the others; there is none of weights that are 0, not only rounded to it.
 * Nothing attends by a score or a gradient, nor by less than 0: of those it says what they are.
 */
function verbOf({ exact, signed, measure }, given, best) {
  const ending = best.length || !exact ? "most" : "nothing";
  const what = measure ?? (signed ? "number" : null);
  if (what) return worded(`measure_${ending}`, { what: worded(`measure_${what}`) });
  return worded(`${given ? "attends" : "gets"}_${ending}`);
}

function ranking(attention, head, { query, key }, tag) {
  const tokens = query === undefined ? attention.queries : attention.keys;
  const weights = attention.line(head, query === undefined ? { key } : { query });
  const list = element("ol", "ranking");
  const best = strongest(weights, LISTED);
  for (const other of best) {
    const share = Math.abs(weights[other]) / attention.peak;
    list.append(
      entry(token(tokens[other], other), share, writeNumber(weights[other], attention.exact ? 3 : 2)),
    );
  }
  const heading = element("h3");
  heading.append(
    tag && `${tag}: `,
    query === undefined ? token(attention.keys[key], key) : token(attention.queries[query], query),
    ` ${verbOf(attention, query !== undefined, best)}`,
  );
  return [heading, list];
}

/** A line of a ranking: token, bar, weight. */
export function entry(chip, share, written) {
  const line = element("li");
  const track = element("span", "track");
  const bar = element("span");
  bar.style.width = `${100 * share}%`;
  track.append(bar);
  line.append(chip, track, element("span", "weight", written));
  return line;
}

/** What to do, while nothing is pointed at. */
export function showHint(text) {
  write(element("span", "arrow", text));
}

/** The sentence of that name, as it is for a finger where there is one. */
export function handed(name) {
  return worded(matchMedia("(pointer: coarse)").matches ? `${name}_touch` : name);
}

/** How exact the numbers of this page are. */
export function showPrecision({ exact, peak, steps, block, pool, vectors }) {
  const [rows, columns] = block;
  const said = exact ? worded("exact") : worded("stepped", { steps, most: writeNumber(peak / steps) });
  const blocks = Math.max(...block) > 1 ? ` ${worded(`blocks_${pool}`, { rows, columns })}` : "";
  const without = vectors.left_out ? ` ${worded(`qk_without_${vectors.left_out}`)}` : "";
  document.getElementById("precision").textContent = said + blocks + without;
}

/** Tell those who cannot see it. */
export function say(text) {
  document.getElementById("live").textContent = text;
}

function token(text, place) {
  const chip = element("span", "chip");
  chip.append(element("bdi", "", shown(text)), element("sub", "", String(place)));
  return chip;
}

function write(...parts) {
  document.getElementById("readout").replaceChildren(...parts);
}
