/** What a model wrote, token by token: the row that each was written from, how likely it was, and what else might have been. */

import { css, inkOn } from "./colours.js";
import { entry, say } from "./readout.js";
import { Stepper } from "./stepper.js";
import { worded } from "./wording.js";
import { element, shown, writeNumber } from "./words.js";

const GIVEN = 200; // tokens before the writing that the text shows

export class Writing {
  /** `onStep(step, row)` hears which token is looked at, and from which row of the map it was written. */
  constructor(host, attention, onStep) {
    this.steps = attention.written;
    host.hidden = this.steps.length === 0;
    if (host.hidden) return;
    const open = (step) => {
      onStep(step, this.steps[step].from);
      say(this.spoken(step));
    };
    const says = (step) => this.spoken(step);
    this.stepper = new Stepper(this.steps.length, worded("writing_steps"), { onStep: open, says });
    this.story = this.tellStory(attention, open);
    this.rivals = element("div", "rivals");
    const bar = element("div", "bar");
    bar.append(element("h3", "", worded("writing_name")), this.stepper.element);
    host.append(bar, this.story, this.rivals);
  }

  /** The text: what was given and what was written, each token of which opens its step. */
  tellStory(attention, open) {
    const story = element("p", "story");
    const [first] = this.steps;
    const coarse = Math.max(...attention.block) > 1; // whose cells have no names of single tokens
    const { keys, queries, heard, twoTexts } = attention;
    // Each token has a row of its own over the text that it answers; the moments of a sound are none.
    this.answers = twoTexts && !heard && this.steps.every(({ from: own, row }) => own === row);
    this.shaded = coarse || (twoTexts && !this.answers) ? null : new Map(); // the words on the columns
    const given = coarse ? [] : this.answers ? keys : queries.slice(0, first.row);
    const from = Math.max(0, given.length - GIVEN);
    if (from > 0 || coarse) story.append("…");
    given.slice(from).forEach((token, i) => story.append(this.word(token, from + i, "given")));
    this.words = this.steps.map(({ token, row }, step) => {
      const word = this.word(token, this.answers ? null : row, "token");
      word.addEventListener("click", () => open(step));
      return word;
    });
    this.words[0].classList.add("begins");
    story.append(...this.words);
    return story;
  }

  word(token, place, kind) {
    const word = element("bdi", kind, shown(token));
    if (place !== null) this.shaded?.set(place, word);
    return word;
  }

  spoken(step) {
    const { token, p } = this.steps[step];
    return worded("writing_step", { token: shown(token), p: writeNumber(p, 3) });
  }

  /** Show a step, in the colours of the head that is open. */
  show({ step = 0, head }, attention, scale) {
    if (!this.stepper) return;
    this.stepper.show(step);
    this.words.forEach((word, place) => {
      word.classList.toggle("now", place === step);
      word.classList.toggle("later", place > step);
    });
    this.shade(this.steps[step].from, attention.codesOf(head), attention, scale);
    this.rivals.replaceChildren(...this.ranking(step));
  }

  /** Every token before it, or of another text every one, on the colour of the weight that the step's row gives it. */
  shade(row, codes, { keys }, scale) {
    for (const [place, word] of this.shaded ?? []) {
      const code = this.answers || place <= row ? codes[row * keys.length + place] : 0;
      const colour = scale.colour(scale.tone[code]);
      word.style.background = code ? css(colour) : "";
      word.style.color = code ? inkOn(colour) : "";
    }
  }

  /** The likeliest tokens there, and the one that was written even if it is none of them. */
  ranking(step) {
    const { token, p, likeliest } = this.steps[step];
    const isIt = ([name, chance]) => name.trim() === token.trim() && Math.abs(chance - p) < 1e-6;
    const known = likeliest.some(isIt) ? likeliest : [...likeliest, [token, p]];
    const list = element("ol", "ranking");
    for (const one of known) {
      const chip = element("span", "chip");
      chip.append(element(isIt(one) ? "b" : "span", "", shown(one[0])));
      list.append(entry(chip, one[1], one[1].toFixed(3)));
    }
    return [element("h3", "", this.spoken(step)), list];
  }
}
