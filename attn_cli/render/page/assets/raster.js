/** Codes to pixels. */

/**
 * The part of a matrix of codes that `view` sees, `width` × `height` codes large.
 *
 * One that stands for several cells is the largest among them, so that a thin diagonal stays visible
 * however small it is drawn.
 */
export function sample(codes, columns, view, width, height) {
  const lefts = edges(view.column, view.columns, width);
  const tops = edges(view.row, view.rows, height);
  const sampled = new codes.constructor(width * height);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [tops[y], Math.max(tops[y] + 1, tops[y + 1])];
    if (y > 0 && bottom === top + 1 && tops[y - 1] === top) {
      sampled.copyWithin(y * width, (y - 1) * width, y * width);
      continue;
    }
    for (let x = 0; x < width; x++) {
      const [left, right] = [lefts[x], Math.max(lefts[x] + 1, lefts[x + 1])];
      sampled[y * width + x] = largest(codes, columns, top, bottom, left, right);
    }
  }
  return sampled;
}

/** Codes as an image, each in its colour. */
export function paint(codes, lut, width, height) {
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = lut[codes[i]];
  return image;
}

/** The cell in which each pixel begins; one more for where the last one ends. */
function edges(first, count, pixels) {
  return Int32Array.from({ length: pixels + 1 }, (_, i) => Math.floor(first + (i * count) / pixels + 1e-6));
}

function largest(codes, columns, top, bottom, left, right) {
  let code = 0;
  for (let row = top; row < bottom; row++) {
    for (let cell = row * columns + left; cell < row * columns + right; cell++) {
      if (codes[cell] > code) code = codes[cell];
    }
  }
  return code;
}
