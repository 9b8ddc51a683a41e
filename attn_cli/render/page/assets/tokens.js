/** Heads over the text itself: each token shaded by what the chosen query gives it, or by what it gives the chosen key. */

import { readStyle } from "./canvas.js";
import { captionOf } from "./overlay.js";
import { TokenList } from "./tokenlist.js";
import { trace } from "./tracing.js";
import { worded } from "./wording.js";
import { element, shown } from "./words.js";

const DIRECTIONS = ["query", "key"]; // what is chosen

export class TokensView {
  /** `onToken({ query } or { key }, spoken, pressed)` hears which token is chosen; `onTurn()` of another direction. */
  constructor(attention, { onToken, onTurn }) {
    this.chosen = "query";
    this.onTurn = onTurn;
    this.element = element("div", "text");
    const list = (axis, name, label) =>
      new TokenList(name, label, (index, ...how) => onToken(this.turned(axis, index), ...how));
    this.queries = list("query", "queries", worded("queries"));
    this.keys = attention.twoTexts ? list("key", "keys", worded("keys_list")) : this.queries;
    if (!attention.twoTexts) this.element.append(this.directions(), this.queries.element);
    else
      for (const one of [this.queries, this.keys])
        this.element.append(element("h3", "", one.label), one.element);
  }

  /** Of one text every token is both: the buttons say which; of two the list says it that it stands in. */
  turned(axis, index) {
    if (this.keys !== this.queries) this.chosen = axis;
    return { [this.chosen]: index };
  }

  directions() {
    const group = element("div", "directions");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", worded("direction"));
    this.buttons = DIRECTIONS.map((chosen) => {
      const button = element("button", "", worded(`direction_${chosen}`));
      button.type = "button";
      button.addEventListener("click", () => {
        this.chosen = chosen;
        this.onTurn();
      });
      return button;
    });
    group.append(...this.buttons);
    return group;
  }

  /** What is seen, all of it, for a picture. */
  get panels() {
    const lists = [...new Set([this.queries, this.keys])];
    const style = readStyle(this.element);
    const names = this.element.querySelectorAll("h3"); // of two texts
    const corner = (names[0] ?? lists[0].element).getBoundingClientRect();
    const bottom = lists.at(-1).element.getBoundingClientRect().bottom;
    const draw = (context) => {
      let beyond = 0; // of the lists above
      lists.forEach((list, i) => {
        const moved = { x: corner.x, y: corner.y - beyond };
        if (names[i]) trace(context, names[i], moved);
        list.drawOn(context, style, moved);
        beyond += list.beyond;
      });
    };
    const height = lists.reduce((sum, list) => sum + list.beyond, bottom - corner.top);
    return [{ ...this.said, width: corner.width, height, draw }];
  }

  /** Look at a token, as an address asks for. */
  look(token) {
    [this.chosen = "query"] = Object.keys(token);
  }

  /** The token that is looked at. */
  token(cell) {
    return { [this.chosen]: cell?.[this.chosen] ?? 0 };
  }

  show({ attention, heads, scaleOf, found, cell }) {
    const token = this.token(cell);
    this.said = saidOf({ attention, heads, scaleOf }, token);
    this.buttons?.forEach((one, i) => one.setAttribute("aria-pressed", DIRECTIONS[i] === this.chosen));
    this.keys.show(attention.keys, found.keys);
    this.queries.show(attention.queries, found.queries);
    const [asked, shaded] = token.query === undefined ? [this.keys, this.queries] : [this.queries, this.keys];
    asked.select(Object.values(token)[0]);
    if (asked !== shaded) {
      shaded.select(-1);
      asked.shadeAll([]);
    }
    shaded.shadeAll(
      heads.map((one) => ({ ...one, ...tonesOf(attention, scaleOf(one.head), one.head, token) })),
    );
  }
}

function tonesOf(attention, scale, head, { query, key }) {
  const { codes, columns } = { codes: attention.codesOf(head), columns: attention.keys.length };
  const toneAt = (row, column) => scale.tone[codes[row * columns + column]];
  const tones =
    query === undefined
      ? attention.queries.map((_, other) => toneAt(other, key))
      : attention.keys.map((_, other) => toneAt(query, other));
  return { scale, tones };
}

/** What a picture says of it: the head and its colours, and which token is asked for what. */
function saidOf({ attention, heads, scaleOf }, token) {
  const [[axis, place]] = Object.entries(token);
  const text = shown((axis === "query" ? attention.queries : attention.keys)[place]);
  return {
    ...captionOf({ attention, heads, scaleOf }),
    note: `${text} (${place}): ${worded(`direction_${axis}`)}`,
  };
}
