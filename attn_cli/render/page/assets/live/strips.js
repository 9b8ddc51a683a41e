/** The streams between layers, as rows of colour. */

import { drawStrip } from "./../strips.js";
import { element, shown } from "./../words.js";
import { worded } from "./../wording.js";

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
