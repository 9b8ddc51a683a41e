/** A model with its tokens: what it reads of a text, what it writes, and the attention that it pays meanwhile. */

import { atOnce, newWriter, NOTHING } from "./capture.js";
import { Transformer } from "./forward.js";
import { matrix, row } from "./products.js";
import { fromBytes, newTokenizer, oneLine } from "./tokenizer.js";

const MOST = 5; // likeliest tokens that are told

export class Reader {
  constructor(header, tensors) {
    this.header = header;
    this.model = new Transformer(header.config, tensors);
    this.tokenise = header.tokenizer ? newTokenizer(header.tokenizer) : null;
    this.vocabulary = header.tokenizer ? header.tokenizer.model.vocab : header.vocabulary;
    this.outputs = header.outputs ?? this.vocabulary;
  }

  get writes() {
    return this.header.config.stack === "both";
  }

  /** Tokens of a text: { id, label }. Throws { problem, … } where the model cannot read it. */
  read(text) {
    const tokens = this.tokenise ? this.tokenise(text).map((token) => this.named(token)) : this.words(text);
    if (!tokens.some(({ special }) => !special)) throw { problem: "empty" };
    if (tokens.length > this.header.longest) {
      throw { problem: "long", tokens: tokens.length, most: this.header.longest };
    }
    return tokens;
  }

  named({ id, piece, text, special = false }) {
    return {
      id,
      special,
      label: special || !this.tokenise ? piece : labelOf(piece, text, this.header.tokenizer),
    };
  }

  /** Of a model without a tokenizer: what stands between spaces, or its characters where it knows only those. */
  words(text) {
    const { vocabulary } = this;
    const words = oneLine(text).split(/\s+/u).filter(Boolean);
    const parts = words.flatMap((word) =>
      vocabulary.includes(word) || !Array.from(word).every((c) => vocabulary.includes(c))
        ? [word]
        : [...word],
    );
    const unknown = parts.find((part) => !vocabulary.includes(part));
    if (unknown !== undefined)
      throw { problem: "unknown", word: unknown, known: vocabulary.slice(0, 20).join(" ") };
    return parts.map((part) => ({ id: vocabulary.indexOf(part), label: part, special: false }));
  }

  /** What the first stack makes of the tokens, and what can be shown of it; `change` is as capture.js has it. */
  look(tokens, change = NOTHING) {
    const attend = newWriter(change);
    const [ids, labels] = [tokens.map(({ id }) => id), tokens.map(({ label }) => label)];
    const stack = this.model.encoder ?? this.model.decoder;
    const x = stack.forward(this.model.embed(ids, attend), attend); // [seq, d_model]
    return { ids, labels, change, attend, x, found: seen(attend, () => [labels, labels]) };
  }

  /** What an encoder expects at each position, if it expects anything. */
  answers({ x }) {
    const logits = this.model.logits(x);
    const expected = logits ? this.expected(logits) : [];
    return { tokens: expected.map(([best]) => best), expected };
  }

  /** What an encoder–decoder writes: the likeliest token, one after the other; `pause` may stop it. */
  async write({ ids, x, change }, pause) {
    const writer = newWriter(change);
    const next = (token) => this.model.decode([token], x, writer);
    const most = Math.min(this.header.longest - 1, 2 * ids.length + 10);
    return { ...(await this.likeliest(next(this.start(ids)), writer, next, most, pause)), writer };
  }

  /** How a decoder goes on: so many tokens at most, the likeliest one after the other. */
  goOn({ ids, x, attend }, most, pause) {
    if (this.header.config.unembedding === "none") return { tokens: [], expected: [] };
    const next = (token) => this.model.hidden([token], attend);
    attend.first = ids.length - 1;
    return this.likeliest(x, attend, next, Math.min(most, this.header.longest - ids.length), pause);
  }

  /** The tokens, and what else was likely in the place of each; x is the stream up to the first of them. */
  async likeliest(x, attend, next, most, pause) {
    const [tokens, expected] = [[], []];
    while (tokens.length < most) {
      const logits = this.model.logits(matrix(1, x.columns, row(x, x.rows - 1)));
      const token = largest(logits.data);
      if (this.outputs[token] === this.header.end) break;
      tokens.push(this.named({ id: token, piece: this.outputs[token], text: "" }));
      expected.push(...this.expected(logits));
      await pause();
      attend.first += 1;
      x = next(token);
    }
    return { tokens, expected };
  }

