/**
 * What is drawn inside the frame of a map.
 *
 * A sheet is what a map shows: `codes` and their `scale`, the tokens `queries` and `keys`, which of them a search
 * `found`, `brief(query, key)` for the number in a cell, the row and column where a model `began` to write, and a `label` for those who cannot see it. Its `box` says
 * where it lies on the canvas (axes.js), its `view` which part of it is there (viewport.js).
 */

import { drawChip, drawChipAcross } from "./axes.js";
import { css, isLight } from "./colours.js";
import { paint, sample } from "./raster.js";

const MOST_RECTANGLES = 64; // rows and columns that a file has as rectangles
const ROOM_FOR_NUMBERS = 34; // pixels that a cell needs to hold its weight

/** What a map shows of one head. */
export function sheetOf(attention, head, scale, found) {
  const { queries, keys, began } = attention;
  const brief = (query, key) => attention.weight(head, query, key)?.toFixed(2);
  const [codes, label] = [attention.codesOf(head), attention.name(head)];
  return { codes, scale, queries, keys, began, found, brief, label };
}

/** The weights as colours, and as numbers where they fit. */
export function drawCells(context, sheet, view, box, style) {
  const { left, top, width, height } = box;
  drawHatching(context, box, style);
  const few = view.rows * view.columns <= MOST_RECTANGLES ** 2;
  if (context.isSvg && few) drawRectangles(context, sheet, view, box);
  else drawPixels(context, sheet, view, box);
  context.strokeStyle = style.muted;
  context.globalAlpha = 0.35;
  context.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
  context.globalAlpha = 1;
  if (Math.min(box.cell.width, box.cell.height) >= ROOM_FOR_NUMBERS)
    drawNumbers(context, sheet, view, box, style);
}

/** The cells as an image; where there are more pixels than cells a file needs no more than one for each. */
function drawPixels(context, sheet, view, { left, top, width, height }) {
  const sizes = [width, height].map((length) => Math.max(1, Math.round(length * devicePixelRatio)));
  const cells = [view.columns, view.rows];
  const [across, down] = sizes.map((pixels, i) => {
    return context.isSvg && Number.isInteger(cells[i]) ? Math.min(pixels, cells[i]) : pixels;
  });
  const codes = sample(sheet.codes, sheet.keys.length, view, across, down);
  const image = new OffscreenCanvas(across, down);
  image.getContext("2d").putImageData(paint(codes, sheet.scale.lut, across, down), 0, 0);
  context.drawImage(image, left, top, width, height);
}

function drawRectangles(context, sheet, view, box) {
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
  for (let row = Math.floor(view.row); row < view.row + view.rows; row++) {
    for (let column = Math.floor(view.column); column < view.column + view.columns; column++) {
      const code = sheet.codes[row * sheet.keys.length + column];
      const { x, y, width, height } = rectangle(row, column, view, box);
      context.fillStyle = css(sheet.scale.lut[code]);
      if (code) context.fillRect(x, y, width, height);
    }
  }
  context.restore();
}

/** Masked cells are transparent, and this is what one sees through them. */
function drawHatching(context, { left, top, width, height }, style) {
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.strokeStyle = style.muted;
  context.globalAlpha = 0.22;
  context.beginPath();
  for (let x = left - height; x < left + width; x += 6) {
    context.moveTo(x, top + height);
    context.lineTo(x + height, top);
  }
  context.stroke();
  context.restore();
}

function drawNumbers(context, sheet, view, box, style) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = style.font.replace("12px", "11px");
  for (let row = Math.ceil(view.row); row <= view.row + view.rows - 1; row++) {
    for (let column = Math.ceil(view.column); column <= view.column + view.columns - 1; column++) {
      drawNumber(context, sheet, row, column, rectangle(row, column, view, box));
    }
  }
}

function drawNumber(context, { codes, scale, keys, brief }, query, key, { x, y, width, height }) {
  const code = codes[query * keys.length + key];
  if (code === 0) return;
  const written = brief(query, key);
  context.fillStyle = isLight(scale.lut[code]) ? "#101018" : "#ffffff";
  context.globalAlpha = Number(written) === 0 ? 0.4 : 0.9;
  const signed = written.replace(/^-/, Number(written) === 0 ? "" : "−");
  context.fillText(signed, x + width / 2, y + height / 2 + 0.5);
  context.globalAlpha = 1;
}

/** Lines between what a model was given and what it wrote itself. */
export function drawParting(context, { began = [] }, view, { left, top, width, height, cell }, style) {
  const [row, column] = began;
  context.fillStyle = style.found;
  if (row > view.row && row < view.row + view.rows)
    context.fillRect(left, top + (row - view.row) * cell.height - 1, width, 2);
  if (column > view.column && column < view.column + view.columns)
    context.fillRect(left + (column - view.column) * cell.width - 1, top, 2, height);
}

/** Bands over the rows and columns of the tokens that a search found. */
export function drawFound(context, { found }, view, box, style) {
  const { left, top, width, height, cell } = box;
  context.save();
  context.beginPath();
  context.rect(left - 5, top - 5, width + 5, height + 5);
  context.clip();
  context.fillStyle = style.found;
  for (const row of found.queries) {
    const { y } = rectangle(row, 0, view, box);
    drawBand(context, [left, y, width, cell.height], [left - 5, y, 4, Math.max(1, cell.height)]);
  }
  for (const column of found.keys) {
    const { x } = rectangle(0, column, view, box);
    drawBand(context, [x, top, cell.width, height], [x, top - 5, Math.max(1, cell.width), 4]);
  }
  context.restore();
}

function drawBand(context, band, tick) {
  context.globalAlpha = 0.18;
  context.fillRect(...band);
  context.globalAlpha = 1;
  context.fillRect(...tick);
}

/** The cell that is pointed at, its row and column, and the tokens at their ends. */
export function drawPointer(context, sheet, { query, key }, view, box, style) {
  const { left, top, width, height, above, ahead } = box;
  const cell = rectangle(query, key, view, box);
  const [x, y] = [cell.x + cell.width / 2, cell.y + cell.height / 2];
  if (x < left || x > left + width || y < top || y > top + height) return; // zoomed out of sight
  context.strokeStyle = style.accent;
  context.globalAlpha = 0.55;
  context.strokeRect(left - ahead, cell.y, width + ahead, cell.height);
  context.strokeRect(cell.x, top - above, cell.width, height + above);
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.strokeStyle = style.surface;
  context.strokeRect(cell.x - 1.5, cell.y - 1.5, cell.width + 3, cell.height + 3);
  context.strokeStyle = style.accent;
  context.strokeRect(cell.x, cell.y, cell.width, cell.height);
  context.lineWidth = 1;
  drawChip(context, sheet.queries[query], left - ahead - 4, y, "right", style);
  drawChipAcross(context, sheet.keys[key], x, box, style);
}

/** Where a cell lies on the canvas. */
function rectangle(row, column, view, { left, top, cell }) {
  return { x: left + (column - view.column) * cell.width, y: top + (row - view.row) * cell.height, ...cell };
}
