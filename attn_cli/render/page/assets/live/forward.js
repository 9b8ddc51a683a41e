/**
 * The Transformer, read from the bottom up: attention, feed-forward, layer, stack, the whole.
 *
 * It follows attn_cli/transformer/model.py part by part, under the same names, one text at a time. A layer adds to
 * the stream what its parts make of it. Pre-norm: x + part(norm(x)), and one last norm closes the stack; post-norm:
 * norm(x + part(x)). Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745.
 *
 * `weights` is a Map of matrices (products.js) by the names that model.py gives them. How one looks into the
 * computation, and takes part in it, is in capture.js: `attend` says whether there are positions, and that of the
 * `first` token; it may `remember` keys and values of those before.
 */

import { linear, matrix, row } from "./products.js";

// ---- what torch gives model.py, beside products.js ----

/** x + y, in the room of y. */
function add(x, y) {
  const [from, to] = [x.data, y.data];
  for (let i = 0; i < to.length; i++) to[i] += from[i];
  return y;
}

/** A row less its mean, by its standard deviation: these two. Ba et al. 2016, arXiv:1607.06450. */
function layerNorm(x, eps) {
  let [sum, squares] = [0, 0];
  for (let j = 0; j < x.length; j++) sum += x[j];
  const mean = sum / x.length;
  for (let j = 0; j < x.length; j++) squares += (x[j] - mean) ** 2;
  return [mean, Math.sqrt(squares / x.length + eps)];
}

/** A row less nothing, by its root mean square. Zhang & Sennrich 2019, arXiv:1910.07467. */
function rmsNorm(x, eps) {
  let squares = 0;
  for (let j = 0; j < x.length; j++) squares += x[j] ** 2;
  return [0, Math.sqrt(squares / x.length + eps)];
}

/** erf(x) to 2 · 10⁻⁷: Numerical Recipes in C, § 6.2, a Chebyshev fit of erfc. */
function erf(x) {
  const t = 1 / (1 + 0.5 * Math.abs(x));
  let fit = (((0.17087277 * t - 0.82215223) * t + 1.48851587) * t - 1.13520398) * t + 0.27886807;
  fit = ((((fit * t - 0.18628806) * t + 0.09678418) * t + 0.37409196) * t + 1.00002368) * t - 1.26551223;
  return Math.sign(x) * (1 - t * Math.exp(fit - x * x));
}

const NORMS = { layer: layerNorm, rms: rmsNorm };
const silu = (x) => x / (1 + Math.exp(-x));
const ACTIVATIONS = {
  gelu: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(x, 0),
  swiglu: silu, // and another linear map beside it: see FeedForward
};

/** A norm of the stream. */
function newNorm(config, weights, name) {
  const [scale, shift] = [weights.get(`${name}.weight`).data, weights.get(`${name}.bias`)?.data];
  return (x) => {
    const y = matrix(x.rows, x.columns);
    for (let i = 0; i < x.rows; i++) {
      const [from, to] = [row(x, i), row(y, i)];
      const [middle, spread] = NORMS[config.norm](from, config.norm_eps);
      for (let j = 0; j < to.length; j++) {
        to[j] = ((from[j] - middle) / spread) * scale[j] + (shift ? shift[j] : 0);
      }
    }
    return y;
  };
}

function newLinear(weights, name) {
  const [weight, bias] = [weights.get(`${name}.weight`), weights.get(`${name}.bias`)];
  return (x) => linear(x, weight, bias);
}

// ---- attention ----

/**
 * Positions of x look at those of a context, which is x itself in self-attention.
 *
 * heads = attend(x · W_q, context · W_k, context · W_v) in n_heads slices of d_head; output = heads · W_o. With
 * fewer heads of key and value, each serves a group of neighbouring heads (Ainslie et al. 2023, arXiv:2305.13245).
 */
class MultiHeadAttention {
  constructor(config, weights, name, kind, layer) {
    Object.assign(this, { config, kind, layer });
    for (const part of ["query", "key", "value", "out"]) this[part] = newLinear(weights, `${name}.${part}`);
    this.turn = config.rope && kind !== "cross" ? (x, first) => turned(x, config.rope, first) : null;
    const windowed = config.windowed === null || config.windowed.includes(layer);
    this.window = kind === "decoder" && config.window !== null && windowed ? config.window : Infinity;
    this.scale = config.head_size ** -0.5 / (config.scale_by_layer ? layer + 1 : 1);
  }

