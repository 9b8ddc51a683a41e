/** Tokens one can point at, with the pointer or with arrow keys. */

import { fitted } from "./axes.js";
import { css, inkOn } from "./colours.js";
import { clamp } from "./viewport.js";
import { element, shown } from "./words.js";

const BAND = 8; // pixels of the colour of a head, where there are several

export class TokenList {
  /** `onPoint(index, spoken, pressed)` hears which token is pointed at, by keyboard or by a press; false refuses it. */
  constructor(name, label, onPoint) {
    Object.assign(this, { name, label });
    this.onPoint = onPoint;
    this.at = -1;
    this.element = element("div", "tokens");
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "listbox");
    this.element.setAttribute("aria-label", label);
    for (const kind of ["pointerover", "click"]) {
      this.element.addEventListener(kind, (event) => {
        const index = this.options.indexOf(event.target.closest("[role=option]"));
        if (index >= 0) this.point(index, false, kind === "click");
      });
    }
    this.element.addEventListener("keydown", (event) => this.keyDown(event));
    this.element.addEventListener("focus", () => this.at < 0 && this.point(0, true));
  }

  show(tokens, found) {
    if (this.tokens !== tokens) {
      this.tokens = tokens;
      this.options = tokens.map((token, index) => this.option(token, index));
      this.element.replaceChildren(...this.options);
    }
    this.options.forEach((option, index) => option.classList.toggle("found", found.has(index)));
  }

  option(token, index) {
    const option = element("span", "token", shown(token));
    option.id = `${this.name}-${index}`;
    option.dir = "auto";
    option.setAttribute("role", "option");
    return option;
  }

  /** Mark a token; -1 marks none. */
  select(index) {
    this.options[this.at]?.removeAttribute("aria-selected");
    this.at = index;
    this.options[index]?.setAttribute("aria-selected", "true");
    this.element.setAttribute("aria-activedescendant", this.options[index]?.id ?? "");
  }

  /** Give each token the colour of its tone; of several heads a band for each; of none take all colours away. */
  shadeAll(layers) {
    const [one] = layers;
    this.layers = layers;
    this.options.forEach((option, index) => {
      const colour = layers.length === 1 && one.scale.colour(one.tones[index]);
      if (layers.length > 1) option.style.background = bands(layers, index);
      else option.style.background = colour === false ? "" : css(colour);
      option.style.color = colour === false ? "" : inkOn(colour);
    });
  }

  /** The tokens with their colours on another canvas, whose corner stands where `corner` is on the page. */
  drawOn(context, style, corner) {
    const { fontSize, paddingLeft, textAlign } = getComputedStyle(this.options[0]);
    const pad = parseFloat(paddingLeft);
    this.options.forEach((option, index) => {
      const { left, top, width, height } = option.getBoundingClientRect();
      const [x, y] = [left - corner.x, top - corner.y + this.element.scrollTop];
      drawShade(context, this.layers ?? [], index, { x, y, width, height });
      context.font = style.font.replace("12px", fontSize);
      context.textAlign = textAlign === "start" ? "left" : textAlign;
      context.textBaseline = "middle";
      context.fillStyle = option.style.color || style.ink;
      const label = fitted(option.textContent, width - pad, context.font);
      const across = { left: pad, right: width - pad }[context.textAlign] ?? width / 2;
      context.fillText(label, x + across, y + height / 2);
      context.strokeStyle = style.accent;
      context.lineWidth = 2;
      if (index === this.at) context.strokeRect(x + 1, y + 1, width - 2, height - 2);
    });
  }

  /** How much of the list is scrolled out of sight. */
  get beyond() {
    return this.element.scrollHeight - this.element.clientHeight;
  }

  /** How far down the list the middle of a token is. */
  middle(index) {
    return (index + 0.5) * this.options[0].offsetHeight;
  }

  point(index, spoken, pressed = false) {
    if (this.onPoint(index, spoken, pressed) === false) return;
    this.select(index);
    if (spoken) this.options[index].scrollIntoView({ block: "nearest" });
  }

  keyDown(event) {
    const strides = {
      ArrowLeft: -1,
      ArrowUp: -1,
      ArrowRight: 1,
      ArrowDown: 1,
      Home: -Infinity,
      End: Infinity,
    };
    if (!(event.key in strides)) return;
    event.preventDefault();
    this.point(clamp(this.at + strides[event.key], 0, this.options.length - 1), true);
  }
}

function drawShade(context, layers, index, { x, y, width, height }) {
  const share = width / layers.length;
  layers.forEach(({ scale, colour, tones }, i) => {
    const alone = layers.length === 1;
    context.fillStyle = alone ? css(scale.colour(tones[index])) : css(colour, Math.abs(tones[index]));
    context.fillRect(x + i * share, alone ? y : y + height - BAND, share, alone ? height : BAND);
  });
}

/** Under a token a band for each head, as strong as its tone. */
function bands(layers, index) {
  const width = 100 / layers.length;
  const stops = layers.map(({ colour, tones }, i) => {
    return `${css(colour, Math.abs(tones[index]))} ${i * width}% ${(i + 1) * width}%`;
  });
  return `linear-gradient(to right, ${stops.join(", ")}) bottom / 100% ${BAND}px no-repeat`;
}
