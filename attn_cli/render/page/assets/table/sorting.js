/** One table: sorted by the column whose name is pressed, without the rows that are not looked for, shaded by column. */

import { css, inkOn } from "../colours.js";
import { worded } from "../wording.js";

const NEXT = { none: null, ascending: "descending", descending: "ascending" };

export class SortedTable {
  constructor(section, say) {
    this.section = section;
    this.body = section.querySelector("tbody");
    this.rows = [...this.body.rows]; // in the order of the record, which breaks ties
    this.heads = [...section.querySelectorAll("thead th")];
    this.compare = new Intl.Collator(document.documentElement.lang, { numeric: true }).compare;
    this.say = say;
    // What is above 0 speaks for the output, in the same hues in all columns.
    this.toward = section.dataset.about === "explain";
    this.onChange = () => {}; // hears that other rows are seen, or in another order
    this.heads.forEach((head, column) => {
      head.setAttribute("aria-sort", "none");
      head.firstChild.addEventListener("click", () => this.sort(column));
    });
    const field = section.querySelector("input");
    field.addEventListener("input", () => this.find(field.value));
    this.body.addEventListener("pointerover", ({ target }) => nameExactly(target.closest("[data-n]")));
    this.find("");
    const wide = section.querySelector(".wide");
    wide.addEventListener("scroll", () => this.reach(wide));
    new ResizeObserver(() => this.reach(wide)).observe(wide);
  }

  /** Say whether there is more to the right, and how far from the left the second of two columns stays. */
  reach(wide) {
    wide.toggleAttribute("data-more", wide.scrollLeft + wide.clientWidth < wide.scrollWidth - 1);
    wide.style.setProperty("--first", `${this.heads[0].offsetWidth}px`);
  }

  /** What is largest first where there are numbers, else what is smallest; pressed again the other way round. */
  sort(column) {
    const head = this.heads[column];
    const first = head.dataset.kind === "number" ? "descending" : "ascending";
    const way = NEXT[head.getAttribute("aria-sort")] ?? first;
    for (const one of this.heads) one.setAttribute("aria-sort", one === head ? way : "none");
    const sign = way === "ascending" ? 1 : -1;
    const values = new Map(this.rows.map((row) => [row, valueOf(row.cells[column], head.dataset.kind)]));
    const order = (one, other) => {
      const [a, b] = [values.get(one), values.get(other)];
      if (a === null || b === null) return (a === null) - (b === null); // what is missing comes last, both ways
      return sign * (typeof a === "number" ? a - b || 0 : this.compare(a, b));
    };
    this.body.append(...[...this.rows].sort(order));
    this.onChange();
    this.say(worded(`table_sorted_${way}`, { column: head.textContent }));
  }

  /** Keep the rows in which every word stands, in small letters or large. */
  find(text) {
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of this.rows) {
      const said = [...row.cells].map((cell) => cell.textContent.toLowerCase());
      row.hidden = !wanted.every((word) => said.some((one) => one.includes(word)));
    }
    const n = this.rows.filter((row) => !row.hidden).length;
    this.section.querySelector("output").textContent = worded("table_found", { n, all: this.rows.length });
    this.onChange();
  }

  /** Each column of numbers on a scale of its own: from 0 up, or as far below 0 as above it. */
  shade({ plain, signed, toward }) {
    this.heads.forEach((head, column) => {
      if (head.dataset.kind !== "number") return;
      const cells = this.rows.map((row) => row.cells[column]).filter((cell) => "n" in cell.dataset);
      shadeAll(cells, plain, this.toward ? toward : signed);
    });
  }
}

/** Give each element the colour of its number, all on one scale: of two sides where there are numbers below 0. */
export function shadeAll(elements, plain, signed) {
  const numbers = elements.map((one) => Number(one.dataset.n));
  const known = numbers.filter(Number.isFinite);
  const top = known.reduce((most, number) => Math.max(most, Math.abs(number)), 0) || 1;
  const two = known.some((number) => number < 0);
  elements.forEach((one, i) => {
    const part = Math.max(-1, Math.min(1, numbers[i] / top));
    const colour = two ? signed[Math.round(127.5 + 127.5 * part)] : plain[Math.round(255 * part)];
    one.style.background = css(colour);
    one.style.color = inkOn(colour);
  });
}

function valueOf(cell, kind) {
  if (kind === "number") return "n" in cell.dataset ? Number(cell.dataset.n) : null;
  return cell.textContent || null;
}

/** All digits of what the pointer is on. */
function nameExactly(cell) {
  if (cell) cell.title = cell.dataset.n;
}
