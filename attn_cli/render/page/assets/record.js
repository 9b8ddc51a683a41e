/**
 * The record that the page carries, as attn_cli/render/page/weights.py packed it.
 *
 * Drawing works on codes, one small integer for each weight: 0 is a masked cell, 1 a weight of zero, and
 * each further step is one on a square-root scale, |weight| = peak · (step / steps)². Where weights are
 * signed the last bit is the sign. Weights that came exact are kept beside their codes.
 */

import { bytesOfText, inflate, joinPlanes } from "./inflating.js";
import { worded } from "./wording.js";

const STEPS_OF_EXACT = 32766;

/** Read the record out of the page. */
export async function readRecord() {
  const header = JSON.parse(document.getElementById("header").textContent);
  const packed = document.getElementById("weights");
  const texts = packed.textContent.split(" ");
  packed.remove();
  const cells = header.queries.length * (header.keys ?? header.queries).length;
  const parts = texts.map((text, i) => partOf(i ? header.others[i - 1] : header, bytesOfText(text), cells));
  return new Attention(header, await Promise.all(parts));
}

/** Weights of all layers and heads. A head is named by its place in the record, counted from 0. */
export class Attention {
  /**
   * Several `parts` are the same heads pooled in different ways, as means and the largest of each cell, or at
   * different steps of a training.
   */
  constructor(header, parts) {
    this.layers = header.layers;
    this.heads = header.heads;
    this.queries = header.queries;
    this.keys = header.keys ?? header.queries;
    this.twoTexts = header.keys !== null;
    this.measure = header.measure ?? null; // what the numbers are where they are no weights
    this.block = header.block;
    this.began = header.began ?? [null, null]; // the row and the column from which a model wrote itself
    this.written = header.written ?? [];
    this.ramps = header.ramps;
    this.bars = header.bars ?? null; // of single queries and keys, as bars.js reads them
    this.sums = header.sums ?? false; // whether bars may be worked out from the weights
    this.special = new Set(header.special);
    this.allFigures = header.figures ?? {}; // of the heads at every step
    this.vectors = header.vectors ?? {};
    this.heard = header.heard; // a spectrogram, as heard.js reads it
    this.image = header.image; // of which the last keys are patches, as sight.js draws it
    this.grows = Boolean(header.grows);
    this.hidesSpecial = false;
    this.times = header.times ?? [0]; // steps of a training
    this.tokens = header.tokens ?? {}; // of those steps whose tokens are others
    this.own = { queries: this.queries, keys: this.keys };
    this.parts = parts.flatMap((part) => this.times.map((time, place) => this.partAt(part, time, place)));
    this.pools = new Set(this.parts.map((part) => part.pool));
    this.show({ pool: this.parts[0].pool, time: header.time ?? 0 });
  }

  /** The heads of one step of a training: they stand one step after the other. */
  partAt(part, time, place) {
    const first = place * this.count;
    const [queries, keys] = this.tokens[time] ?? [this.own.queries, this.own.keys];
    return {
      ...part,
      pool: part.pool ?? "mean",
      time,
      queries,
      keys,
      first,
      figures: Object.fromEntries(
        Object.entries(this.allFigures).map(([name, numbers]) => [
          name,
          numbers.slice(first, first + this.count),
        ]),
      ),
    };
  }

  /** Let cells show their mean or the largest of what they stand for, or what they were at another step of a training. */
  show({ pool = this.pool, time = this.time }) {
    const isIt = (part) => part.pool === pool && part.time === time;
    Object.assign(this, this.parts.find(isIt));
  }

  /** The name of a head at another step: those of all steps have numbers behind the heads that are seen. */
  headAt(head, time) {
    return time === undefined ? head : this.count * (1 + this.times.indexOf(time)) + head;
  }

  /** Where a head stands among those of all steps. */
  at(head) {
    return head < this.count ? this.first + head : head - this.count;
  }

  isOpen(head) {
    return this.maps[this.at(head)] !== undefined;
  }

  /** Large maps are inflated when they are opened. */
  async open(head) {
    const at = this.at(head);
    this.maps[at] ??= joinPlanes(await inflate(this.packed[at]), this.cellsPerHead);
  }

  /** What a thumbnail shows of a head, opened or not: each cell is the largest of those it stands for. */
  overviewOf(head) {
    if (!this.overview)
      return { codes: this.codesOf(head), rows: this.queries.length, columns: this.keys.length };
    return { ...this.overview, codes: this.overview.maps[this.at(head)] };
  }

  get count() {
    return this.layers.length * this.heads.length;
  }

  get cellsPerHead() {
    return this.queries.length * this.keys.length;
  }

  /** How many different codes there are. */
  get codeCount() {
    return 2 + (this.signed ? 2 * this.steps + 1 : this.steps);
  }

  name(head) {
    if (head >= this.count) {
      const [step, own] = [Math.floor(head / this.count) - 1, head % this.count];
      return `${this.name(own)} · ${worded("training_step", { step: this.times[step] })}`;
    }
    const layer = Math.floor(head / this.heads.length);
    return worded("head_name", { layer: this.layers[layer], head: this.heads[head % this.heads.length] });
  }

