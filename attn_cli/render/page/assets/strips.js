/** Vectors as rows of colour: blue below zero, orange above. */

import { say } from "./readout.js";
import { worded } from "./wording.js";
import { element, writeNumber } from "./words.js";

const BRIGHT = 3; // times the root mean square: the brightest colour, so that a few large numbers leave the rest visible

/** Numbers row by row, `columns` in each; the canvas is as many pixels, and CSS makes them larger. */
export function drawStrip(canvas, numbers, columns, ramp) {
  [canvas.width, canvas.height] = [columns, numbers.length / columns];
  const image = new ImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const top = brightest(numbers);
  numbers.forEach((number, i) => {
    pixels[i] = ramp[Math.round(127.5 + 127.5 * Math.max(-1, Math.min(1, number / top)))];
  });
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(image, 0, 0); // pictures of it are read again
}

function brightest(numbers) {
  const square = numbers.reduce((sum, number) => sum + number * number, 0) / numbers.length;
  return BRIGHT * Math.sqrt(square) || 1;
}

/** Which numbers have the brightest colours; some may lie beyond. */
function rangeOf(numbers) {
  const top = brightest(numbers);
  const beyond = numbers.some((number) => Math.abs(number) > top);
  return worded(beyond ? "clipped_range" : "compare_range", { peak: writeNumber(top) });
}

/** A vector under its caption; with `hear`, one dimension after the other is looked at by pointer, touch or arrow keys. */
export function strip(caption, numbers, ramp, hear) {
  const figure = element("figure", "strip");
  const canvas = element("canvas");
  drawStrip(canvas, numbers, numbers.length, ramp);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${caption}: ${Array.from(numbers, tidy).join(" ")}`);
  if (hear) listen(canvas, caption, numbers.length, hear);
  figure.append(element("figcaption", "", `${caption} · ${rangeOf(numbers)}`), canvas);
  return figure;
}

/** `hear(dimension)` says what there is to see. */
function listen(canvas, caption, count, hear) {
  let at = 0;
  const look = (dimension, spoken) => {
    at = Math.max(0, Math.min(count - 1, dimension));
    const said = hear(at);
    canvas.setAttribute("aria-valuenow", at);
    canvas.setAttribute("aria-valuetext", said);
    if (spoken) say(said);
  };
  const point = ({ offsetX }) => look(Math.floor((offsetX / canvas.clientWidth) * count), false);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "slider");
  canvas.setAttribute("aria-label", caption);
  canvas.setAttribute("aria-valuemin", 0);
  canvas.setAttribute("aria-valuemax", count - 1);
  canvas.setAttribute("aria-valuenow", 0);
  for (const kind of ["pointermove", "pointerdown"]) canvas.addEventListener(kind, point);
  canvas.addEventListener("keydown", (event) => {
    const stride = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!stride) return;
    event.preventDefault();
    look(at + stride, true);
  });
}

/** A number with three digits. */
export function tidy(number) {
  return writeNumber(number, 3);
}
