/** An image that a model has seen, and over it what one query attends to, as attn_cli/render/page/senses.py packed it. */

import { readStyle, fitCanvas } from "./canvas.js";
import { css } from "./colours.js";
import { bytesOfText } from "./inflating.js";
import { worded } from "./wording.js";
import { element, shown, writeNumber } from "./words.js";

// As in a figure: how much contrast is left to an image, how much colours cover at most, where on the ramp they begin.
const OVER = { faint: 0.5, strong: 0.85, palest: 0.35 };
const LONGEST_SIDE = 360; // pixels of the longer side

export class Sight {
  /** `onPoint(key, query, pressed)` hears of a patch that is pointed at while a query is looked at. */
  constructor(host, { image, queries, keys, sums }, onPoint) {
    host.hidden = !image;
    if (host.hidden) return;
    document.getElementById("main").toggleAttribute("data-sight", true);
    const [rows, columns] = image.patches;
    Object.assign(this, { queries, keys, sums, rows, columns, first: keys.length - rows * columns });
    this.middle = image.query;
    this.aspect = image.size[1] / image.size[0];
    this.name = element("h3");
    this.canvas = element("canvas");
    this.canvas.setAttribute("role", "img");
    this.share = element("p", "hint");
    host.append(this.name, this.canvas, this.share);
    this.patchOf = new Map(keys.slice(this.first).map((name, place) => [name, place]));
    for (const kind of ["pointermove", "pointerdown"])
      this.canvas.addEventListener(kind, (event) =>
        onPoint(this.keyAt(event), this.query, kind !== "pointermove"),
      );
    new ResizeObserver(() => this.draw()).observe(host);
    if (image.data)
      createImageBitmap(new Blob([bytesOfText(image.data)])).then((picture) => {
        this.picture = picture;
        this.draw();
      });
  }

  /** The colours of the head that is open. */
  show({ head }, attention, scale) {
    if (this.canvas) Object.assign(this, { head, attention, scale });
  }

  /** Look at a query and a key; where there is no query at the one that stands for all, or in the middle. */
  look({ query = this.middle, key }) {
    if (!this.canvas) return;
    Object.assign(this, { query, key });
    const token = shown(this.queries[query]);
    this.name.textContent = worded("sight_name", { token });
    this.canvas.setAttribute("aria-label", this.name.textContent);
    const line = Array.from(this.attention.line(this.head, { query }), (weight) => weight || 0);
    const share = line.slice(this.first).reduce((sum, weight) => sum + weight, 0);
    this.share.textContent =
      this.sums && this.first > 0 ? worded("sight_share", { share: writeNumber(share, 2) }) : "";
    this.draw();
  }

  draw() {
    const room = this.canvas.parentElement.clientWidth - 32;
    if (!this.attention || room <= 0) return;
    const width = Math.round(Math.min(room, LONGEST_SIDE, LONGEST_SIDE / this.aspect));
    this.size = { width, height: Math.round(width * this.aspect) };
    const context = fitCanvas(this.canvas, this.size.width, this.size.height);
    const style = readStyle(this.canvas);
    if (this.picture) drawFaint(context, this.picture, this.size, style);
    const codes = this.attention.codesOf(this.head);
    for (let place = 0; place < this.rows * this.columns; place++)
      this.cover(context, place, codes[this.query * this.keys.length + this.first + place]);
    this.frame(context, this.patchOf.get(this.queries[this.query]), [style.surface, style.found]);
    if (this.key >= this.first) this.frame(context, this.key - this.first, [style.surface, style.accent]);
  }

  /** The colour of a weight over its patch, the stronger the higher on the scale. */
  cover(context, place, code) {
    if (!code) return;
    const { tone } = this.scale;
    const part = Math.abs(tone[code]);
    const colour = this.scale.colour(Math.sign(tone[code]) * (OVER.palest + (1 - OVER.palest) * part));
    context.fillStyle = css(colour, OVER.strong * Math.sqrt(part));
    context.fillRect(...this.boxOf(place));
  }

  /** A line within a wider one around a patch, which shows on any image; nothing around none. */
  frame(context, place, colours) {
    if (place === undefined) return;
    colours.forEach((colour, i) => {
      context.strokeStyle = colour;
      context.lineWidth = i ? 2 : 4;
      context.strokeRect(...this.boxOf(place));
    });
  }

  /** Where a patch lies, in whole pixels, so that no gaps are seen. */
  boxOf(place) {
    const { rows, columns, size } = this;
    const [row, column] = [Math.floor(place / columns), place % columns];
    const [left, right] = [column, column + 1].map((edge) => Math.round((edge * size.width) / columns));
    const [top, bottom] = [row, row + 1].map((edge) => Math.round((edge * size.height) / rows));
    return [left, top, right - left, bottom - top];
  }

  keyAt({ offsetX, offsetY }) {
    const within = (at, length, n) => Math.min(n - 1, Math.max(0, Math.floor((at / length) * n)));
    const row = within(offsetY, this.size.height, this.rows);
    return this.first + row * this.columns + within(offsetX, this.size.width, this.columns);
  }
}

/** The image in grey, and half of its contrast gone to the ground. */
function drawFaint(context, picture, { width, height }, style) {
  context.drawImage(picture, 0, 0, width, height);
  context.globalCompositeOperation = "saturation";
  context.fillStyle = "#808080";
  context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = "source-over";
  context.globalAlpha = OVER.faint;
  context.fillStyle = style.surface;
  context.fillRect(0, 0, width, height);
  context.globalAlpha = 1;
}
