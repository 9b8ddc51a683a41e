/** Tokens that a search finds. */

import { byId } from "./controls.js";
import { say } from "./readout.js";
import { worded } from "./wording.js";

/** The places of the queries and of the keys in which the text that is looked for stands, in small letters or large. */
export function foundIn({ queries, keys }, text) {
  const wanted = text.toLowerCase();
  const matches = (tokens) =>
    new Set(wanted ? [...tokens.keys()].filter((i) => tokens[i].toLowerCase().includes(wanted)) : []);
  return { queries: matches(queries), keys: matches(keys) };
}

/** The next query after a cell, or the next key where no query was found: { query } or { key }, or nothing. */
export function nextOf({ queries, keys }, cell) {
  const axis = queries.size ? "query" : "key";
  const places = [...(queries.size ? queries : keys)];
  const next = places.find((place) => place > (cell?.[axis] ?? -1)) ?? places[0];
  return next === undefined ? null : { [axis]: next };
}

/** Say beside the field how many were found, none as well, and tell those who cannot see it. */
export function showFound({ queries, keys, twoTexts }, found, text) {
  const [n, all] = twoTexts
    ? [found.queries.size + found.keys.size, queries.length + keys.length]
    : [found.queries.size, queries.length];
  const said = text ? worded("found", { n, all }) : "";
  byId("found").textContent = said;
  byId("found").hidden = !said;
  if (said) say(said);
}
