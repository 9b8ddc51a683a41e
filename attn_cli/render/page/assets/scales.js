/** The colours of the heads: one scale for all of them, or one for each. */

import { readRamp, Scale } from "./colours.js";
import { weightOfCode } from "./record.js";

export class Scales {
  /** `state` says which scale is chosen and below what a weight is drawn as zero, `isDark()` what the ground is. */
  constructor(attention, state, isDark) {
    Object.assign(this, { attention, state, isDark, made: new Map() });
    const ramps = Object.entries(attention.ramps);
    this.ramps = Object.fromEntries(ramps.map(([name, text]) => [name, readRamp(text)]));
  }

  /** Begin anew, after what they depend on has changed. */
  forget() {
    this.made.clear();
  }

  of(head) {
    const name = this.state.scale === "panel" ? head : "all";
    if (!this.made.has(name))
      this.made.set(name, this.make(name === "all" ? this.attention.peak : this.peakOf(head)));
    return this.made.get(name);
  }

  /** For the ground that the page has now. */
  ramp(signed) {
    return this.ramps[(signed ? ["signed", "signed night"] : ["paper", "night"])[Number(this.isDark())]];
  }

  make(top) {
    const { scale: kind, least } = this.state;
    return new Scale(this.attention, { kind, top, least, ramp: this.ramp(this.attention.signed) });
  }

  peakOf(head) {
    const largest = this.attention.overviewOf(head).codes.reduce((most, code) => Math.max(most, code), 1);
    return Math.abs(weightOfCode(largest, this.attention)) || this.attention.peak;
  }
}
