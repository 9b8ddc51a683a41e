/** Heads sorted and filtered by a figure of `attn stats`. */

import { byId } from "./controls.js";
import { say } from "./readout.js";
import { worded } from "./wording.js";
import { writeNumber } from "./words.js";

export class Sorting {
  /** Sorts the heads of a grid; `onChange()` hears that they stand in another order, or that others are left. */
  constructor(attention, grid, onChange) {
    const { figures, count } = attention;
    Object.assign(this, { attention, grid, count, by: "", down: true, keep: "", limit: NaN });
    const names = Object.keys(figures);
    byId("sorting").hidden = names.length === 0 || count === 1;
    byId("sort").append(...names.map((name) => new Option(worded(`figure_${name}`), name)));
    const hear = (id, kind, change) =>
      byId(id).addEventListener(kind, ({ target }) => {
        change(target);
        this.show();
        this.arrange();
        onChange();
      });
    hear("sort", "change", ({ value }) => (this.by = value));
    hear("sort-down", "click", () => (this.down = !this.down));
    hear("keep", "change", ({ value }) => (this.keep = value));
    hear("limit", "input", ({ valueAsNumber }) => (this.limit = valueAsNumber));
    this.show();
  }

  show() {
    for (const id of ["sort-down", "kept"]) byId(id).hidden = !this.by;
    byId("limit").hidden = !this.by || !this.keep;
    byId("sort-down").textContent = this.down ? "↓" : "↑";
    byId("sort-down").setAttribute("aria-label", worded(this.down ? "sort_down" : "sort_up"));
  }

  /** Let the heads stand in their order; at another step of a training it is another. */
  arrange() {
    const order = this.order();
    this.grid.arrange(order);
    if (order) say(worded("sorted", { n: order.heads.length, all: this.count, what: order.what }));
  }

  /** The heads in their order without those that are filtered out, and what is said of each; null: as they are. */
  order() {
    if (!this.by) return null;
    const numbers = this.attention.figures[this.by];
    const heads = [...numbers.keys()].filter((head) => this.keeps(numbers[head]));
    const sign = this.down ? -1 : 1;
    heads.sort((a, b) => known(numbers[b]) - known(numbers[a]) || sign * (numbers[a] - numbers[b]) || a - b);
    const said = (head) => (numbers[head] === null ? "–" : writeNumber(numbers[head], 2));
    return { heads, said, what: worded(`figure_${this.by}`) };
  }

  keeps(number) {
    if (!this.keep || Number.isNaN(this.limit)) return true;
    return number !== null && (this.keep === "<" ? number < this.limit : number > this.limit);
  }
}

/** Heads of which nothing is known stand last. */
function known(number) {
  return Number(number !== null);
}
