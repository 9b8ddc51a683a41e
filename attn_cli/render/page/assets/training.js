/** A slider over the steps of a training, at each of which the page has all heads; two steps are compared too. */

import { say } from "./readout.js";
import { Stepper } from "./stepper.js";
import { worded } from "./wording.js";
import { element } from "./words.js";

export class Training {
  /** `change({ time })` hears which step is looked at, `change({ then, other })` which is set beside it. */
  constructor(host, { times }, change) {
    this.times = times;
    host.hidden = times.length < 2;
    if (host.hidden) return;
    const says = (place) => worded("training_step", { step: times[place] });
    const onStep = (place) => {
      change({ time: times[place] });
      say(says(place));
    };
    this.name = element("h2");
    this.says = says;
    this.stepper = new Stepper(times.length, worded("training_steps"), { onStep, says });
    host.append(this.name, this.stepper.element);
    this.wireThen(change);
  }

  /** The step beside it: the same head at another one, until another head is chosen. */
  wireThen(change) {
    this.then = document.getElementById("then");
    this.then.append(
      new Option(worded("step_same"), ""),
      ...this.times.map((time) => new Option(time, time)),
    );
    this.then.addEventListener("change", ({ target: { value } }) =>
      change(value === "" ? { then: undefined } : { then: Number(value), other: this.head }),
    );
  }

  show({ view, head, then }, { time }) {
    if (!this.stepper) return;
    const place = this.times.indexOf(time);
    this.stepper.show(place);
    this.name.textContent = this.says(place);
    this.head = head;
    this.then.value = then ?? "";
    document.getElementById("then-kept").hidden = view !== "compare";
  }
}
