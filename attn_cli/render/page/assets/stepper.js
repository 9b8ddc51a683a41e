/** A slider that goes through things one by one: dragged, by arrow keys, or by itself. */

import { clamp } from "./viewport.js";
import { worded } from "./wording.js";
import { element } from "./words.js";

const PACE = 900; // milliseconds of each, while it plays

export class Stepper {
  /** `onStep(place)` hears which of `count` is chosen; `says(place)` is what a screen reader is told of it. */
  constructor(count, label, { onStep, says }) {
    Object.assign(this, { count, onStep, says, at: 0, timer: null });
    this.element = element("div", "stepper");
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", label);
    this.player = element("button", "play");
    this.player.type = "button";
    this.player.addEventListener("click", () => this.play(!this.timer));
    this.slider = element("input");
    Object.assign(this.slider, { type: "range", min: 1, max: count, value: 1 });
    this.slider.setAttribute("aria-label", label);
    this.slider.addEventListener("input", () => {
      this.play(false);
      this.go(this.slider.value - 1);
    });
    this.element.title = worded("stepper_keys");
    this.place = element("output");
    this.element.append(this.player, this.slider, this.place);
    document.addEventListener("keydown", (event) => this.keyDown(event));
    this.play(false);
    this.show(0);
  }

  /** Arrow keys step wherever nothing else has the focus. */
  keyDown({ key, target, ctrlKey, metaKey, altKey }) {
    const stride = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (!stride || target !== document.body || ctrlKey || metaKey || altKey) return;
    this.play(false);
    this.go(this.at + stride);
  }

  go(place) {
    const next = clamp(place, 0, this.count - 1);
    if (next !== this.at) this.onStep(next);
  }

  /** Begin to go on by itself, from the start where it is at the end, or stop. */
  play(on) {
    clearInterval(this.timer);
    this.timer = on ? setInterval(() => this.tick(), PACE) : null;
    this.player.textContent = on ? "❚❚" : "▶";
    this.player.setAttribute("aria-label", worded(on ? "pause" : "play"));
    if (on && this.at === this.count - 1) this.go(0);
  }

  tick() {
    this.go(this.at + 1);
    if (this.at === this.count - 1) this.play(false);
  }

  /** Say where it is. */
  show(place) {
    this.at = place;
    this.slider.value = place + 1;
    this.slider.setAttribute("aria-valuetext", this.says(place));
    this.place.textContent = worded("step_of", { step: place + 1, steps: this.count });
  }
}
