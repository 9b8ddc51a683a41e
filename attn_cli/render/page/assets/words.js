/** How tokens and numbers are written. */

import { worded } from "./wording.js";

const UNSEEN = /[\u00ad\u200b\u2060\ufeff]/g; // a soft hyphen, and spaces of no width
const DIGITS = { Float64Array: 9, Float32Array: 7 };

/** A weight as exactly as it is known: `0.489394989`, or `0.0021 ± 0.0006` where it was rounded to travel. */
export function writeWeight(attention, head, query, key) {
  const weight = attention.weight(head, query, key);
  if (weight === null) return worded("masked");
  const error = attention.error(head, query, key);
  if (error === 0) return writeNumber(weight, DIGITS[attention.exact.constructor.name]);
  const decimals = Math.min(9, Math.max(2, Math.ceil(-Math.log10(error))));
  const upper = Math.ceil(error * 10 ** decimals) / 10 ** decimals;
  if (weight === 0) return `< ${upper.toFixed(decimals)}`;
  return `${weight.toFixed(decimals).replace(/^-/, "−")} ± ${upper.toFixed(decimals)}`;
}

/** A number with no more than so many significant digits. */
export function writeNumber(number, digits = 2) {
  return String(Number(number.toPrecision(digits))).replace(/^-/, "−");
}

/** A token cut to what an axis has room for; spaces are made visible. */
export function short(token, most = 14) {
  const characters = Array.from(shown(token));
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : characters.join("");
}

/** A token as it can be seen: blanks alone, and characters without a look of their own, by their marks or codes. */
export function shown(token) {
  const seen = token.replace(UNSEEN, codeOf);
  if (seen.trim() !== "") return seen;
  return Array.from(seen, (blank) => (blank === " " ? "␣" : codeOf(blank))).join("") || "∅";
}

function codeOf(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** An element with a class and, as text only, what it says. */
export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
