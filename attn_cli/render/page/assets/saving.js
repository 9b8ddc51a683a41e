/** The view as a picture. */

import { readStyle } from "./canvas.js";
import { SvgContext } from "./svg.js";

const EDGE = 16; // pixels around it
const SAID = "h1, #training:not([hidden]) h2, .provenance"; // what stands under it

/** Save maps as PNG, under their captions and over what the page says of them. */
export async function savePicture(maps, name) {
  const panels = maps.map(({ sheet, base, over }) => ({ caption: sheet.label, canvases: [base, over] }));
  const lines = [...document.querySelectorAll(SAID)].map((one) => one.textContent);
  const style = readStyle(panels[0].canvases[0]);
  const scale = devicePixelRatio;
  const widths = panels.map(({ canvases }) => canvases[0].width);
  const [width, height] = [
    widths.reduce((sum, one) => sum + one + EDGE * scale, EDGE * scale),
    Math.max(...panels.map(({ canvases }) => canvases[0].height)) + (EDGE + 24 + 18 * lines.length) * scale,
  ];
  const picture = new OffscreenCanvas(width, height);
  const context = picture.getContext("2d");
  context.fillStyle = style.surface;
  context.fillRect(0, 0, width, height);
  context.fillStyle = style.ink;
  context.font = style.font.replace("12px", `${12 * scale}px`);
  let left = EDGE * scale;
  panels.forEach(({ caption, canvases }, i) => {
    context.fillText(caption, left, 16 * scale);
    for (const canvas of canvases) context.drawImage(canvas, left, 24 * scale);
    left += widths[i] + EDGE * scale;
  });
  lines.forEach((line, i) => {
    context.fillText(
      line,
      EDGE * scale,
      height - (18 * (lines.length - i) - 6) * scale,
      width - 2 * EDGE * scale,
    );
  });
  download(await picture.convertToBlob({ type: "image/png" }), `${name}.png`);
}

/** Save what a view draws as SVG, in the same order. */
export function saveDrawing(panels, style, name) {
  const lines = [...document.querySelectorAll(SAID)].map((one) => one.textContent);
  const width = panels.reduce((sum, panel) => sum + panel.width + EDGE, EDGE);
  const foot = 24 + Math.max(...panels.map((panel) => panel.height)) + EDGE;
  const context = new SvgContext(Math.ceil(width), Math.ceil(foot + 18 * lines.length));
  context.fillStyle = style.surface;
  context.fillRect(0, 0, Math.ceil(width), Math.ceil(foot + 18 * lines.length));
  let left = EDGE;
  for (const panel of panels) {
    written(context, style, panel.caption, left, 16, panel.width);
    context.save();
    context.beginPath();
    context.rect(left, 24, panel.width, panel.height);
    context.clip(); // where it begins at 0, 0
    context.at.setAttribute("viewBox", `0 0 ${panel.width} ${panel.height}`);
    context.canvas = { clientWidth: panel.width };
    panel.draw(context);
    context.restore();
    left += panel.width + EDGE;
  }
  lines.forEach((line, i) => written(context, style, line, EDGE, foot + 18 * i + 6, width - 2 * EDGE));
  download(new Blob([context.text()], { type: "image/svg+xml" }), `${name}.svg`);
}

function written(context, style, line, x, y, room) {
  context.font = style.font;
  context.fillStyle = style.ink;
  context.fillText(line, x, y, room);
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
