/** Heads sorted and filtered by a figure of `attn stats`. */

import { byId } from "./controls.js";
import { say } from "./readout.js";
import { worded } from "./wording.js";
import { writeNumber } from "./words.js";

export const SORTED_BY = ["sort", "order", "keep", "limit"]; // parts of the state

export class Sorting {
  /** Sorts the heads of a grid as `state` says; `change(changes)` hears that it is to be otherwise. */
  constructor(attention, grid, state, change) {
    const { figures, count } = attention;
    Object.assign(this, { attention, grid, state });
    const names = Object.keys(figures);
    byId("sorting").hidden = names.length === 0 || count === 1;
    byId("sort").append(...names.map((name) => new Option(worded(`figure_${name}`), name)));
    byId("sort").addEventListener("change", ({ target }) => change({ sort: target.value }));
    byId("sort-down").addEventListener("click", () =>
      change({ order: this.state.order === "down" ? "up" : "down" }),
    );
    byId("keep").addEventListener("change", ({ target }) => change({ keep: target.value }));
    byId("limit").addEventListener("input", ({ target }) => change({ limit: target.valueAsNumber }));
  }

  /** Let the heads stand in their order, and the controls say so; at another step of a training it is another. */
  arrange() {
    this.show();
    const order = this.order();
    this.grid.arrange(order);
    const { count } = this.attention;
    const kept = order?.heads.length ?? count;
    byId("kept-count").hidden = kept === count;
    byId("kept-count").textContent = worded("kept", { n: kept, all: count });
    if (order) say(worded("sorted", { n: order.heads.length, all: count, what: order.what }));
  }

  show() {
    const { sort, order, keep, limit } = this.state;
    for (const id of ["sort-down", "kept"]) byId(id).hidden = !sort;
    byId("sort").value = sort;
    byId("keep").value = keep;
    byId("limit").hidden = !sort || !keep;
    if (!Object.is(byId("limit").valueAsNumber, limit))
      byId("limit").value = Number.isNaN(limit) ? "" : limit;
    byId("sort-down").textContent = order === "down" ? "↓" : "↑";
    byId("sort-down").setAttribute("aria-label", worded(order === "down" ? "sort_down" : "sort_up"));
  }

  /** The heads in their order without those that are filtered out, and what is said of each; null: as they are. */
  order() {
    const { sort, order } = this.state;
    if (!sort) return null;
    const numbers = this.attention.figures[sort];
    const heads = [...numbers.keys()].filter((head) => this.keeps(numbers[head]));
    const sign = order === "down" ? -1 : 1;
    heads.sort((a, b) => known(numbers[b]) - known(numbers[a]) || sign * (numbers[a] - numbers[b]) || a - b);
    const said = (head) => (numbers[head] === null ? "–" : writeNumber(numbers[head], 2));
    return { heads, said, what: worded(`figure_${sort}`) };
  }

  keeps(number) {
    const { keep, limit } = this.state;
    if (!keep || Number.isNaN(limit)) return true;
    return number !== null && (keep === "<" ? number < limit : number > limit);
  }
}

/** Heads of which nothing is known stand last. */
function known(number) {
  return Number(number !== null);
}
