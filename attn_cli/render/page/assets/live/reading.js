/** A model with its tokens: what it reads of a text, what it writes, and the attention that it pays meanwhile. */

import { newCapture, newWriter, NOTHING } from "./capture.js";
import { matrix, row, Transformer } from "./forward.js";
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

  /** All that the model makes of the tokens it is given, and of what it is to write; `change` is as capture.js has it. */
  look(tokens, change = NOTHING, target = null) {
    const capture = newCapture(change);
    const ids = tokens.map(({ id }) => id);
    const labels = tokens.map(({ label }) => label);
    if (!this.writes) {
      const logits = this.model.logits(this.model.hidden(ids, capture));
      return { ...seen(capture, () => [labels, labels]), expected: logits && this.expected(logits) };
    }
    const start = this.start(ids);
    if (target === null) {
      this.model.encoder.forward(this.model.embed(ids, capture), capture);
      return seen(capture, () => [labels, labels]);
    }
    const given = [this.outputs.indexOf(start), ...target.map(({ id }) => id)];
    const logits = this.model.logits(this.model.hidden(ids, capture, given));
    const written = target.map(({ label }) => label);
    const axes = {
      encoder: [labels, labels],
      decoder: [
        [start, ...written],
        [start, ...written],
      ],
      cross: [[...written, this.header.end], labels], // a row for each token while it is written
    };
    return { ...seen(capture, (kind) => axes[kind]), expected: this.expected(logits), written };
  }

  /** What an encoder–decoder writes: the likeliest token, one after the other; `pause` may stop it. */
  write(tokens, change, pause) {
    const ids = tokens.map(({ id }) => id);
    const attend = newCapture(change);
    const context = this.model.encoder.forward(this.model.embed(ids, attend), attend); // [seq, d_model]
    const begin = [this.outputs.indexOf(this.start(ids))];
    const most = Math.min(this.header.longest - 1, 2 * ids.length + 10);
    return this.likeliest(
      (given, writer) => this.model.decode(given, context, writer),
      begin,
      most,
      change,
      pause,
    );
  }

  /** How a decoder goes on: so many tokens at most, the likeliest one after the other. */
  goOn(tokens, change, most, pause) {
    const ids = tokens.map(({ id }) => id);
    const room = Math.min(most, this.header.longest - ids.length);
    return this.likeliest((given, writer) => this.model.hidden(given, writer), ids, room, change, pause);
  }

  async likeliest(hidden, begin, most, change, pause) {
    const writer = newWriter(change);
    const written = [];
    for (let given = begin; written.length < most; given = written.slice(-1)) {
      const x = hidden(given, writer);
      writer.first += given.length;
      const token = largest(this.model.logits(matrix(1, x.columns, row(x, x.rows - 1))).data);
      if (this.outputs[token] === this.header.end) break;
      written.push(token);
      await pause();
    }
    return written.map((id) => this.named({ id, piece: this.outputs[id], text: "" }));
  }

  /** What to write: of two languages the one that the source is not in. */
  start(ids) {
    const { sides, starts } = this.header;
    if (!sides) return starts[0];
    const right = ids.filter((id) => sides[id] === "1").length;
    return starts[2 * right > ids.length ? 0 : 1];
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
  const powers = logits.map((logit) => Math.exp(logit - top));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
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

/** The attentions by kind, layers and heads in order, each number where [layer, head, query, …] has it. */
function seen(capture, axesOf) {
  const kinds = {};
  for (const kind of ["encoder", "decoder", "cross"]) {
    const layers = capture.layers.filter((layer) => layer.kind === kind);
    if (layers.length === 0) continue;
    const [queries, keys] = axesOf(kind);
    const heads = layers.flatMap((layer) => layer.heads.map((head) => ({ ...head, sees: layer.sees })));
    const parts = ["query", "key", "value", "scores", "output"];
    kinds[kind] = {
      queries,
      keys,
      layers: layers.length,
      heads: layers[0].heads.length,
      scales: layers.map(({ scale }) => scale),
      weights: joined(heads.map(masked)),
      ...Object.fromEntries(parts.map((part) => [part, joined(heads.map((head) => head[part].data))])),
    };
  }
  const streams = Object.fromEntries(
    Object.entries(capture.streams).map(([kind, layers]) => [kind, layers.map(({ data }) => data)]),
  );
  return { kinds, streams };
}

/** Weights, NaN where a key is not seen. */
function masked({ weights: { data, columns }, sees }) {
  return data.map((weight, cell) => (sees(Math.floor(cell / columns), cell % columns) ? weight : NaN));
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
