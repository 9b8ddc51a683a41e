/**
 * Bars beside a long map: of each query the entropy of its row and its heaviest weight, to the right; of each key the
 * total weight that it receives, below. They are parts of the longest bar, those of keys logarithmic.
 */

import { worded } from "./wording.js";
import { writeNumber } from "./words.js";

const THICK = 14; // pixels that the longest bar takes
const APART = 4; // pixels between bars and map
const LONG = 24; // rows and columns of a map that has them
const LOWEST = 0.01; // total weight of a key at which a bar begins
const KEPT = new WeakMap();

/** What stands beside the map of a head; nothing where it is short, or where no figures are known. */
export function barsBeside(attention, head) {
  const { queries, keys, bars } = attention;
  if (Math.max(queries.length, keys.length) < LONG) return undefined;
  const found = bars ? barsAt(attention, head) : kept(attention, head);
  if (!found) return undefined;
  const digits = bars ? 2 : 3; // a byte has no more
  return {
    beside: 2 * (THICK + APART),
    below: THICK + APART,
    said: worded("strips_said", { most: writeNumber(found.most), highest: writeNumber(found.highest, 3) }),
    draw: (context, view, box, style) => drawBars(context, found, view, box, style),
    says: ({ query, key }) =>
      worded("strips_cell", {
        entropy: writeNumber(found.entropy[query] * found.most, digits),
        heaviest: writeNumber(found.heaviest[query], digits),
        mass:
          (found.mass[key] === 0 ? "≤ " : "") + writeNumber(totalOf(found.mass[key], found.highest), digits),
      }),
  };
}

/** Those that came with the page as bytes, where a cell stands for several weights. */
function barsAt({ bars, queries, keys }, head) {
  const cut = (text, n) => {
    const bytes = atob(text).slice(head * n, (head + 1) * n);
    return Float32Array.from(bytes, (character) => character.charCodeAt(0) / 255);
  };
  const [entropy, heaviest] = [bars.entropy, bars.heaviest].map((text) => cut(text, queries.length));
  return { ...bars, entropy, heaviest, mass: cut(bars.mass, keys.length) };
}

/** Worked out once for each head. */
function kept(attention, head) {
  const map = attention.maps[attention.at(head)];
  const { hidesSpecial } = attention;
  if (KEPT.get(map)?.hidesSpecial !== hidesSpecial)
    KEPT.set(map, { hidesSpecial, found: computed(attention, head) });
  return KEPT.get(map).found;
}

/** Those of weights that are in the page one by one. */
function computed(attention, head) {
  const { queries, keys, sums, signed } = attention;
  if (!sums || signed) return null;
  const most = Math.log(keys.length);
  const [entropy, heaviest] = [new Float32Array(queries.length), new Float32Array(queries.length)];
  const totals = new Float64Array(keys.length);
  for (let query = 0; query < queries.length; query++) {
    for (let key = 0; key < keys.length; key++) {
      const weight = attention.weight(head, query, key);
      if (!weight) continue;
      entropy[query] -= (weight * Math.log(weight)) / most;
      heaviest[query] = Math.max(heaviest[query], weight);
      totals[key] += weight;
    }
  }
  const highest = Math.max(10 * LOWEST, ...totals);
  const mass = totals.map((total) => Math.log(Math.max(total, LOWEST) / LOWEST) / Math.log(highest / LOWEST));
  return { entropy, heaviest, mass, most, highest };
}

function totalOf(part, highest) {
  return LOWEST * (highest / LOWEST) ** part;
}

function drawBars(context, { entropy, heaviest, mass }, view, box, style) {
  const { left, top, width, height, cell } = box;
  const right = left + width;
  for (const [i, [parts, colour]] of [
    [entropy, style.muted],
    [heaviest, style.accent],
  ].entries()) {
    context.fillStyle = colour;
    const x = right + APART + i * (THICK + APART);
    for (const [at, size, part] of along(parts, view.row, view.rows, cell.height))
      context.fillRect(x, top + at, lengthOf(part), size);
  }
  context.fillStyle = style.muted;
  for (const [at, size, part] of along(mass, view.column, view.columns, cell.width))
    context.fillRect(left + at, top + height + APART, size, lengthOf(part));
}

/** The bars of the cells on screen: where each begins, how wide it is, and what part of the longest. */
function* along(parts, first, count, cell) {
  for (let place = Math.floor(first); place < Math.min(parts.length, first + count); place++) {
    const [from, to] = [place, place + 1].map((end) =>
      Math.round(Math.min(Math.max(end - first, 0), count) * cell),
    );
    if (parts[place] > 0) yield [from, Math.max(to - from - (cell > 4 ? 1 : 0), 1), parts[place]];
  }
}

function lengthOf(part) {
  return Math.max(1, Math.min(1, part) * THICK);
}
