/** What the reader looks at, a cell or a token, and what the page says of it. */

import { barsBeside } from "./bars.js";
import { byId } from "./controls.js";
import { overlaid } from "./overlay.js";
import { forgetStrongest, handed, showCell, showHint, showStrongest, showToken } from "./readout.js";
import { worded } from "./wording.js";
import { element } from "./words.js";

/** Look at the token that an address asks for, or at none, where the open view has tokens. */
export function lookAt(app, changes) {
  if ("token" in changes) app.views[app.state.view].look?.(changes.token ?? {});
}

/** What is looked at: a token where the open view has tokens, else a cell; or nothing. */
export function placeOf({ views, state }) {
  const open = views[state.view];
  return open.token ? open.token(state.cell) : (state.cell ?? {});
}

/** Say what is looked at after something else has changed: no number of another head stays. */
export function describePlace(app) {
  forgetStrongest();
  describe(app, app.views[app.state.view].token ? placeOf(app) : {}, false);
}

/** Say what is pointed at: a token if one is given, else the cell. */
export function describe(app, token, spoken) {
  const { attention, state, seen, hold, overlay } = app;
  const { view, head, cell } = state;
  const pointed = ["map", "compare", "qk"].includes(view) ? (cell ?? {}) : token;
  for (const extra of app.extras) extra.look?.(pointed);
  showStrongest(attention, head, pointed, seen.length > 1 ? attention.tag(head) : "");
  if (token.query !== undefined || token.key !== undefined) {
    showToken(attention, head, token, spoken, overlaid(attention, overlay.heads, token));
  } else if (view === "lines") showHint(worded("point_token"));
  else if (cell) describeCell(app, cell, spoken);
  else showHint(handed("point_cell"));
  keepRoom(seen.length);
  if (hold.held) byId("readout").append(element("span", "hint", handed("held")));
}

/** The line above the view has room from the first, so that nothing moves away under the pointer. */
function keepRoom(heads) {
  byId("readout").style.setProperty("--lines", 1 + Math.ceil(heads / 4));
}

function describeCell({ attention, state, seen }, cell, spoken) {
  const strips = state.view === "map" ? barsBeside(attention, state.head) : undefined;
  showCell(attention, seen, cell, spoken, strips?.says(cell));
}
