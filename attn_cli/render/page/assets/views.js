/** The views of the stage, each by the name of its tab, and what of the page hears them. */

import { CompareView } from "./compare.js";
import { byId } from "./controls.js";
import { windowHeight } from "./growing.js";
import { LinesView } from "./lines.js";
import { MapView } from "./map.js";
import { QkView } from "./qk.js";
import { TokensView } from "./tokens.js";

export function makeViews(app) {
  const { attention, viewport } = app;
  const onPoint = (cell, spoken) => app.point(cell, spoken, false);
  const onHold = (cell) => app.point(cell, false, true);
  const onView = () => app.move();
  const below = () => windowHeight(attention) - byId("view").getBoundingClientRect().top - scrollY - 50;
  const room = () => Math.max(below(), Math.min(0.75 * windowHeight(attention), 560));
  return {
    map: new MapView(viewport, { onPoint, onHold, onView, room }),
    lines: new LinesView({ onFocus: (...asked) => app.choose(...asked) }),
    tokens: new TokensView(attention, {
      onToken: (...asked) => app.choose(...asked),
      onTurn: () => app.change({}),
    }),
    compare: new CompareView(viewport, { onPoint, onHold, onView, room }),
    qk: new QkView(attention, app.vectors, { onPoint }),
  };
}
