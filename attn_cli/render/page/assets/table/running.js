/** A text shaded by several methods: the token that is pointed at is marked in all of them, and its numbers are said. */

import { byId } from "../controls.js";
import { worded } from "../wording.js";
import { shadeAll } from "./sorting.js";

const STRIDES = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };

export class RunningText {
  constructor(section, say) {
    this.say = say;
    this.rows = [...section.querySelectorAll(".running")];
    this.tokens = this.rows.map((row) => [...row.querySelectorAll(".token")]);
    this.ends = [...section.querySelectorAll(".ends [data-n]")]; // what the colours say
    this.at = -1;
    this.rows.forEach((row, number) => {
      for (const kind of ["pointerover", "click"]) {
        row.addEventListener(kind, ({ target }) => this.point(this.tokens[number].indexOf(target)));
      }
      row.addEventListener("focus", () => this.at < 0 && this.point(0));
      row.addEventListener("keydown", (event) => this.keyDown(event));
    });
  }

  point(index, spoken) {
    if (index < 0) return;
    this.at = index;
    this.tokens.forEach((row, number) => {
      row.find((token) => token.hasAttribute("aria-selected"))?.removeAttribute("aria-selected");
      row[index].setAttribute("aria-selected", "true");
      this.rows[number].setAttribute("aria-activedescendant", row[index].id);
    });
    const numbers = this.tokens.map((row, i) => {
      return `${this.rows[i].getAttribute("aria-label")} ${brief(row[index])}`;
    });
    const token = this.tokens[0][index].textContent;
    byId("told").textContent = worded("explain_told", { token, numbers: numbers.join(" · ") });
    if (spoken) this.say(byId("told").textContent);
  }

  keyDown(event) {
    if (!(event.key in STRIDES)) return;
    event.preventDefault();
    const last = this.tokens[0].length - 1;
    this.point(Math.max(0, Math.min(last, this.at + STRIDES[event.key])), true);
  }

  /** Each method on a scale of its own, as their numbers cannot be compared. */
  shade({ plain, toward }) {
    for (const row of [...this.tokens, this.ends]) shadeAll(row, plain, toward);
  }
}

function brief(token) {
  return Number(token.dataset.n).toPrecision(3).replace("-", "−");
}
