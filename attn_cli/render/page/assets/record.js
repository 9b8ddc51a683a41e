/**
 * The record that the page carries, as attn_cli/render/page/weights.py packed it.
 *
 * Drawing works on codes, one small integer for each weight: 0 is a masked cell, 1 a weight of zero, and
 * each further step is one on a square-root scale, |weight| = peak · (step / steps)². Where weights are
 * signed the last bit is the sign. Weights that came exact are kept beside their codes.
 */

import { worded } from "./wording.js";

const STEPS_OF_EXACT = 32766;

/** Read the record out of the page. */
export async function readRecord() {
  const header = JSON.parse(document.getElementById("header").textContent);
  const packed = document.getElementById("weights");
  const [bytes, ...others] = await Promise.all(
    packed.textContent.split(" ").map((text) => inflate(fromBase64(text))),
  );
  packed.remove();
  return new Attention(header, bytes, others);
}

/** Weights of all layers and heads. A head is named by its place in the record, counted from 0. */
export class Attention {
  /** `others` are the same cells pooled in another way: the largest of each where these are means. */
  constructor(header, bytes, others = []) {
    this.layers = header.layers;
    this.heads = header.heads;
    this.queries = header.queries;
    this.keys = header.keys ?? header.queries;
    this.twoTexts = header.keys !== null;
    this.block = header.block;
    this.ramps = header.ramps;
    this.special = new Set(header.special);
    this.hidesSpecial = false;
    const all = [[header, bytes], ...others.map((other, i) => [header.others[i], other])];
    this.pools = new Map(all.map(([said, numbers]) => [said.pool ?? "mean", this.unpacked(said, numbers)]));
    this.show([...this.pools.keys()][0]);
  }

  unpacked({ store, peak, signed, steps = STEPS_OF_EXACT }, bytes) {
    const range = { peak, signed, steps };
    const exact = exactFloats(store, bytes);
    const codes = exact ? encode(exact, range) : joinPlanes(bytes, this.cellsPerHead * this.count);
    return { ...range, exact, codes };
  }

  /** Let cells show their mean, or the largest of what they stand for. */
  show(pool) {
    this.pool = pool;
    Object.assign(this, this.pools.get(pool));
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
    const layer = Math.floor(head / this.heads.length);
    return worded("head_name", { layer: this.layers[layer], head: this.heads[head % this.heads.length] });
  }

  /** The codes of a head; those of special tokens are as if masked while they are hidden. */
  codesOf(head) {
    const codes = this.codes.subarray(head * this.cellsPerHead, (head + 1) * this.cellsPerHead);
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

  /** The weight as stored, or null where a mask forbids one. */
  weight(head, query, key) {
    const cell = head * this.cellsPerHead + query * this.keys.length + key;
    if (this.codes[cell] === 0 || (this.hidesSpecial && this.isHidden(query, key))) return null;
    return this.exact ? this.exact[cell] : weightOfCode(this.codes[cell], this);
  }

  /** The cell of the largest weight of a query, or of a key. */
  largest(head, { query, key }) {
    const tokens = query === undefined ? this.queries : this.keys;
    const cells = tokens.map((_, other) => (query === undefined ? [other, key] : [query, other]));
    const [best = 0] = strongest(
      cells.map((cell) => this.weight(head, ...cell)),
      1,
    );
    return { query: cells[best][0], key: cells[best][1] };
  }

  /** By how much that weight may differ from the record's: half a step up. */
  error(head, query, key) {
    const code = this.codes[head * this.cellsPerHead + query * this.keys.length + key];
    return this.exact || code === 0 ? 0 : (this.peak * (stepOfCode(code, this) + 0.25)) / this.steps ** 2;
  }
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

function exactFloats(store, bytes) {
  if (store === "f8") return new Float64Array(bytes.buffer);
  return store === "f4" ? new Float32Array(bytes.buffer) : null;
}

function joinPlanes(bytes, cells) {
  if (bytes.length === cells) return bytes;
  const codes = new Uint16Array(cells);
  for (let i = 0; i < cells; i++) codes[i] = (bytes[i] << 8) | bytes[cells + i];
  return codes;
}

function fromBase64(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
