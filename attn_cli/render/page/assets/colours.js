/** Weights to colours. Zero is always the bottom of a scale, or the middle where there are signs. */

import { weightOfCode } from "./record.js";
import { writeNumber } from "./words.js";

const DECADES = 4; // that a logarithmic scale reaches down, as in pictures
export const MANY = 48; // cells along a side, from which on the few largest do not set the scale
// The scale of many ends at this quantile or so many times their mean, unless the largest is not far beyond.
const [QUANTILE, TIMES, FAR] = [0.95, 6, 1.5];
const SAMPLE = 200_000; // numbers that are enough to know a quantile

/**
 * How the codes of one head are drawn.
 *
 * `tone` gives each code a number between 0 and 1 (-1 and 1 with signs), `lut` its colour as ImageData wants
 * it. What weighs less than `least` is drawn as zero; a masked cell is left transparent. Where weights lie beyond
 * `top` they have its colour, and `beyond` says so.
 */
export class Scale {
  constructor(attention, { kind, top, least, ramp, beyond = "" }) {
    Object.assign(this, { kind, top, ramp, beyond });
    this.signed = attention.signed;
    this.tone = new Float32Array(attention.codeCount);
    this.lut = new Uint32Array(attention.codeCount);
    for (let code = 1; code < this.tone.length; code++) {
      const weight = weightOfCode(code, attention);
      this.tone[code] = Math.abs(weight) < least ? 0 : Math.sign(weight) * this.height(Math.abs(weight));
      this.lut[code] = this.colour(this.tone[code]);
    }
  }

  /** How far up the scale a size stands, from 0 to 1. */
  height(size) {
    if (size === 0) return 0;
    const way = this.kind === "log" ? 1 + Math.log10(size / this.top) / DECADES : size / this.top;
    return Math.min(1, Math.max(0, way));
  }

  colour(tone) {
    return this.ramp[Math.round(this.signed ? 127.5 + 127.5 * tone : 255 * tone)];
  }

  /** The numbers at its ends; ≥ stands before one that others lie beyond. */
  get ends() {
    const bottom = this.kind === "log" ? this.top / 10 ** DECADES : 0;
    const [low, high] = [this.signed ? -this.top : bottom, this.top].map((end) => writeNumber(end));
    return this.beyond ? [this.signed ? `≤ ${low}` : low, `≥ ${high}`] : [low, high];
  }
}

/**
 * Where the colours of many numbers end, as `top_of` in attn_cli/render/colour.py has it: most have a colour of their
 * own, and the few beyond share the last.
 */
export function topOf(numbers) {
  const sizes = Float64Array.from(numbers, Math.abs).filter((size) => !Number.isNaN(size));
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  const stride = Math.max(1, Math.floor(sizes.length / SAMPLE));
  const sample = sizes.filter((_, i) => i % stride === 0).sort();
  const top = Math.max(quantile(sample, QUANTILE), TIMES * mean);
  if (!(top > 0 && top * FAR < largest)) return largest;
  const step = 10 ** (Math.floor(Math.log10(top)) - 1);
  return Number((Math.ceil(top / step - 1e-9) * step).toPrecision(2));
}

function quantile(sorted, part) {
  const place = part * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (place % 1) * (high - low);
}

/** 256 colours out of base64 RGB, each packed as 0xAABBGGRR. */
export function readRamp(base64) {
  const rgb = atob(base64);
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const [red, green, blue] = [0, 1, 2].map((channel) => rgb.charCodeAt(3 * i + channel));
    return packed(red, green, blue);
  });
}

/** A colour as ImageData wants it. */
export function packed(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** A packed colour as CSS writes it. */
export function css(colour, alpha = 1) {
  return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255} / ${alpha})`;
}

/** Whether near-black text reads better than white on a colour, by its relative luminance. */
export function isLight(colour) {
  const [red, green, blue] = [0, 8, 16].map((shift) => (((colour >> shift) & 255) / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.22;
}

/** Black or white, whichever stands out more from a colour: by 4.58 at least, as WCAG 2.2 counts contrast. */
export function inkOn(colour) {
  const [red, green, blue] = [0, 8, 16].map((shift) => linear(((colour >> shift) & 255) / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > Math.sqrt(1.05 * 0.05) - 0.05 ? "#000" : "#fff";
}

/** The light of a channel of sRGB. */
function linear(channel) {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}
