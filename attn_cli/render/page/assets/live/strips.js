/** Vectors as rows of colour: blue below zero, orange above. */

import { element, shown } from "./../words.js";
import { worded } from "./../wording.js";

const BRIGHT = 3; // times the root mean square: the brightest colour, so that a few large numbers leave the rest visible

/** Numbers row by row, `columns` in each; the canvas is as many pixels, and CSS makes them larger. */
export function drawStrip(canvas, numbers, columns, ramp) {
  [canvas.width, canvas.height] = [columns, numbers.length / columns];
  const image = new ImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const square = numbers.reduce((sum, number) => sum + number * number, 0) / numbers.length;
  const top = BRIGHT * Math.sqrt(square) || 1;
  numbers.forEach((number, i) => {
    pixels[i] = ramp[Math.round(127.5 + 127.5 * Math.max(-1, Math.min(1, number / top)))];
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** The streams between layers of a kind, original and changed beside each other. */
export function showStreams(host, { original, changed, kind, ramp }) {
  const stack = kind === "cross" ? "decoder" : kind;
  const sides = [
    [worded("original"), original],
    [worded("changed"), changed],
  ].filter(([, found]) => found);
  const layers = original.streams[stack];
  host.dataset.sides = sides.length;
  host.replaceChildren(
    ...layers.flatMap((_, layer) =>
      sides.map(([side, found]) => {
        const name = layer === 0 ? "stream_before" : "stream_after";
        const caption = worded(name, { kind: worded(stack), layer: layer - 1 });
        return stream(sides.length > 1 ? `${side}: ${caption}` : caption, found, stack, layer, ramp);
      }),
    ),
  );
}

function stream(caption, { streams, kinds }, stack, layer, ramp) {
  const tokens = kinds[stack].queries;
  const numbers = streams[stack][layer];
  const figure = element("figure", "stream");
  const canvas = element("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", caption);
  canvas.style.height = `${tokens.length * 14}px`;
  drawStrip(canvas, numbers, numbers.length / tokens.length, ramp);
  const names = element("div", "names");
  names.append(...tokens.map((token) => element("span", "", shown(token))));
  const body = element("div", "body");
  body.append(names, canvas);
  figure.append(element("figcaption", "", caption), body);
  return figure;
}
