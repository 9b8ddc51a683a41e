/** What the worker computed, as the views of a page draw it. */

import { Scale } from "./../colours.js";
import { Attention, encode, exactPart } from "./../record.js";
import { writeNumber } from "./../words.js";
import { worded } from "./../wording.js";

const STEPS = 1000; // of a difference; it is drawn in 256 colours
const NONE = { queries: new Set(), keys: new Set() };

/** One kind of attention: its weights with the vectors they were made of, and the mean of each layer's heads. */
class Computed extends Attention {
  constructor(found) {
    const { queries, keys, weights, layers, heads } = found;
    const range = (length) => Array.from({ length }, (_, i) => i);
    const header = {
      layers: range(layers),
      heads: [...range(heads), ...(heads > 1 ? [worded("mean")] : [])],
      queries,
      keys,
      block: [1, 1],
    };
    const cells = queries.length * keys.length;
    const all = heads > 1 ? withMeans(weights, layers, heads * cells, cells) : weights;
    const part = { store: "f4", peak: 1, signed: false };
    super(header, [exactPart(part, new Uint8Array(all.buffer), cells)]);
    this.found = found;
  }

  /** The layer of a map and its head, which is none where the map is the mean of a layer. */
  headOf(map) {
    const [layer, head] = [Math.floor(map / this.heads.length), map % this.heads.length];
    return { layer, head: head < this.found.heads ? head : null };
  }

  name(map) {
    const { layer, head } = this.headOf(map);
    return head === null ? worded("mean_name", { layer }) : super.name(map);
  }
}

export function recordOf(found) {
  return new Computed(found);
}

/** The weights of each layer, `size` in number, and behind them their mean over heads of so many `cells`. */
function withMeans(weights, layers, size, cells) {
  const all = new Float32Array(layers * (size + cells));
  for (let layer = 0; layer < layers; layer++) {
    const own = weights.subarray(layer * size, (layer + 1) * size);
    const at = layer * (size + cells);
    all.set(own, at);
    own.forEach((weight, i) => (all[at + size + (i % cells)] += (weight * cells) / size));
  }
  return all;
}

/** One head as a map shows it. */
export function sheetOfHead(record, head, scale, label) {
  return {
    codes: record.codesOf(head),
    scale,
    queries: record.queries,
    keys: record.keys,
    found: NONE,
    brief: (query, key) => record.weight(head, query, key)?.toFixed(2),
    label: `${label}: ${record.name(head)}, ${worded("map")}`,
  };
}

/**
 * Which rows and columns of the original those of the changed record are, or null where the two read or write
 * different tokens. `kept` are the places of the tokens that were not dropped; `twoStacks`: queries are written.
 */
export function alignment(original, changed, kept, twoStacks, kind) {
  const same = (count) => Array.from({ length: count }, (_, i) => i);
  const written = twoStacks && kind !== "encoder";
  const rows = written ? same(changed.queries.length) : kept;
  const columns = written && kind === "decoder" ? same(changed.keys.length) : kept;
  const fits = (tokens, places, all) =>
    tokens.length === places.length && tokens.every((t, i) => t === all[places[i]]);
  const whole = !written || changed.queries.length === original.queries.length;
  const fit = fits(changed.queries, rows, original.queries) && fits(changed.keys, columns, original.keys);
  return whole && fit ? { rows, columns } : null;
}

/** What the changed head gives beyond the original, centred on zero; null where it gives the same. */
export function differenceSheet(original, changed, head, { rows, columns }, ramp) {
  const weights = Float64Array.from({ length: rows.length * columns.length }, (_, cell) => {
    const [i, j] = [Math.floor(cell / columns.length), cell % columns.length];
    const [now, before] = [changed.weight(head, i, j), original.weight(head, rows[i], columns[j])];
    return now === null && before === null ? NaN : (now ?? 0) - (before ?? 0);
  });
  const peak = weights.reduce((most, weight) => Math.max(most, Math.abs(weight) || 0), 0);
  if (peak === 0) return null;
  const range = { peak, steps: STEPS, signed: true, codeCount: 2 * STEPS + 3 };
  return {
    codes: encode(weights, range),
    scale: new Scale(range, { kind: "shared", top: peak, least: 0, ramp }),
    queries: changed.queries,
    keys: changed.keys,
    found: NONE,
    brief: (query, key) => weights[query * columns.length + key].toFixed(2),
    label: worded("difference"),
    range: worded("difference_range", { peak: writeNumber(peak) }),
  };
}
