/** The open head: one map, or with a change the original, the changed one and their difference side by side. */

import { MapView } from "./../map.js";
import { Viewport } from "./../viewport.js";
import { element } from "./../words.js";
import { differenceSheet, sheetOfHead } from "./records.js";
import { worded } from "./../wording.js";

export class Stage {
  /** `onPoint(which, cell, spoken)` hears of the cell that is pointed at, in "original" or "changed". */
  constructor(host, onPoint) {
    this.host = host;
    this.host.dataset.panels = 1;
    this.panels = ["original", "changed", "difference"].map((which) => {
      const room = () => Math.max(260, Math.min(0.6 * innerHeight, 560));
      const heard = (cell, spoken) => onPoint(which, cell, spoken);
      const map = new MapView(new Viewport(1, 1), { onPoint: heard, onView: () => map.draw(), room });
      const panel = element("div", "panel");
      const caption = element("h3");
      panel.append(caption, map.element);
      return { which, map, panel, caption };
    });
    this.note = element("p", "hint");
    this.note.hidden = true;
    host.append(...this.panels.map(({ panel }) => panel), this.note);
  }

  /** `alignment` is null where there is nothing to subtract, `changed` where nothing is changed. */
  show({ original, changed, head, scale, signedRamp, alignment }) {
    this.alignment = alignment;
    const sheets = {
      original: sheetOfHead(original, head, scale, worded("original")),
      changed: changed && sheetOfHead(changed, head, scale, worded("changed")),
      difference: changed && alignment && differenceSheet(original, changed, head, alignment, signedRamp),
    };
    this.host.dataset.panels = Object.values(sheets).filter(Boolean).length;
    this.note.textContent = worded(alignment ? "same" : "no_difference");
    this.note.hidden = !changed || Boolean(sheets.difference);
    for (const { which, map, panel, caption } of this.panels) {
      const sheet = sheets[which];
      panel.hidden = !sheet;
      caption.hidden = !changed;
      if (!sheet) continue;
      caption.textContent = worded(which);
      map.viewport = new Viewport(sheet.queries.length, sheet.keys.length);
      map.show(sheet);
    }
  }

  /** Mark a cell of the original, and the same one in what was changed. */
  point(cell) {
    const there = cell && this.alignment ? counterpart(cell, this.alignment) : null;
    for (const { which, map } of this.panels) map.point(which === "original" ? cell : there);
  }
}

/** Where a cell of the original is in what was changed, or null where it was dropped. */
export function counterpart({ query, key }, { rows, columns }) {
  const [row, column] = [rows.indexOf(query), columns.indexOf(key)];
  return row < 0 || column < 0 ? null : { query: row, key: column };
}

/** Where a cell of what was changed is in the original. */
export function origin({ query, key }, { rows, columns }) {
  return { query: rows[query], key: columns[key] };
}
