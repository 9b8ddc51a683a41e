/** What stands around the views where a record has more than weights. */

import { Training } from "./training.js";
import { Writing } from "./writing.js";

/**
 * Each hears by `show(state, attention, scale)` of all that changes. `change(changes)` sets a part of the state,
 * `toRow(changes, query)` also looks at a row.
 */
export function extrasOf(attention, { change, toRow }) {
  const host = (name) => document.getElementById(name);
  return [
    new Training(host("training"), attention, change),
    new Writing(host("writing"), attention, (step, row) => toRow({ step }, row)),
  ];
}