  /** In a few letters: `L0H1`, and of another step which. */
  tag(head) {
    const [own, step] = [head % this.count, this.times[Math.floor(head / this.count) - 1]];
    const columns = this.heads.length;
    const name = `L${this.layers[Math.floor(own / columns)]}H${this.heads[own % columns]}`;
    return step === undefined ? name : `${name} · ${worded("training_step", { step })}`;
  }

  /** As an address has it: layer.head. */
  shortName(head) {
    return `${this.layers[Math.floor(head / this.heads.length)]}.${this.heads[head % this.heads.length]}`;
  }

  /** The codes of a head; those of special tokens are as if masked while they are hidden. */
  codesOf(head) {
    const codes = this.maps[this.at(head)];
    return this.hidesSpecial
      ? codes.map((code, cell) => (this.isHidden(...this.place(cell)) ? 0 : code))
      : codes;
  }

  place(cell) {
    return [Math.floor(cell / this.keys.length), cell % this.keys.length];
  }

  isHidden(query, key) {
    return this.special.has(key) || (!this.twoTexts && this.special.has(query));
  }

  /** The weight as it is shown: null where a mask forbids one, or where it is of a special token while they are hidden. */
  weight(head, query, key) {
    return this.hidesSpecial && this.isHidden(query, key) ? null : this.stored(head, query, key);
  }

  /** The weight as stored, or null where a mask forbids one. */
  stored(head, query, key) {
    const cell = query * this.keys.length + key;
    const at = this.at(head);
    if (this.maps[at][cell] === 0) return null;
    return this.exact ? this.exact[at * this.cellsPerHead + cell] : weightOfCode(this.maps[at][cell], this);
  }

  /** All weights that a query gives, or all that a key gets. */
  line(head, { query, key }) {
    if (query === undefined) return this.queries.map((_, other) => this.weight(head, other, key));
    return this.keys.map((_, other) => this.weight(head, query, other));
  }

  /** The cell of the largest weight of a query, or of a key. */
  largest(head, { query, key }) {
    const [best = 0] = strongest(this.line(head, { query, key }), 1);
    return query === undefined ? { query: best, key } : { query, key: best };
  }

  /** By how much that weight may differ from the record's: half a step up. */
  error(head, query, key) {
    const code = this.maps[this.at(head)][query * this.keys.length + key];
    return this.exact || code === 0 ? 0 : (this.peak * (stepOfCode(code, this) + 0.25)) / this.steps ** 2;
  }
}

/** Numbers that came as they are, with the codes that drawing works on. */
export function exactPart({ store, peak, signed, pool }, bytes, cells) {
  const range = { peak, signed, steps: STEPS_OF_EXACT };
  const exact = store === "f8" ? new Float64Array(bytes.buffer) : new Float32Array(bytes.buffer);
  return { pool, ...range, exact, overview: null, maps: cut(encode(exact, range), cells) };
}

/** What was packed, each head by itself; where there are thumbnails no head is inflated yet. */
async function partOf(said, bytes, cells) {
  const { peak, signed, steps, pool, sizes, overview, ends = null } = said; // ends of colours short of the peak
  if (said.store !== "steps") return { ...exactPart(said, await inflate(bytes), cells), ends };
  let at = 0;
  const packed = sizes.map((size) => bytes.subarray(at, (at += size)));
  const part = { pool, peak, signed, steps, ends, exact: null, overview: null, packed };
  if (!overview) {
    const maps = await Promise.all(packed.map(async (one) => joinPlanes(await inflate(one), cells)));
    return { ...part, maps };
  }
  const [rows, columns] = overview;
  const [first, ...heads] = packed;
  const codes = joinPlanes(await inflate(first), rows * columns * heads.length);
  const thumbnails = { rows, columns, maps: cut(codes, rows * columns) };
  return { ...part, packed: heads, maps: new Array(heads.length), overview: thumbnails };
}

function cut(codes, size) {
  return Array.from({ length: codes.length / size }, (_, i) => codes.subarray(i * size, (i + 1) * size));
}

function stepOfCode(code, { signed }) {
  return signed ? (code - 1) >> 1 : code - 1;
}

/** The weight that a code stands for; a masked cell weighs nothing. */
export function weightOfCode(code, attention) {
  if (code === 0) return 0;
  const size = attention.peak * (stepOfCode(code, attention) / attention.steps) ** 2;
  return attention.signed && (code - 1) & 1 ? -size : size;
}

/** The places of the largest weights, strongest first; masked ones and zeros are none of them. */
export function strongest(weights, most) {
  const places = Array.from(weights.keys()).filter((place) => weights[place]);
  return places.sort((a, b) => Math.abs(weights[b]) - Math.abs(weights[a]) || a - b).slice(0, most);
}

/** Codes of weights, NaN being a masked one; `range` says peak, steps and whether there are signs. */
export function encode(weights, { peak, steps, signed }) {
  return Uint16Array.from(weights, (weight) => {
    if (Number.isNaN(weight)) return 0;
    const step = Math.min(steps, Math.round(steps * Math.sqrt(Math.abs(weight) / peak)));
    return 1 + (signed ? 2 * step + (weight < 0 ? 1 : 0) : step);
  });
}
