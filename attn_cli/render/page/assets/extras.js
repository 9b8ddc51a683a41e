/** What stands around the views where a record has more than weights. */

import { Writing } from "./writing.js";

/** Each hears by `show(state, attention, scale)` of all that changes; `toRow(changes, query)` sets state and looks at a row. */
export function extrasOf(attention, toRow) {
  return [new Writing(document.getElementById("writing"), attention, (step, row) => toRow({ step }, row))];
}