  /** All that an encoder–decoder makes of what it wrote, with its `writer`, or of what is to be written. */
  decode({ ids, labels, attend, x, found }, { tokens, expected, writer }) {
    const start = this.start(ids);
    const y = writer ? null : this.model.decode([start, ...tokens.map(({ id }) => id)], x, attend);
    const written = tokens.map(({ label }) => label);
    const given = [this.outputs[start], ...written];
    const axes = {
      decoder: [given, given],
      cross: [[...written, this.header.end], labels], // a row for each token while it is written
    };
    return {
      ...seen(writer ? atOnce(writer) : attend, (kind) => axes[kind], found),
      expected: expected ?? this.expected(this.model.logits(y)),
      written,
    };
  }

  /** The token that begins what is written: of two languages the one that the source is not in. */
  start(ids) {
    const { sides, starts } = this.header;
    if (!sides) return this.outputs.indexOf(starts[0]);
    const right = ids.filter((id) => sides[id] === "1").length;
    return this.outputs.indexOf(starts[2 * right > ids.length ? 0 : 1]);
  }

  /** The likeliest tokens at each position, each with its probability. */
  expected(logits) {
    return Array.from({ length: logits.rows }, (_, i) => {
      const shares = probabilities(row(logits, i));
      return mostOf(shares, MOST).map((id) => ({
        label: this.named({ id, piece: this.outputs[id], text: "" }).label,
        share: shares[id],
      }));
    });
  }
}

function probabilities(logits) {
  const top = logits[largest(logits)];
  const powers = new Float32Array(logits.length);
  let sum = 0;
  for (let i = 0; i < powers.length; i++) sum += powers[i] = Math.exp(logits[i] - top);
  for (let i = 0; i < powers.length; i++) powers[i] /= sum;
  return powers;
}

/** The places of the largest numbers, largest first. */
function mostOf(numbers, count) {
  const left = numbers.slice();
  return Array.from({ length: Math.min(count, numbers.length) }, () => {
    const best = largest(left);
    left[best] = -Infinity;
    return best;
  });
}

function largest(numbers) {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
  return best;
}

/** A piece as a reader knows it: without the mark of a space, with the characters that its bytes stand for. */
function labelOf(piece, text, { model, pre_tokenizers }) {
  if (piece === model.unk && text) return text;
  if (pre_tokenizers.some(({ type }) => type === "ByteLevel")) {
    const whole = fromBytes(piece);
    return whole === null ? piece : whole.trim() || whole;
  }
  const bare =
    model.type === "WordPiece" && piece.startsWith(model.prefix) ? piece.slice(model.prefix.length) : piece;
  return bare.replace(/^▁/u, "") || " ";
}

/**
 * The attentions by kind, layers and heads in order, each number where [layer, head, query, …] has it, behind those
 * that were seen before.
 */
function seen(capture, axesOf, before = { kinds: {}, streams: {} }) {
  const kinds = { ...before.kinds };
  for (const kind of ["encoder", "decoder", "cross"]) {
    const layers = capture.layers.filter((layer) => layer.kind === kind);
    if (layers.length === 0 || kind in kinds) continue;
    const [queries, keys] = axesOf(kind);
    const heads = layers.flatMap((layer) => layer.heads.map((head) => ({ ...head, sees: layer.sees })));
    const parts = ["query", "key", "value", "scores", "output"];
    kinds[kind] = {
      queries,
      keys,
      layers: layers.length,
      heads: layers[0].heads.length,
      scales: layers.map(({ scale }) => scale),
      temperature: capture.temperature,
      weights: joined(heads.map(masked)),
      ...Object.fromEntries(parts.map((part) => [part, joined(heads.map((head) => head[part].data))])),
    };
  }
  const streams = Object.fromEntries(
    Object.entries(capture.streams).map(([kind, layers]) => [kind, layers.map(({ data }) => data)]),
  );
  return { kinds, streams: { ...streams, encoder: before.streams.encoder ?? streams.encoder } };
}

/** Weights, NaN where a key is not seen. */
function masked({ weights: { data, columns }, sees }) {
  const shown = data.slice();
  for (let cell = 0; cell < shown.length; cell++) {
    if (!sees(Math.floor(cell / columns), cell % columns)) shown[cell] = NaN;
  }
  return shown;
}

function joined(arrays) {
  const whole = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return whole;
}
