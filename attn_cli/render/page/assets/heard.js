/** What a model has heard, along the sides of a map that are moments of it, as attn_cli/render/page/senses.py packed it. */

import { bytesOfText, inflate } from "./inflating.js";
import { paint, sample } from "./raster.js";
import { worded } from "./wording.js";
import { writeNumber } from "./words.js";

const BANDS = { thick: 56, apart: 6, share: 0.1 }; // pixels of all of them, to the map, and of a narrow page's width
const NAMES = 46; // pixels for the names of frequencies
const LEAST = 11; // from one of them to the next
const ROUND = [10_000, 1000, 100, 10].flatMap((power) => [5, 2, 1].map((digit) => digit * power)); // hertz
const INK = Uint32Array.from({ length: 256 }, (_, loud) => loud << 24); // how much of it there is, by how loud it is

/** The spectrogram of a sound; nothing where none was heard. */
export async function readHeard({ heard, keys, twoTexts }) {
  if (!heard) return undefined;
  const { bands, data, frequencies = [] } = heard;
  const loud = await inflate(bytesOfText(data));
  const part = (first, count, pixels) => {
    const codes = sample(
      loud,
      keys.length,
      { row: 0, rows: bands, column: first, columns: count },
      pixels,
      bands,
    );
    return paint(codes, INK, pixels, bands);
  };
  return {
    /** The room between labels and a map, in a space so wide; also ahead of queries that are the same moments. */
    room: (width) => {
      const above = Math.round(Math.min(BANDS.thick, BANDS.share * width)) + BANDS.apart;
      return { above, ahead: twoTexts ? 0 : above, names: frequencies.length ? NAMES : 0 };
    },
    said: worded("heard_said"),
    draw: (context, view, box, style) => {
      const { left, top, width, height, above } = box;
      const thick = above - BANDS.apart;
      const [across, down] = [width, height].map((side) => Math.round(side * devicePixelRatio));
      const over = inked(part(view.column, view.columns, across), style.muted);
      context.drawImage(over, left, top - above, width, thick);
      nameFrequencies(context, frequencies, { right: left - 4, top: top - above, thick }, style);
      if (twoTexts) return;
      const beside = turned(inked(part(view.row, view.rows, down), style.muted));
      context.drawImage(beside, left - above, top, thick, height);
    },
  };
}

/** Round numbers of hertz beside the bands that they are in, the highest first, as many as have room. */
function nameFrequencies(context, frequencies, { right, top, thick }, style) {
  context.font = style.font.replace("12px", "10px");
  context.fillStyle = style.muted;
  context.textAlign = "right";
  context.textBaseline = "middle";
  let last = -Infinity;
  for (const hertz of ROUND) {
    const band = frequencies.findIndex((one) => one <= hertz);
    const y = top + ((band + 0.5) * thick) / frequencies.length;
    if (hertz > frequencies[0] || band < 0 || y - last < LEAST) continue;
    context.fillText(hertz < 1000 ? `${hertz} Hz` : `${writeNumber(hertz / 1000)} kHz`, right, y);
    last = y;
  }
}

/** Pixels that are more or less there, in a colour. */
function inked(image, colour) {
  const made = new OffscreenCanvas(image.width, image.height);
  const context = made.getContext("2d");
  context.putImageData(image, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = colour;
  context.fillRect(0, 0, image.width, image.height);
  return made;
}

/** A quarter to the left and over, so that time runs down and what was at the bottom is to the right. */
function turned(picture) {
  const made = new OffscreenCanvas(picture.height, picture.width);
  const context = made.getContext("2d");
  context.setTransform(0, 1, 1, 0, 0, 0);
  context.drawImage(picture, 0, 0);
  return made;
}
