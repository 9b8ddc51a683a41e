/** The view as a picture: its panels side by side, under each what its colours mean, under all what the page says of them. */

import { css } from "./colours.js";
import { SvgContext } from "./svg.js";

const EDGE = 16; // pixels around it
const TOP = 24; // of a caption
const LONGEST = 16000; // pixels along a side of a PNG, which every browser makes
const LEADING = 18; // from one line of words to the next
const RAMP = { width: 120, steps: 60 }; // of a scale of colours
const SAID = "h1, #training:not([hidden]) h2, .provenance"; // what stands under it

/**
 * Save a view as PNG. A panel says its `caption`, `width` and `height`, how to `draw` it, the `canvases` that show it if
 * there are any, and what stands under it: the `scale` of its colours, the `heads` that have a colour each, and a `note`.
 */
export async function savePicture(panels, style, name) {
  const { width, height, compose } = plan(panels, style);
  const sharpness = Math.min(devicePixelRatio, LONGEST / Math.max(width, height));
  const size = [width, height].map((length) => Math.ceil(length * sharpness));
  const picture = new OffscreenCanvas(...size);
  const context = picture.getContext("2d");
  context.scale(sharpness, sharpness);
  compose(context, (panel, left) => {
    if (!panel.canvases) drawWithin(context, panel, left);
    for (const canvas of panel.canvases ?? [])
      context.drawImage(canvas, left, TOP, panel.width, panel.height);
  });
  download(await picture.convertToBlob({ type: "image/png" }), `${name}.png`);
}

/** A panel that is made of elements. */
function drawWithin(context, panel, left) {
  context.save();
  context.beginPath();
  context.rect(left, TOP, panel.width, panel.height);
  context.clip();
  context.translate(left, TOP);
  panel.draw(context);
  context.restore();
}

/** Save what a view draws as SVG, in the same order. */
export function saveDrawing(panels, style, name) {
  const { width, height, compose } = plan(panels, style);
  const context = new SvgContext(width, height);
  compose(context, (panel, left) => {
    context.save();
    context.beginPath();
    context.rect(left, TOP, panel.width, panel.height);
    context.clip(); // where it begins at 0, 0
    context.at.setAttribute("viewBox", `0 0 ${panel.width} ${panel.height}`);
    context.canvas = { clientWidth: panel.width };
    panel.draw(context);
    context.restore();
  });
  download(new Blob([context.text()], { type: "image/svg+xml" }), `${name}.svg`);
}

/** How large the picture is, and what draws it: `drawPanel(panel, left)` draws a panel itself. */
function plan(panels, style) {
  const feet = panels.map((panel) => footOf(panel, style));
  const width = Math.ceil(panels.reduce((sum, panel) => sum + panel.width + EDGE, EDGE));
  const said = [...document.querySelectorAll(SAID)].map((one) => one.textContent);
  const lines = said.flatMap((text) => wrapped(text, width - 2 * EDGE, style.font));
  const bottoms = panels.map((panel, i) => TOP + panel.height + LEADING * feet[i].length);
  const foot = Math.max(...bottoms) + EDGE;
  const height = Math.ceil(foot + LEADING * lines.length);
  const compose = (context, drawPanel) => {
    context.fillStyle = style.surface;
    context.fillRect(0, 0, width, height);
    let left = EDGE;
    panels.forEach((panel, i) => {
      written(context, style, panel.caption, [left, 16], panel.width);
      drawPanel(panel, left);
      feet[i].forEach((draw, row) => draw(context, left, TOP + panel.height + LEADING * (row + 1)));
      left += panel.width + EDGE;
    });
    lines.forEach((line, i) =>
      written(context, style, line, [EDGE, foot + LEADING * i + 6], width - 2 * EDGE),
    );
  };
  return { width, height, compose };
}

/** The lines under a panel, each as what draws it where its baseline begins. */
function footOf({ width, scale, heads = [], note = "" }, style) {
  const said = (text) => (context, left, y) => written(context, style, text, [left, y], width);
  const named = ({ name, colour }) => {
    return (context, left, y) => {
      context.fillStyle = css(colour);
      context.fillRect(left, y - 8, 18, 8);
      written(context, style, name, [left + 24, y], width - 24);
    };
  };
  const ramp = (context, left, y) => drawRamp(context, style, scale, [left, y]);
  const words = [scale?.beyond ?? "", note].flatMap((text) => wrapped(text, width, style.font));
  return [...(scale ? [ramp] : []), ...heads.map(named), ...words.map(said)];
}

/** The colours of a scale between its ends; each is drawn on to the end, so that no gaps are seen. */
function drawRamp(context, style, scale, [left, y]) {
  const [low, high] = scale.ends;
  written(context, style, low, [left, y], RAMP.width);
  const from = left + context.measureText(low).width + 6;
  context.save();
  context.lineWidth = 9;
  for (let step = 0; step < RAMP.steps; step++) {
    context.strokeStyle = css(scale.ramp[Math.round((255 * step) / (RAMP.steps - 1))]);
    context.beginPath();
    context.moveTo(from + (RAMP.width * step) / RAMP.steps, y - 4);
    context.lineTo(from + RAMP.width, y - 4);
    context.stroke();
  }
  context.restore();
  written(context, style, high, [from + RAMP.width + 6, y], RAMP.width);
}

/** A text in lines so wide; it breaks after spaces and ideographs. */
function wrapped(text, width, font) {
  const ruler = new OffscreenCanvas(1, 1).getContext("2d");
  ruler.font = font;
  const lines = [""];
  for (const piece of text.match(/[^\s\u3000-\u9fff\uff00-\uffef]*[\s\u3000-\u9fff\uff00-\uffef]?/gu)) {
    if (ruler.measureText(lines.at(-1) + piece.trimEnd()).width > width) lines.push("");
    lines[lines.length - 1] += piece;
  }
  return lines.map((line) => line.trim()).filter(Boolean);
}

function written(context, style, line, [x, y], room) {
  context.font = style.font;
  context.fillStyle = style.ink;
  context.textAlign = "start";
  context.textBaseline = "alphabetic";
  context.fillText(line, x, y, room);
}

/** The name of a file, of the view and the heads that it shows: `attention-L0H1-lines`. */
export function fileName(attention, heads, view) {
  const tags = heads.map((head) => attention.tag(head).replace(/[^\p{L}\p{N}]+/gu, ""));
  return ["attention", ...tags, view].join("-");
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