  /** Whether a query may see a key: in a decoder itself and those before, as far as the window of its layer. */
  sees(query, key) {
    return this.kind !== "decoder" || (key <= query && key > query - this.window);
  }

  forward(x, attend, context = x) {
    const { n_heads, kv_heads } = this.config;
    const turn = this.turn && attend.positions ? (y) => this.turn(y, attend.first) : (y) => y;
    const query = splitHeads(this.query(x), n_heads).map(turn); // n_heads matrices [query, d_head]
    const remember = attend.remember ?? ((_, make) => make());
    const [keys, values] = remember(this, () => [
      splitHeads(this.key(context), kv_heads).map(turn), // kv_heads matrices [key, d_head]
      splitHeads(this.value(context), kv_heads), // kv_heads matrices [key, d_head]
    ]);
    const group = n_heads / kv_heads;
    const [key, value] = [keys, values].map((heads) =>
      query.map((_, head) => heads[Math.floor(head / group)]),
    );
    const heads = attend(query, key, value, this); // n_heads matrices [query, d_head]
    return this.out(mergeHeads(heads));
  }
}

/** Cut each vector into pieces, one for each head. */
function splitHeads(x, n_heads) {
  const d_head = x.columns / n_heads;
  return Array.from({ length: n_heads }, (_, head) => {
    const cut = matrix(x.rows, d_head);
    for (let i = 0; i < x.rows; i++) row(cut, i).set(row(x, i).subarray(head * d_head, (head + 1) * d_head));
    return cut;
  });
}

/** Put the pieces of all heads side by side again. */
function mergeHeads(heads) {
  const [{ rows, columns }] = heads;
  const merged = matrix(rows, columns * heads.length);
  heads.forEach((head, h) => {
    for (let i = 0; i < rows; i++) row(merged, i).set(row(head, i), h * columns);
  });
  return merged;
}

/** Rotary positions: pair (a, b) at place p is turned by p · θ. Su et al. 2021, arXiv:2104.09864. */
function turned(x, { theta, stretch, interleaved }, first) {
  const y = matrix(x.rows, x.columns, x.data.slice());
  for (let i = 0; i < x.rows; i++) {
    const [from, to] = [row(x, i), row(y, i)];
    for (let pair = 0; pair < theta.length; pair++) {
      const a = interleaved ? 2 * pair : pair;
      const b = interleaved ? a + 1 : pair + theta.length;
      const cos = stretch * Math.cos((first + i) * theta[pair]);
      const sin = stretch * Math.sin((first + i) * theta[pair]);
      to[a] = from[a] * cos - from[b] * sin;
      to[b] = from[b] * cos + from[a] * sin;
    }
  }
  return y;
}

// ---- layers ----

/** Each position by itself: act(x · W_up) · W_down; SwiGLU (arXiv:2002.05202): (silu(x · W_gate) ⊙ x · W_up) · W_down. */
class FeedForward {
  constructor(config, weights, name) {
    this.act = ACTIVATIONS[config.activation];
    this.up = newLinear(weights, `${name}.up`);
    this.gate = config.activation === "swiglu" ? newLinear(weights, `${name}.gate`) : null;
    this.down = newLinear(weights, `${name}.down`);
  }

  forward(x) {
    const up = this.up(x); // [seq, d_ff]
    const bent = this.gate ? this.gate(x) : up; // in its own room
    for (let i = 0; i < bent.data.length; i++) {
      const number = this.act(bent.data[i]);
      bent.data[i] = this.gate ? number * up.data[i] : number;
    }
    return this.down(bent);
  }
}

/**
 * Positions exchange what they know (attention), then each digests it (feed-forward).
 *
 * In the decoder of an encoder–decoder they look at the encoder's output between the two.
 */
