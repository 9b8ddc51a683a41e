/** Where a map lies on its canvas, and the tokens along it. */

import { short, shown } from "./words.js";

const LINE = 15; // pixels between two labels that can be read
const ACROSS = 18; // between two that are slanted: those lie closer to one another than they begin
const UPRIGHT = 13; // between two of a single character each, as Chinese is set
const WIDEST = 160; // of a label, unless there is room that cells do not use
const SHARE = 0.3; // of the width that labels may take beside a map
const BETWEEN = 8; // from the end of one to the next, where they run side by side
const LARGEST_CELL = 72;
const SLANT = -Math.PI / 3;
const ruler = new OffscreenCanvas(1, 1).getContext("2d"); // measures text

/** Sizes in CSS pixels of the map and of the margins for its labels, in a space so wide and high. */
export function layOut(font, sheet, view, width, height) {
  ruler.font = font;
  const unused = (width - LARGEST_CELL * view.columns) / 2; // beside cells as large as they grow
  const label = Math.max(Math.min(WIDEST, SHARE * width), Math.min(unused, height / 2));
  const widths = (tokens) => tokens.map((token) => Math.min(label, ruler.measureText(shown(token)).width));
  const down = widths(visible(sheet.queries, view.row, view.rows));
  const across = widths(visible(sheet.keys, view.column, view.columns));
  const { above, ahead, names } = sheet.heard?.room(width) ?? { above: 0, ahead: 0, names: 0 }; // between labels and map
  const left = Math.max(Math.ceil(Math.max(...down)) + 10 + ahead, names);
  const widest = Math.max(...across);
  const gaps = { down: leastBetween(sheet.queries, LINE), across: leastBetween(sheet.keys, ACROSS) };
  const { beside, below } = sheet.strips ?? { beside: 0, below: 0 };
  const fit = (flat) => {
    const top = (flat ? LINE + 8 : Math.ceil(widest * Math.sin(-SLANT)) + 18) + above;
    const beyond = flat ? 0 : Math.ceil(Math.max(...lastOf(across, width - left)) * Math.cos(SLANT));
    const right = Math.max(beyond, beside) + 4;
    const cell = fitCells((width - left - right) / view.columns, (height - top - below) / view.rows, view);
    return {
      left,
      top,
      right,
      below,
      above,
      ahead,
      flat,
      label,
      gaps,
      cell,
      width: cell.width * view.columns,
      height: cell.height * view.rows,
    };
  };
  const box = fit(true);
  const apart = gaps.across === UPRIGHT ? 0 : BETWEEN;
  return widest + apart <= spacing(box.cell.width, gaps.across) ? box : fit(false);
}

/** Pixels between two labels of an axis: single characters may stand side by side. */
function leastBetween(tokens, usual) {
  return tokens.every((token) => Array.from(shown(token)).length === 1) ? UPRIGHT : usual;
}

/** The columns among which the last labelled one is; its label reaches beyond the map. */
function lastOf(columns, room) {
  return columns.slice(-Math.ceil((ACROSS * columns.length) / room));
}

/** Cells are square, unless there are so many more of them one way than the other that they would be slivers. */
function fitCells(width, height, { rows, columns }) {
  const [across, down] = [Math.min(width, LARGEST_CELL), Math.min(height, LARGEST_CELL)];
  if (Math.max(rows, columns) > 4 * Math.min(rows, columns)) return { width: across, height: down };
  return { width: Math.min(across, down), height: Math.min(across, down) };
}

function visible(tokens, first, count) {
  return tokens.slice(Math.floor(first), Math.ceil(first + count));
}

/** The labels, so many as can be read; those that a search found stand out. */
export function drawLabels(context, sheet, view, box, style) {
  context.font = style.font;
  context.textBaseline = "middle";
  for (const row of readable(view.row, view.rows, box.cell.height, box.gaps.down)) {
    const y = box.top + (row + 0.5 - view.row) * box.cell.height;
    context.fillStyle = sheet.found.queries.has(row) ? style.found : style.muted;
    context.textAlign = "right";
    context.fillText(fitted(sheet.queries[row], box.label), box.left - box.ahead - 6, y, box.label);
  }
  for (const column of readable(view.column, view.columns, box.cell.width, box.gaps.across)) {
    const x = box.left + (column + 0.5 - view.column) * box.cell.width;
    context.fillStyle = sheet.found.keys.has(column) ? style.found : style.muted;
    drawAcross(context, fitted(sheet.keys[column], box.label), x, box);
  }
}

/** A token as it is, or cut where there is no room for it. */
export function fitted(token, room, font = ruler.font) {
  ruler.font = font;
  const characters = Array.from(shown(token));
  const width = ruler.measureText(characters.join("")).width;
  if (width <= room) return characters.join("");
  const cut = (most) => `${characters.slice(0, most).join("")}…`;
  let most = Math.max(1, Math.floor((characters.length * room) / width));
  while (most > 1 && ruler.measureText(cut(most)).width > room) most--;
  return cut(most);
}

/** Pixels between two labels along an axis with cells of a size: so many are left out that `least` lie between. */
function spacing(size, least) {
  return size * Math.ceil(least / size);
}

/** The rows or columns on screen that are labelled. */
function readable(first, count, size, least) {
  const step = Math.round(spacing(size, least) / size);
  const start = Math.ceil((first - 0.5) / step) * step;
  const length = Math.max(0, Math.ceil((first + count - 0.5 - start) / step));
  return Array.from({ length }, (_, i) => start + i * step);
}

function drawAcross(context, label, x, box) {
  context.save();
  context.translate(x, box.top - box.above - 6);
  if (box.flat) {
    context.textAlign = "center";
    context.fillText(label, 0, -4);
  } else {
    context.rotate(SLANT);
    context.textAlign = "left";
    context.fillText(label, 2, 0, box.label);
  }
  context.restore();
}

/** The token of the column that the pointer is on, on a coloured ground; it runs as the labels do, and covers its own. */
export function drawChipAcross(context, token, x, box, style) {
  if (box.flat) return drawChip(context, token, x, box.top - box.above - 12, "center", style);
  const label = fitted(token, box.label, context.font);
  const { width } = context.measureText(label);
  context.save();
  context.translate(x, box.top - box.above - 6);
  context.rotate(SLANT);
  context.fillStyle = style.accent;
  context.beginPath();
  context.roundRect(-3, -8, width + 10, 16, 5);
  context.fill();
  context.fillStyle = style.surface;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(label, 2, 0, box.label);
  context.restore();
}

/** A label on a coloured ground: the token that the pointer is on, whether or not its axis names it. */
export function drawChip(context, token, x, y, align, style) {
  const label = short(token, 24);
  const half = context.measureText(label).width / 2 + 6;
  const width = context.canvas.clientWidth;
  const centre = Math.min(width - half - 1, Math.max(half + 1, align === "right" ? x - half : x));
  context.fillStyle = style.accent;
  context.beginPath();
  context.roundRect(centre - half, y - 10, 2 * half, 20, 5);
  context.fill();
  context.fillStyle = style.surface;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(label, centre, y + 0.5);
}
