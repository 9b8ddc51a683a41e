/** One head as lines: queries on the left, keys on the right, each pair joined as strongly as it attends. */

import { fitCanvas, readStyle } from "./canvas.js";
import { css } from "./colours.js";
import { strongest } from "./record.js";
import { TokenList } from "./tokenlist.js";
import { worded } from "./wording.js";
import { element } from "./words.js";

const MOST = 3000; // lines drawn at once; the strongest are
const FAINT = 0.06; // of the others, while one token's lines are looked at

export class LinesView {
  /** `onFocus({query} or {key} or {}, spoken)` hears whose lines are looked at. */
  constructor({ onFocus }) {
    this.onFocus = onFocus;
    this.focused = {};
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
    new ResizeObserver(() => this.model && this.drawLines()).observe(this.element);
  }

  show(model) {
    const { attention, head, scale, found } = model;
    this.model = model;
    this.queries.show(attention.queries, found.queries);
    this.keys.show(attention.keys, found.keys);
    this.tones = Float32Array.from(attention.codesOf(head), (code) => scale.tone[code]);
    this.strongest = strongest(this.tones, MOST).reverse(); // the strongest lie on top
    this.draw();
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
    const tones = this.own.map((cell) => this.tones[cell]);
    this.keys.shade(query === undefined ? null : tones, this.model.scale);
    this.queries.shade(key === undefined ? null : tones, this.model.scale);
    this.drawLines();
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
    const style = readStyle(this.canvas);
    for (const cell of this.strongest) this.drawLine(context, cell, style, this.own.length ? FAINT : 1);
    for (const cell of this.own) this.drawLine(context, cell, style, 1);
  }

  drawLine(context, cell, style, strength) {
    const { attention, scale } = this.model;
    const tone = Math.abs(this.tones[cell]);
    if (tone === 0) return;
    const from = this.queries.middle(Math.floor(cell / attention.keys.length)) - this.element.scrollTop;
    const to = this.keys.middle(cell % attention.keys.length) - this.element.scrollTop;
    const width = this.canvas.clientWidth;
    context.globalAlpha = strength * (0.04 + 0.96 * tone);
    context.lineWidth = 0.5 + 3 * tone;
    context.strokeStyle = scale.signed ? css(scale.colour(Math.sign(this.tones[cell]))) : style.accent;
    context.beginPath();
    context.moveTo(0, from);
    context.bezierCurveTo(width * 0.4, from, width * 0.6, to, width, to);
    context.stroke();
  }
}
