/** All heads at a glance: a row for each layer, a thumbnail for each head. */

import { paint, sample } from "./raster.js";
import { worded } from "./wording.js";
import { element } from "./words.js";

const LARGEST = 128; // pixels along a thumbnail
const MOST_FIGURES = 4; // that stand beside one another and can be read

export class Grid {
  /** `onOpen(head)` hears which head to open, `onCompare(head)` which to set beside it. */
  constructor(host, attention, { onOpen, onCompare }) {
    this.host = host;
    this.attention = attention;
    this.cells = Array.from({ length: attention.count }, (_, head) => this.cell(head));
    this.current = 0;
    this.arrange(null);
    this.part();
    const choose = (event, beside) => {
      const head = this.cells.indexOf(event.target.closest("[role=gridcell]"));
      if (head >= 0) (beside ? onCompare : onOpen)(head);
    };
    host.addEventListener("click", (event) => choose(event, event.shiftKey));
    host.addEventListener("keydown", (event) => this.keyDown(event, choose));
    new ResizeObserver(() => this.scaleOf && this.fit() && this.draw(this.scaleOf)).observe(host);
  }

  /** Let heads stand in an order, with a figure under each, as sorting.js says; null: a row for each layer. */
  arrange(order) {
    this.shown = order?.heads ?? [...this.cells.keys()];
    const { layers, heads } = this.attention;
    this.columns = order ? Math.min(heads.length, MOST_FIGURES) : heads.length;
    this.host.style.setProperty("--heads", this.columns);
    this.host.toggleAttribute("data-sorted", order !== null);
    const count = Math.ceil(this.shown.length / this.columns);
    const rows = order
      ? Array.from({ length: count }, (_, row) => this.row("", `#${row * this.columns + 1}`, row))
      : layers.map((layer, row) => this.row(worded("layer"), layer, row));
    this.host.replaceChildren(...(order ? [] : [this.header()]), ...rows);
    this.cells.forEach((cell, head) => {
      const name = this.attention.name(head);
      const said = order && `${this.attention.tag(head)} ${order.said(head)}`;
      cell.querySelector(".figure")?.remove();
      if (order) cell.append(element("span", "figure", said));
      cell.title = order ? `${said} · ${name} · ${order.what}` : name;
      cell.setAttribute("aria-label", cell.title);
    });
    this.makeCurrent(this.current);
  }

  /** The head that stands so many places further, from the last on to the first. */
  step(head, by) {
    const { length } = this.shown;
    return length ? this.shown[(Math.max(0, this.shown.indexOf(head)) + by + length) % length] : head;
  }

  /**
   * Give thumbnails as many pixels as the screen has for them: of others a browser would leave some out.
   * True if that changed them, so that they are to be drawn again.
   */
  fit() {
    const room = Math.round(this.cells[this.shown[0] ?? 0].clientWidth * devicePixelRatio) || LARGEST;
    const { keys, queries } = this.attention;
    const [width, height] = [keys, queries].map((tokens) => Math.min(LARGEST, room, tokens.length));
    if (width === this.shape?.[0] && height === this.shape[1]) return false;
    this.shape = [width, height];
    const { rows, columns } = this.attention.overviewOf(this.shown[0] ?? 0);
    const whole = width === keys.length && height === queries.length;
    this.host.toggleAttribute("data-pooled", !whole || rows !== height || columns !== width);
    this.samples = [];
    return true;
  }

  header() {
    const row = element("div", "row");
    row.setAttribute("role", "row");
    const heads = this.attention.heads.map((head) => named("columnheader", head, worded("head", { head })));
    const corner = named("columnheader", "", worded("layer"));
    corner.append(element("span", "unseen", worded("layer")));
    row.append(corner, ...heads);
    return row;
  }

  row(what, number, index) {
    const row = element("div", "row");
    row.setAttribute("role", "row");
    row.append(named("rowheader", number, `${what} ${number}`.trim()));
    const heads = this.shown.slice(index * this.columns, (index + 1) * this.columns);
    row.append(...heads.map((head) => this.cells[head]));
    return row;
  }

  cell(head) {
    const cell = named("gridcell", "", this.attention.name(head));
    cell.tabIndex = head === 0 ? 0 : -1;
    cell.append(element("canvas"));
    return cell;
  }

  /** Draw every head in its scale; row by row, so that the page can be used meanwhile. */
  async draw(scaleOf) {
    const drawing = (this.drawing = Symbol("drawing"));
    this.scaleOf = scaleOf;
    this.fit();
    for (let head = 0; head < this.cells.length; head++) {
      if (head > 0 && head % this.columns === 0 && !matchMedia("print").matches)
        await new Promise((resume) => setTimeout(resume));
      if (this.drawing !== drawing) return; // overtaken by a newer call
      this.samples[head] ??= this.sampled(head);
      const canvas = this.cells[head].firstChild;
      [canvas.width, canvas.height] = this.shape;
      canvas.getContext("2d").putImageData(paint(this.samples[head], scaleOf(head).lut, ...this.shape), 0, 0);
    }
    this.host.dataset.drawn = "";
  }

  /** Part what a model was given from what it wrote; the style sheet draws the lines. */
  part() {
    const { began, queries, keys } = this.attention;
    const parts = [began[0] / queries.length, began[1] / keys.length];
    this.host.toggleAttribute("data-parted", parts.some(Boolean));
    ["row", "column"].forEach((axis, i) =>
      this.host.style.setProperty(`--began-${axis}`, `${100 * parts[i]}%`),
    );
  }

  sampled(head) {
    const { codes, rows, columns } = this.attention.overviewOf(head);
    return sample(codes, columns, { row: 0, column: 0, rows, columns }, ...this.shape);
  }

  /** Show which head is open, and which are beside it. */
  mark(open, ...beside) {
    this.cells.forEach((cell, head) => {
      cell.setAttribute("aria-selected", head === open || beside.includes(head));
      cell.classList.toggle("open", head === open);
      cell.classList.toggle("beside", beside.includes(head));
    });
    this.makeCurrent(open);
  }

  /** The head that Tab reaches: the open one, or the first where that is filtered out. */
  makeCurrent(head) {
    this.cells[this.current].tabIndex = -1;
    this.current = this.shown.includes(head) ? head : (this.shown[0] ?? head);
    this.cells[this.current].tabIndex = 0;
  }

  keyDown(event, choose) {
    const strides = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      choose(event, event.shiftKey);
    } else if (event.key in strides) {
      event.preventDefault();
      const next = this.shown[this.shown.indexOf(this.current) + strides[event.key]];
      if (next === undefined) return;
      this.makeCurrent(next);
      this.cells[next].focus();
    }
  }
}

function named(role, text, label) {
  const made = element("div", role, String(text));
  made.setAttribute("role", role);
  made.setAttribute("aria-label", label);
  return made;
}
