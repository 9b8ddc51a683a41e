/** Heads as lines: queries on the left, keys on the right, each pair joined as strongly as it attends. */

import { fitCanvas, readStyle } from "./canvas.js";
import { css, packed } from "./colours.js";
import { captionOf } from "./overlay.js";
import { strongest } from "./record.js";
import { TokenList } from "./tokenlist.js";
import { worded } from "./wording.js";
import { element } from "./words.js";

const MOST = 3000; // lines drawn at once; the strongest are
const BESIDE = 2.5; // pixels between the lines of two heads from the same query to the same key
const FAINT = 0.06; // of the others, while one token's lines are looked at

export class LinesView {
  /** `onFocus({query} or {key} or {}, spoken)` hears whose lines are looked at. */
  constructor({ onFocus }) {
    this.onFocus = onFocus;
    this.focused = {};
    this.kept = new Map();
    this.element = element("div", "lines");
    this.canvas = element("canvas");
    this.queries = new TokenList("queries", worded("queries"), (query, ...how) =>
      this.focus({ query }, ...how),
    );
    this.keys = new TokenList("keys", worded("keys_list"), (key, ...how) => this.focus({ key }, ...how));
    const between = element("div", "between");
    between.append(this.canvas);
    this.element.append(this.queries.element, between, this.keys.element);
    this.element.addEventListener("scroll", () => this.drawLines());
    this.element.addEventListener("pointerleave", () => this.focus({}, false));
    new ResizeObserver(() => this.model && this.element.isConnected && this.drawLines()).observe(
      this.element,
    );
  }

  show(model) {
    const { attention, heads, found } = model;
    this.model = model;
    this.queries.show(attention.queries, found.queries);
    this.keys.show(attention.keys, found.keys);
    this.queries.select(this.focused.query ?? -1);
    this.keys.select(this.focused.key ?? -1);
    for (const head of this.kept.keys()) if (!heads.some((one) => one.head === head)) this.kept.delete(head);
    this.layers = heads.map((one) => this.layerOf(one, Math.floor(MOST / heads.length)));
    if (this.sought) this.reveal();
    this.draw();
  }

  /** Look at a token, as an address asks for, or at none; it is in the middle once it is drawn. */
  look(token) {
    this.focused = token;
    this.sought = Object.keys(token).length > 0;
  }

  reveal() {
    const [[axis, place]] = Object.entries(this.focused);
    const list = axis === "query" ? this.queries : this.keys;
    this.element.scrollTop = list.middle(place) - this.element.clientHeight / 2;
    this.sought = false;
  }

  /** The token that is looked at, if there is one. */
  token() {
    return this.focused;
  }

  /** The lines of a head: how strong each is, and the strongest of them, which lie on top; sorted anew if they changed. */
  layerOf({ head, colour }, most) {
    const [scale, codes] = [this.model.scaleOf(head), this.model.attention.codesOf(head)];
    const kept = this.kept.get(head);
    if (kept?.scale === scale && kept.codes === codes && kept.most === most) return { ...kept, colour };
    const tones = Float32Array.from(codes, (code) => scale.tone[code]);
    const layer = { head, tones, colour, scale, codes, most, strongest: strongest(tones, most).reverse() };
    this.kept.set(head, layer);
    return layer;
  }

  focus(focused, ...how) {
    if (this.onFocus(focused, ...how) === false) return false;
    this.focused = focused;
    if (focused.query === undefined) this.queries.select(-1);
    if (focused.key === undefined) this.keys.select(-1);
    this.draw();
    return true;
  }

  draw() {
    const { query, key } = this.focused;
    this.own = this.cellsOf(query, key);
    for (const [list, looked] of [
      [this.keys, query],
      [this.queries, key],
    ])
      list.shadeAll(looked === undefined ? [] : this.layers.map((layer) => this.ofOwn(layer)));
    this.drawLines();
  }

