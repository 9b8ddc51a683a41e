/** A canvas as sharp as the screen, in the colours of the page. */

/** Make a canvas so large, in CSS pixels, and empty; give what draws on it. */
export function fitCanvas(canvas, width, height) {
  const pixels = [width, height].map((length) => Math.round(length * devicePixelRatio));
  const context = canvas.getContext("2d");
  if (canvas.width === pixels[0] && canvas.height === pixels[1]) context.reset();
  else [canvas.width, canvas.height] = pixels;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  context.scale(devicePixelRatio, devicePixelRatio);
  return context;
}

/** The colours and the font that the style sheet gives a canvas. */
export function readStyle(canvas) {
  const style = getComputedStyle(canvas);
  const names = ["ink", "muted", "accent", "surface", "found"];
  const colours = names.map((name) => [name, style.getPropertyValue(`--${name}`)]);
  return { ...Object.fromEntries(colours), font: `12px ${style.fontFamily}` };
}
