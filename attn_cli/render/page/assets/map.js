/** One head as a map: queries down, keys across. */

import { drawLabels, layOut } from "./axes.js";
import { fitCanvas, readStyle } from "./canvas.js";
import { drawCells, drawFound, drawParting, drawPointer } from "./sheet.js";
import { clamp } from "./viewport.js";
import { worded } from "./wording.js";
import { element } from "./words.js";

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export class MapView {
  /**
   * `onPoint(cell, spoken)` hears of every cell pointed at, `onHold(cell)` of one that is pressed, `onView()` of
   * every change of the viewport; `room()` is how high the map may be.
   */
  constructor(viewport, { onPoint, onView, onHold, room }) {
    Object.assign(this, { viewport, onPoint, onView, onHold: onHold ?? onPoint, room, cell: null });
    this.element = element("div", "map");
    this.base = element("canvas");
    this.over = element("canvas", "over"); // what follows the pointer, so that the map is not drawn anew
    this.over.tabIndex = 0;
    this.over.setAttribute("role", "application");
    this.over.setAttribute("aria-roledescription", worded("map"));
    this.axes = element("p", "axes");
    this.element.append(this.base, this.over, this.axes);
    this.over.addEventListener("pointermove", (event) => this.pointerMoved(event));
    this.over.addEventListener("pointerdown", (event) => this.pointerDown(event));
    this.over.addEventListener("keydown", (event) => this.keyDown(event));
    this.over.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.sheet && this.draw()).observe(this.element);
  }

  /** Show a sheet (sheet.js). */
  show(sheet) {
    this.sheet = sheet;
    this.axes.textContent = axesOf(sheet);
    this.over.setAttribute("aria-label", sheet.label);
    this.draw();
  }

  /** Mark a cell, or none. */
  point(cell) {
    this.cell = cell;
    if (this.box) this.drawOver();
  }

  draw() {
    const { sheet, viewport } = this;
    const width = this.element.clientWidth;
    if (width === 0) return; // not on the page yet
    this.style = readStyle(this.base);
    this.box = layOut(this.style.font, sheet, viewport, width, this.room());
    this.drawOn(fitCanvas(this.base, ...this.size));
    this.over.style.touchAction = viewport.isWhole ? "pan-y" : "none";
    this.drawOver();
  }

  drawOn(context) {
    const { sheet, viewport, box, style } = this;
    drawCells(context, sheet, viewport, box, style);
    sheet.strips?.draw(context, viewport, box, style);
    sheet.heard?.draw(context, viewport, box, style);
    drawParting(context, sheet, viewport, box, style);
    drawLabels(context, sheet, viewport, box, style);
  }

  drawOver() {
    this.mark(fitCanvas(this.over, ...this.size));
  }

  /** What a search found, and what is pointed at. */
  mark(context) {
    const { sheet, viewport, box, style, cell } = this;
    context.font = style.font;
    drawFound(context, sheet, viewport, box, style);
    if (cell) drawPointer(context, sheet, cell, viewport, box, style);
  }

  /** Width and height of all that is drawn. */
  get size() {
    const { left, top, right, below, width, height } = this.box;
    return [left + width + right, top + height + below + 2];
  }

  /** What is seen, for a picture of it. */
  get panels() {
    const [width, height] = this.size;
    const draw = (context) => {
      this.drawOn(context);
      this.mark(context);
    };
    const { label, scale } = this.sheet;
    const said = { caption: label, scale, note: this.axes.textContent };
    return [{ ...said, width, height, draw, canvases: [this.base, this.over] }];
  }

  /** The place under a pointer, in rows and columns with fractions. */
  placeAt({ offsetX, offsetY }) {
    const { left, top, cell } = this.box;
    return {
      row: this.viewport.row + (offsetY - top) / cell.height,
      column: this.viewport.column + (offsetX - left) / cell.width,
    };
  }

  pointerMoved(event) {
    const { viewport, grip } = this;
    const { row, column } = this.placeAt(event);
    if (grip && event.buttons === 1) {
      viewport.moveTo(viewport.row + grip.row - row, viewport.column + grip.column - column);
      this.onView();
    } else if (viewport.contains(row, column)) {
      this.onPoint({ query: Math.floor(row), key: Math.floor(column) }, false);
    }
  }

  /** A press points at a cell, where no pointer could hover; held, it drags a map that is zoomed in. */
  pointerDown(event) {
    this.grip = null;
    const { row, column } = this.placeAt(event);
    if (this.viewport.contains(row, column))
      this.onHold({ query: Math.floor(row), key: Math.floor(column) }, false);
    if (this.viewport.isWhole) return;
    this.grip = this.placeAt(event);
    this.over.setPointerCapture(event.pointerId);
  }

  keyDown(event) {
    const arrow = ARROWS[event.key];
    if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const stride = event.shiftKey ? 10 : 1;
    const from = this.cell ?? { query: -arrow[0], key: -arrow[1] };
    const cell = {
      query: clamp(from.query + arrow[0] * stride, 0, this.sheet.queries.length - 1),
      key: clamp(from.key + arrow[1] * stride, 0, this.sheet.keys.length - 1),
    };
    this.onPoint(cell, true);
  }

  /** Two fingers on a touchpad, or the wheel with Ctrl; the wheel alone scrolls the page. */
  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.viewport.zoom(Math.exp(-event.deltaY / 200), this.placeAt(event));
    this.onView();
  }
}

/** What runs down and across, what lines mean where there are any, and how far a difference reaches. */
function axesOf({ began = [], strips, heard, range }) {
  const parted = began.some(Boolean) ? [worded("axis_began")] : [];
  const beside = [heard?.said, strips?.said, range].filter(Boolean);
  return [worded("axis_queries"), worded("axis_keys"), ...parted, ...beside].join(" · ");
}
