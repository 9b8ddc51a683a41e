/** The colours of the heads: one scale for all of them, or one for each. */

import { readRamp, Scale } from "./colours.js";
import { weightOfCode } from "./record.js";
import { worded } from "./wording.js";
import { writeNumber } from "./words.js";

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
    if (!this.made.has(name)) this.made.set(name, this.make(this.endOf(head)));
    return this.made.get(name);
  }

  /** Where the colours end: of many weights short of the few largest, of which `beyond` tells. */
  endOf(head) {
    const { peak, ends } = this.attention;
    const kind = this.state.scale;
    if (kind === "panel") return this.endOfOne(ends?.heads[this.attention.at(head)], this.peakOf(head));
    if (kind === "whole") return { top: this.whole };
    if (kind === "log" || !ends?.all) return { top: peak };
    const [top, part, most] = ends.all;
    const share = part < 0.001 ? "< 0.1%" : `${(100 * part).toFixed(1)}%`;
    return { top, beyond: worded("beyond", { top: writeNumber(top), share, most: writeNumber(most) }) };
  }

  endOfOne(top, most) {
    if (!top) return { top: most };
    return { top, beyond: worded("beyond_head", { top: writeNumber(top), most: writeNumber(most) }) };
  }

  /** The end of a scale that leaves no weight beyond it: 1 for weights of rows that sum to it. */
  get whole() {
    const { peak, signed } = this.attention;
    return signed || peak > 1 + 1e-6 ? peak : 1;
  }

  /** What that scale is called; nothing where the shared one is the same. */
  get wholeName() {
    if (this.whole === this.attention.peak && !this.attention.ends?.all) return "";
    return `${this.attention.signed ? `−${writeNumber(this.whole)}` : 0} … ${writeNumber(this.whole)}`;
  }

  /** For the ground that the page has now. */
  ramp(signed) {
    return this.ramps[(signed ? ["signed", "signed night"] : ["paper", "night"])[Number(this.isDark())]];
  }

  make(end) {
    const { scale: kind, least } = this.state;
    return new Scale(this.attention, { kind, ...end, least, ramp: this.ramp(this.attention.signed) });
  }

  peakOf(head) {
    const largest = this.attention.overviewOf(head).codes.reduce((most, code) => Math.max(most, code), 1);
    return Math.abs(weightOfCode(largest, this.attention)) || this.attention.peak;
  }
}
