/** A slider over the steps of a training, at each of which the page has all heads. */

import { say } from "./readout.js";
import { Stepper } from "./stepper.js";
import { worded } from "./wording.js";
import { element } from "./words.js";

export class Training {
  /** `onTime(time)` hears which step is looked at. */
  constructor(host, { times }, onTime) {
    this.times = times;
    host.hidden = times.length < 2;
    if (host.hidden) return;
    const says = (place) => worded("training_step", { step: times[place] });
    const onStep = (place) => {
      onTime(times[place]);
      say(says(place));
    };
    this.name = element("h2");
    this.says = says;
    this.stepper = new Stepper(times.length, worded("training_steps"), { onStep, says });
    host.append(this.name, this.stepper.element);
  }

  show(_, { time }) {
    if (!this.stepper) return;
    const place = this.times.indexOf(time);
    this.stepper.show(place);
    this.name.textContent = this.says(place);
  }
}
