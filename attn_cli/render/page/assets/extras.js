/** What stands around the views where a record has more than weights. */

import { Sight } from "./sight.js";
import { Training } from "./training.js";
import { Writing } from "./writing.js";

/**
 * Each hears by `show(state, attention, scale)` of all that changes, and by `look({ query, key })` of what is pointed
 * at if it has that. `change(changes)` sets a part of the state, `toRow(changes, query)` also looks at a row, and
 * `point(cell, pressed)` at a cell.
 */
export function extrasOf(attention, { change, toRow, point }) {
  const host = (name) => document.getElementById(name);
  return [
    new Training(host("training"), attention, change),
    new Writing(host("writing"), attention, (step, row) => toRow({ step }, row)),
    new Sight(host("sight"), attention, (key, query, pressed) => point({ query, key }, pressed)),
  ];
}
