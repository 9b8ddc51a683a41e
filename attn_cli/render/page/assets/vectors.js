/** Queries and keys that the page carries, as attn_cli/render/page/vectors.py packed them. */

import { bytesOfText, inflate } from "./inflating.js";
import { shown } from "./words.js";

/** Read them out of the page; null where it has none. */
export async function readVectors(attention) {
  const said = attention.vectors;
  const packed = document.getElementById("vectors");
  const text = packed.textContent;
  packed.remove();
  return said.bits ? new Vectors(said, await inflate(bytesOfText(text)), attention) : null;
}

class Vectors {
  constructor(said, { buffer }, attention) {
    Object.assign(this, said, { attention });
    const { count, queries, keys } = attention;
    let at = 0;
    const take = (Kind, length) => {
      const taken = new Kind(buffer, at, length);
      at += taken.byteLength;
      return taken;
    };
    this.distances = queries.length + keys.length - 1;
    this.steps = {
      query: take(Float32Array, count * queries.length),
      key: take(Float32Array, count * keys.length),
    };
    this.biases = said.biased ? take(Float32Array, count * this.distances) : null;
    const Codes = said.bits === 16 ? Int16Array : Int8Array;
    this.codes = {
      query: take(Codes, count * queries.length * said.width),
      key: take(Codes, count * keys.length * said.width),
    };
  }

  /** The vector of a token, `side` being query or key. */
  vector(side, head, token) {
    const { length } = side === "query" ? this.attention.queries : this.attention.keys;
    const place = head * length + token;
    const codes = this.codes[side].subarray(place * this.width, (place + 1) * this.width);
    return Float64Array.from(codes, (code) => code * this.steps[side][place]);
  }

  bias(head, query, key) {
    if (!this.biases) return 0;
    return this.biases[head * this.distances + key - query + this.attention.queries.length - 1];
  }

  /** All numbers on the way to one weight, as arithmetic.js shows them. */
  arithmeticOf(head, { query, key }) {
    const { attention } = this;
    const [q, k] = [this.vector("query", head, query), this.vector("key", head, key)];
    const scale = this.scales[Math.floor(head / attention.heads.length)];
    const products = q.map((number, i) => number * k[i]);
    const scores = attention.keys.map((_, other) => {
      const dot = this.vector("key", head, other).reduce((sum, number, i) => sum + number * q[i], 0);
      return scale * dot + this.bias(head, query, other);
    });
    const stored = attention.keys.map((_, other) => attention.stored(head, query, other) ?? NaN);
    const weights = attention.exact || this.bits === 8 ? stored : softmax(scores, stored);
    const names = {
      query: shown(attention.queries[query]),
      key: shown(attention.keys[key]),
      keys: attention.keys,
    };
    const sum = products.reduce((total, product) => total + product, 0);
    return { q, k, products, sum, scale, bias: this.bias(head, query, key), scores, weights, names };
  }
}

/** Finer than weights that were rounded to travel; NaN where those are masked. */
function softmax(scores, stored) {
  const seen = scores.map((score, i) => (Number.isNaN(stored[i]) ? NaN : score));
  const highest = Math.max(...seen.filter((score) => !Number.isNaN(score)));
  const parts = seen.map((score) => Math.exp(score - highest));
  const total = parts.reduce((sum, part) => sum + (part || 0), 0);
  return parts.map((part) => part / total);
}
