/** How one weight came about of a query and a key: their product dimension by dimension, the score, the softmax. */

import { showArithmetic } from "./arithmetic.js";
import { trace } from "./tracing.js";
import { worded } from "./wording.js";
import { element, short, writeNumber } from "./words.js";

export class QkView {
  /** `onPoint(cell, spoken)` hears which query and key are chosen. */
  constructor(attention, vectors, { onPoint }) {
    Object.assign(this, { attention, vectors, onPoint });
    this.element = element("div", "qk");
    this.cell = { query: 0, key: 0 };
    this.choices = {
      query: this.choice("query", attention.queries),
      key: this.choice("key", attention.keys),
    };
    const choosing = element("div", "cell-choice");
    choosing.append(...Object.values(this.choices).map((select) => select.parentElement));
    this.body = element("div");
    const error = vectors ? writeNumber(vectors.error) : "";
    const turned = vectors?.turned ? ` ${worded("qk_turned")}` : "";
    const rounded = worded("qk_rounded", { bits: vectors?.bits, error }) + turned;
    this.rounded = rounded;
    this.element.append(choosing, this.body, element("p", "hint", rounded));
    this.body.addEventListener("click", ({ target }) => this.press(target.closest("tr")));
  }

  choice(axis, tokens) {
    const label = element("label", "", `${worded(`qk_${axis}`)} `);
    const select = element("select");
    select.name = axis;
    select.append(...tokens.map((token, i) => new Option(`${short(token, 24)} ${i}`, i)));
    select.addEventListener("change", () => this.choose({ [axis]: Number(select.value) }));
    label.append(select);
    return select;
  }

  /** A press on a line of the softmax looks at its key. */
  press(line) {
    const key = line ? [...line.parentElement.children].indexOf(line) - 1 : -1;
    if (key >= 0) this.choose({ key });
  }

  choose(changes) {
    this.onPoint({ ...this.cell, ...changes }, true);
  }

  show({ head, cell, signedRamp }) {
    Object.assign(this, { head, ramp: signedRamp });
    this.point(cell);
  }

  /** What is seen, for a picture: the vectors and the softmax; their captions say which query and key. */
  get panels() {
    const corner = this.body.getBoundingClientRect();
    const { width, height } = corner;
    const draw = (context) => trace(context, this.body, corner);
    const [query, key] = ["query", "key"].map((axis) => this.choices[axis].selectedOptions[0].text);
    const caption = `${this.attention.name(this.head)}: ${query} → ${key}`;
    return [{ caption, note: this.rounded, width, height, draw }];
  }

  point(cell) {
    this.cell = cell ?? this.cell;
    for (const [axis, select] of Object.entries(this.choices)) select.value = this.cell[axis];
    showArithmetic(this.body, this.vectors.arithmeticOf(this.head, this.cell), this.cell, this.ramp);
  }
}