  ofOwn({ tones, ...layer }) {
    return { ...layer, tones: this.own.map((cell) => tones[cell]) };
  }

  /** All that a query gives, or all that a key gets. */
  cellsOf(query, key) {
    const { queries, keys } = this.model.attention;
    if (query !== undefined) return keys.map((_, i) => query * keys.length + i);
    return key === undefined ? [] : queries.map((_, i) => i * keys.length + key);
  }

  drawLines() {
    const height = Math.min(this.element.clientHeight, this.element.scrollHeight);
    const context = fitCanvas(this.canvas, this.canvas.parentElement.clientWidth, height);
    this.drawOn(context, readStyle(this.canvas), this.canvas.clientWidth, this.element.scrollTop);
  }

  /** What is seen, all of it, for a picture. */
  get panels() {
    const { element: seen, canvas } = this;
    const style = readStyle(canvas);
    const corner = seen.getBoundingClientRect();
    const draw = (context) => {
      context.save();
      context.translate(canvas.getBoundingClientRect().left - corner.left, 0);
      this.drawOn(context, style, canvas.clientWidth, 0);
      context.restore();
      const scrolled = { x: corner.x, y: corner.y - seen.scrollTop };
      for (const list of [this.queries, this.keys]) list.drawOn(context, style, scrolled);
    };
    const said = { ...captionOf(this.model), note: worded("lines_sides") };
    return [{ ...said, width: corner.width, height: seen.scrollHeight, draw }];
  }

  /** All lines, on a canvas so wide whose top is so far down the lists. */
  drawOn(context, style, width, top) {
    const draw = (layer, cell, strength) =>
      this.drawLine(context, layer, cell, { style, width, top, strength });
    for (const [layer, cell] of this.fromFaint((one) => one.strongest))
      draw(layer, cell, this.own.length ? FAINT : 1);
    for (const [layer, cell] of this.fromFaint(() => this.own)) draw(layer, cell, 1);
  }

  /** The cells of all layers, the strongest last, which lies on top. */
  fromFaint(cellsOf) {
    const all = this.layers.flatMap((layer) => Array.from(cellsOf(layer), (cell) => [layer, cell]));
    const tone = ([layer, cell]) => Math.abs(layer.tones[cell]);
    return this.layers.length > 1 ? all.sort((a, b) => tone(a) - tone(b)) : all;
  }

  drawLine(context, layer, cell, { style, width, top, strength }) {
    const { length } = this.model.attention.keys;
    const tone = Math.abs(layer.tones[cell]);
    if (tone === 0) return;
    const aside = BESIDE * (this.layers.indexOf(layer) - (this.layers.length - 1) / 2);
    const from = this.queries.middle(Math.floor(cell / length)) - top + aside;
    const to = this.keys.middle(cell % length) - top + aside;
    const share = strength * (0.04 + 0.96 * tone);
    context.globalAlpha = this.layers.length > 1 ? 1 : share;
    context.lineWidth = 0.5 + 3 * tone;
    context.strokeStyle = this.colourOf(layer, layer.tones[cell], { style, share });
    context.beginPath();
    context.moveTo(0, from);
    context.bezierCurveTo(width * 0.4, from, width * 0.6, to, width, to);
    context.stroke();
  }

  /**
   * Several heads are told apart by colour, which is blended with the ground alone: through one another they would
   * have colours of no head. Of one head with signs the colour tells which.
   */
  colourOf({ colour, scale }, tone, { style, share }) {
    if (this.layers.length > 1) return css(blended(colour, style.surface, share));
    return scale.signed ? css(scale.colour(Math.sign(tone))) : style.accent;
  }
}

/** So much of a packed colour over a ground that the style sheet names. */
function blended(colour, ground, share) {
  const under = ground.match(/[\d.]+/g).map(Number);
  const mixed = [0, 8, 16].map((shift, i) => share * ((colour >> shift) & 255) + (1 - share) * under[i]);
  return packed(...mixed.map(Math.round));
}
