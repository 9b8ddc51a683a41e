/** Two heads side by side, and what the first gives beyond the second. */

import { MANY, Scale, topOf } from "./colours.js";
import { MapView } from "./map.js";
import { encode } from "./record.js";
import { worded } from "./wording.js";
import { element, writeNumber } from "./words.js";

const STEPS = 1000; // of a difference; it is drawn in 256 colours

export class CompareView {
  constructor(viewport, listeners) {
    this.element = element("div", "compare");
    this.maps = [0, 1, 2].map(() => new MapView(viewport, listeners));
    this.captions = this.maps.map(() => element("h3"));
    this.maps.forEach((map, i) => {
      const panel = element("div", "panel");
      panel.append(this.captions[i], map.element);
      this.element.append(panel);
    });
  }

  show(model) {
    const { head, other, sheetOf } = model;
    const sheets = [sheetOf(head), sheetOf(other), difference(model)];
    this.maps.forEach((map, i) => {
      this.captions[i].textContent = sheets[i].label;
      map.show(sheets[i]);
    });
  }

  get panels() {
    return this.maps.flatMap((map) => map.panels);
  }

  point(cell) {
    for (const map of this.maps) map.point(cell);
  }
}

/** A sheet of the first head's weights less the second's, centred on zero. */
function difference({ attention, head, other, least, signedRamp, sheetOf }) {
  const [first, second] = [head, other].map((which) => weightsOf(attention, which));
  const weights = first.map((weight, cell) => weight - second[cell]);
  const peak = weights.reduce((most, weight) => Math.max(most, Math.abs(weight) || 0), 0) || 1;
  const range = { peak, steps: STEPS, signed: true, codeCount: 2 * STEPS + 3 };
  const top = Math.max(attention.queries.length, attention.keys.length) < MANY ? peak : topOf(weights) || 1;
  const beyond = top < peak ? worded("beyond_head", { top: writeNumber(top), most: writeNumber(peak) }) : "";
  return {
    ...sheetOf(head),
    strips: undefined,
    codes: encode(weights, range),
    scale: new Scale(range, { kind: "shared", top, least, ramp: signedRamp, beyond }),
    brief: (query, key) => weights[query * attention.keys.length + key].toFixed(2),
    label: worded("compare_difference", { first: attention.tag(head), second: attention.tag(other) }),
    range: worded(top < peak ? "clipped_range" : "compare_range", { peak: writeNumber(top) }),
  };
}

/** All weights of a head, a masked one NaN. */
function weightsOf(attention, head) {
  const [rows, columns] = [attention.queries.length, attention.keys.length];
  return Float64Array.from({ length: rows * columns }, (_, cell) => {
    return attention.weight(head, Math.floor(cell / columns), cell % columns) ?? NaN;
  });
}
