/** What the page says, in the language that it was made in. */

const WORDING = JSON.parse(document.getElementById("wording").textContent);

/** The sentence of that name, with `{parts}` filled in. */
export function worded(name, parts = {}) {
  return WORDING[name].replace(/\{(\w+)\}/g, (_, part) => parts[part]);
}