class Layer {
  constructor(config, weights, name, kind, layer) {
    const crossing = kind === "decoder" && config.stack === "both";
    this.norm_first = config.norm_first;
    this.attention_norm = newNorm(config, weights, `${name}.attention_norm`);
    this.attention = new MultiHeadAttention(config, weights, `${name}.attention`, kind, layer);
    this.cross_norm = crossing ? newNorm(config, weights, `${name}.cross_norm`) : null;
    this.cross = crossing ? new MultiHeadAttention(config, weights, `${name}.cross`, "cross", layer) : null;
    this.feed_forward_norm = newNorm(config, weights, `${name}.feed_forward_norm`);
    this.feed_forward = new FeedForward(config, weights, `${name}.feed_forward`);
  }

  forward(x, attend, context) {
    x = this.add(x, this.attention_norm, this.attention, attend);
    if (this.cross) x = this.add(x, this.cross_norm, this.cross, attend, context);
    return this.add(x, this.feed_forward_norm, this.feed_forward);
  }

  add(x, norm, part, ...given) {
    const y = part.forward(this.norm_first ? norm(x) : x, ...given);
    return this.norm_first ? add(x, y) : norm(add(x, y));
  }
}

/** Layers one after the other; `attend.passed` hears of the stream before the first and behind each. */
class Stack {
  constructor(config, weights, kind) {
    const numbers = Array.from({ length: config.n_layers }, (_, i) => i);
    this.kind = kind;
    this.layers = numbers.map((i) => new Layer(config, weights, `${kind}.layers.${i}`, kind, i));
    this.norm = config.norm_first ? newNorm(config, weights, `${kind}.norm`) : null;
  }

  forward(x, attend, context) {
    attend.passed?.(this.kind, x);
    for (const layer of this.layers) {
      x = layer.forward(x, attend, context);
      attend.passed?.(this.kind, x);
    }
    return this.norm ? this.norm(x) : x;
  }
}

// ---- the whole ----

/**
 * Tokens in, for each position a logit of every token out: embedding + position → stack → unembedding.
 *
 * encoder: every position sees every other one. decoder: only itself and those before. both: the tokens go through
 * the encoder, and the decoder reads `target` while it looks at what the encoder made of them.
 */
export class Transformer {
  constructor(config, weights) {
    Object.assign(this, { config, weights });
    this.embedding_norm = config.embedding_norm ? newNorm(config, weights, "embedding_norm") : (x) => x;
    if (config.stack !== "decoder") this.encoder = new Stack(config, weights, "encoder");
    if (config.stack !== "encoder") this.decoder = new Stack(config, weights, "decoder");
    if (config.unembedding === "own") this.unembedding = newLinear(weights, "unembedding");
  }

  /** How much the model expects each token, from what the last stack made; null where it expects none. */
  logits(x) {
    if (this.config.unembedding === "tied") return linear(x, this.weights.get("embedding.weight"));
    return this.unembedding ? this.unembedding(x) : null;
  }

  /** What the last stack makes of the tokens. */
  hidden(tokens, attend, target) {
    const x = this.embed(tokens, attend); // [seq, d_model]
    if (this.config.stack === "encoder") return this.encoder.forward(x, attend);
    if (this.config.stack === "decoder") return this.decoder.forward(x, attend);
    return this.decode(target, this.encoder.forward(x, attend), attend);
  }

  /** The decoder's hidden states for `target`, given the encoder's output. */
  decode(target, context, attend) {
    return this.decoder.forward(this.embed(target, attend), attend, context);
  }

  /** The stream before the first layer. */
  embed(tokens, attend) {
    const { d_model, embedding_scale } = this.config;
    const [embedding, segment] = [this.weights.get("embedding.weight"), this.weights.get("segment.weight")];
    const position = attend.positions ? this.weights.get("position.weight") : undefined;
    const times = embedding_scale ? Math.sqrt(d_model) : 1; // Vaswani et al. 2017, § 3.4
    const x = matrix(tokens.length, d_model);
    tokens.forEach((token, at) => {
      const [own, place] = [row(embedding, token), position && row(position, attend.first + at)];
      row(x, at).set(
        own.map((number, i) => number * times + (place ? place[i] : 0) + (segment ? segment.data[i] : 0)),
      );
    });
    return this.embedding_norm(x);
  }
}
