/** Elements of the page drawn anew on another canvas, each where it stands: grounds, strips of colour and words. */

import { css } from "./colours.js";

/** Draw what is seen of an element and of all in it; the canvas has its corner where `corner` is on the page. */
export function trace(context, host, corner) {
  for (const one of [host, ...host.querySelectorAll("*")]) {
    if (!one.checkVisibility()) continue;
    const style = getComputedStyle(one);
    drawGround(context, one, style, corner);
    if (one.matches("canvas")) drawStripAnew(context, one, corner);
    for (const text of one.childNodes)
      if (text.nodeType === Node.TEXT_NODE) drawWords(context, text, style, corner);
  }
}

function drawGround(context, one, { backgroundColor }, corner) {
  const { x, y, width, height } = one.getBoundingClientRect();
  if (backgroundColor === "rgba(0, 0, 0, 0)" || !width) return;
  context.fillStyle = backgroundColor;
  context.fillRect(x - corner.x, y - corner.y, width, height);
}

/** A row of pixels as rectangles; each is drawn on to the end, so that no gaps are seen. */
function drawStripAnew(context, canvas, corner) {
  const { x, y, width, height } = canvas.getBoundingClientRect();
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, 1);
  new Uint32Array(data.buffer).forEach((colour, place) => {
    const from = (width * place) / canvas.width;
    context.fillStyle = css(colour);
    context.fillRect(x - corner.x + from, y - corner.y, width - from, height);
  });
}

function drawWords(context, text, { color, fontSize, fontFamily }, corner) {
  context.font = `${fontSize} ${fontFamily}`;
  context.fillStyle = color;
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const { line, left, middle } of linesOf(text))
    context.fillText(line, left - corner.x, middle - corner.y);
}

/** The lines that the page broke a text into, and where each stands. */
function linesOf(text) {
  const lines = [];
  const range = document.createRange();
  let at = 0;
  for (const character of text.data) {
    range.setStart(text, at);
    range.setEnd(text, (at += character.length));
    const [box] = range.getClientRects();
    if (!box) continue; // a space at the end of a line
    const middle = (box.top + box.bottom) / 2;
    const last = lines.at(-1);
    if (last && Math.abs(last.middle - middle) < box.height / 2) last.line += character;
    else lines.push({ line: character, left: box.left, middle });
  }
  return lines;
}
