/** Several heads at once, in lines and over the text: a chip for each head of the layer, a colour for each that is seen. */

import { css, packed } from "./colours.js";
import { strongest } from "./record.js";
import { worded } from "./wording.js";
import { element, shown, writeNumber } from "./words.js";

// Okabe & Ito 2008, whose colours people tell apart who do not see all of them; on a dark ground the lighter of them.
const OF_HEADS = {
  day: ["0072b2", "d55e00", "009e73", "cc79a7", "56b4e9", "e69f00"],
  night: ["56b4e9", "f0803c", "20c997", "de96be", "f0e442", "c8c8d2"],
};
const TOGETHER = OF_HEADS.day.length;

export class Overlay {
  /** `onChange(heads)` hears which are to be laid over the open one; `onOpen(head)` which to open. */
  constructor(host, attention, { onChange, onOpen, isDark }) {
    Object.assign(this, { host, attention, onChange, onOpen, isDark, open: 0, also: new Map() }); // head → its colour
    host.addEventListener("keydown", (event) => this.keyDown(event));
  }

  /** The heads that are seen, the open one first, each with its colour. */
  get heads() {
    const colours = OF_HEADS[this.isDark() ? "night" : "day"];
    return [[this.open, 0], ...this.also].map(([head, place]) => ({
      head,
      colour: packed(...bytesOf(colours[place])),
    }));
  }

  /** Lay a head over the open one, or take it away; at most so many are seen as there are colours. */
  toggle(head) {
    const [next] = this.also.keys();
    const others = [...this.also.keys()].filter((other) => other !== head);
    if (head === this.open && next !== undefined) this.onOpen(next);
    else if (head !== this.open) this.onChange(this.also.has(head) ? others : [...others, head]);
  }

  /** Let these lie over the open one; each keeps the colour that it has. */
  lay(heads) {
    for (const head of [...this.also.keys()]) if (!heads.includes(head)) this.also.delete(head);
    for (const head of heads) {
      const taken = [0, ...this.also.values()];
      const free = OF_HEADS.day.findIndex((_, place) => !taken.includes(place));
      if (!this.also.has(head) && free > 0) this.also.set(head, free);
    }
  }

  /** The chips of the layer that is open, and of heads elsewhere that are seen. */
  show({ head: open, also }, visible) {
    this.host.hidden = !visible || this.attention.count === 1;
    this.open = open;
    this.lay(also);
    const held = this.host.querySelector(":focus")?.dataset.head;
    const columns = this.attention.heads.length;
    const first = open - (open % columns);
    const own = Array.from({ length: columns }, (_, i) => first + i);
    const others = [...this.also.keys()].filter((head) => head < first || head >= first + columns);
    this.host.replaceChildren(element("span", "hint", worded("overlay")));
    const seen = new Map(this.heads.map(({ head, colour }) => [head, colour]));
    this.host.append(...[...own, ...others].map((head) => this.chip(head, seen.get(head))));
    this.chips.forEach((chip, i) => (chip.tabIndex = i === 0 ? 0 : -1));
    const again = this.chips.find((chip) => chip.dataset.head === held);
    if (again) this.move(again);
  }

  get chips() {
    return [...this.host.querySelectorAll("button")];
  }

  chip(head, colour) {
    const made = element("button", "head-chip", this.attention.tag(head));
    Object.assign(made, { type: "button", title: this.attention.name(head) });
    made.dataset.head = head;
    made.setAttribute("aria-pressed", colour !== undefined);
    made.disabled = colour === undefined && this.also.size === TOGETHER - 1;
    // One head alone has no colour to tell it by: its lines are drawn in that of the page.
    const own = this.also.size ? css(colour ?? 0) : "var(--accent)";
    if (colour !== undefined) made.style.setProperty("--own", own);
    made.addEventListener("click", () => this.toggle(head));
    return made;
  }

  keyDown(event) {
    const at = this.chips.indexOf(event.target);
    const stride = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!stride || at < 0) return;
    event.preventDefault();
    const open = this.chips.filter((chip) => !chip.disabled);
    this.move(open[(open.indexOf(event.target) + stride + open.length) % open.length]);
  }

  move(chip) {
    for (const each of this.chips) each.tabIndex = -1;
    chip.tabIndex = 0;
    chip.focus();
  }
}

/** Where several heads are seen: the name of the first, and what the others give a token most, each in its colour. */
export function overlaid(attention, heads, token) {
  if (heads.length === 1) return {};
  return { tag: [tagOf(attention, heads[0])], beside: besideIt(attention, heads.slice(1), token) };
}

function besideIt(attention, heads, { query, key }) {
  return heads.map((one) => {
    const { head } = one;
    const weights = attention.line(head, { query, key });
    const [best] = strongest(weights, 1);
    const said = tagOf(attention, one);
    if (best === undefined) return said;
    const token = (query === undefined ? attention.queries : attention.keys)[best];
    const chip = element("span", "chip");
    chip.append(element("bdi", "", shown(token)), element("sub", "", String(best)));
    said.append(chip, element("span", "weight", writeNumber(weights[best])));
    return said;
  });
}

/** What a picture says of heads: the name of one and its scale, of several all names, with their colours and ends. */
export function captionOf({ attention, heads, scaleOf }) {
  const [{ head: only }] = heads;
  if (heads.length === 1) return { caption: attention.name(only), scale: scaleOf(only) };
  const named = heads.map(({ head, colour }) => {
    return { name: `${attention.name(head)}: ${scaleOf(head).ends.join(" … ")}`, colour };
  });
  return { caption: worded("overlay"), heads: named };
}

/** The name of a head in its colour. */
function tagOf(attention, { head, colour }) {
  const tag = element("span", "overlaid", attention.tag(head));
  tag.style.setProperty("--own", css(colour));
  return tag;
}

function bytesOf(hex) {
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
