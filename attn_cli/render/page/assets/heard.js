/** What a model has heard, along the sides of a map that are moments of it, as attn_cli/render/page/senses.py packed it. */

import { bytesOfText, inflate } from "./inflating.js";
import { paint, sample } from "./raster.js";
import { worded } from "./wording.js";

const BANDS = { thick: 56, apart: 6, share: 0.1 }; // pixels of all of them, to the map, and of a narrow page's width
const INK = Uint32Array.from({ length: 256 }, (_, loud) => loud << 24); // how much of it there is, by how loud it is

/** The spectrogram of a sound; nothing where none was heard. */
export async function readHeard({ heard, keys, twoTexts }) {
  if (!heard) return undefined;
  const [loud, { bands }] = [await inflate(bytesOfText(heard.data)), heard];
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
      return { above, ahead: twoTexts ? 0 : above };
    },
    said: worded("heard_said"),
    draw: (context, view, box, style) => {
      const { left, top, width, height, above } = box;
      const thick = above - BANDS.apart;
      const [across, down] = [width, height].map((side) => Math.round(side * devicePixelRatio));
      const over = inked(part(view.column, view.columns, across), style.muted);
      context.drawImage(over, left, top - above, width, thick);
      if (twoTexts) return;
      const beside = turned(inked(part(view.row, view.rows, down), style.muted));
      context.drawImage(beside, left - above, top, thick, height);
    },
  };
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
