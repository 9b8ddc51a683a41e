/** The page: one state, drawn by the view that is open, changed by what the reader does. */

import { readRamp, Scale } from "./colours.js";
import { CompareView } from "./compare.js";
import { byId, showControls, wireControls, wireKeys, wireTheme } from "./controls.js";
import { foundIn, nextOf } from "./finding.js";
import { Grid } from "./grid.js";
import { LinesView } from "./lines.js";
import { readLink, writeLink } from "./link.js";
import { MapView } from "./map.js";
import { say, showCell, showHint, showPrecision, showStrongest, showToken } from "./readout.js";
import { readRecord, weightOfCode } from "./record.js";
import { savePicture } from "./saving.js";
import { TokensView } from "./tokens.js";
import { Viewport } from "./viewport.js";
import { worded } from "./wording.js";
import { element } from "./words.js";

class App {
  constructor(attention) {
    const { count, queries, keys, ramps } = attention;
    this.attention = attention;
    this.ramps = Object.fromEntries(Object.entries(ramps).map(([name, text]) => [name, readRamp(text)]));
    this.state = {
      view: "map",
      head: 0,
      other: Math.min(1, count - 1),
      scale: "shared",
      least: 0,
      find: "",
      cell: null,
      ...readLink(attention),
    };
    this.held = null; // what was pressed, as JSON: pointing elsewhere does not let it go
    this.viewport = new Viewport(queries.length, keys.length);
    this.views = this.makeViews();
    this.grid = new Grid(byId("grid"), attention, {
      onOpen: (head) => this.change({ head }),
      onCompare: (other) => this.change({ other, view: "compare" }),
    });
    this.isDark = wireTheme(() => this.recolour());
    const zoom = (factor) => this.zoom(factor);
    wireControls(attention, {
      change: (changes) => this.change(changes),
      zoom,
      next: () => this.nextFound(),
      save: () => this.save(), // as a picture
    });
    const turn = (by) => this.change({ head: (this.state.head + by + count) % count });
    wireKeys({ zoom, turn, release: () => this.release() });
    addEventListener("hashchange", () => this.change(readLink(attention)));
  }

  makeViews() {
    const onPoint = (cell, spoken) => this.point(cell, spoken, false);
    const onHold = (cell) => this.point(cell, false, true);
    const onView = () => this.show();
    const below = () => innerHeight - byId("view").getBoundingClientRect().top - scrollY - 50;
    const room = () => Math.max(below(), Math.min(0.75 * innerHeight, 560));
    return {
      map: new MapView(this.viewport, { onPoint, onHold, onView, room }),
      lines: new LinesView({ onFocus: (...asked) => this.choose(...asked) }),
      tokens: new TokensView(this.attention, { onQuery: (query, ...how) => this.choose({ query }, ...how) }),
      compare: new CompareView(this.viewport, { onPoint, onHold, onView, room }),
    };
  }

  /** Set a part of the state, and draw what shows it. */
  change(changes) {
    Object.assign(this.state, changes);
    if (changes.pool) this.attention.show(changes.pool);
    this.whenOpen(() => this.draw(changes));
  }

  /** Do something with the heads that are seen: at once, unless one of them is still to be inflated. */
  whenOpen(act) {
    const { view, head, other } = this.state;
    const closed = [head, ...(view === "compare" ? [other] : [])].filter(
      (one) => !this.attention.isOpen(one),
    );
    if (closed.length === 0) act();
    else Promise.all(closed.map((one) => this.attention.open(one))).then(() => this.whenOpen(act));
  }

  draw(changes) {
    if ("view" in changes) this.held = null;
    this.attention.hidesSpecial = this.state.special === false;
    if ("special" in changes || "pool" in changes) this.grid.samples = [];
    if (["scale", "least", "special", "pool"].some((part) => part in changes)) this.recolour();
    else this.show();
    if (changes.find)
      say(worded("found", { n: this.found().queries.size, all: this.attention.queries.length }));
    writeLink(this.attention, this.state);
    if ("head" in changes) say(this.attention.name(this.state.head));
  }

  recolour() {
    showPrecision(this.attention);
    this.scales = new Map();
    this.show();
    this.grid.draw((head) => this.scaleOf(head));
  }

  show() {
    const { view, head, other, cell } = this.state;
    const open = this.views[view];
    if (!open.element.isConnected) byId("view").replaceChildren(open.element);
    open.show(view === "map" ? this.model().sheetOf(head) : this.model());
    open.point?.(cell);
    this.grid.mark(head, view === "compare" ? other : -1);
    showControls(this.attention, this.state, this.scaleOf(head));
    this.describe(view === "tokens" ? { query: cell?.query ?? 0 } : {}, false);
  }

  /** All that a view is given. */
  model() {
    const found = this.found();
    return {
      ...this.state,
      attention: this.attention,
      signedRamp: this.rampOf(true),
      found,
      scale: this.scaleOf(this.state.head),
      sheetOf: (head) => this.sheetOf(head, found),
    };
  }

  sheetOf(head, found) {
    const { attention } = this;
    return {
      codes: attention.codesOf(head),
      scale: this.scaleOf(head),
      queries: attention.queries,
      keys: attention.keys,
      found,
      brief: (query, key) => attention.weight(head, query, key)?.toFixed(2),
      label: attention.name(head),
    };
  }

  scaleOf(head) {
    const name = this.state.scale === "panel" ? head : "all";
    const top = () => (name === "all" ? this.attention.peak : this.peakOf(head));
    if (!this.scales.has(name)) this.scales.set(name, this.makeScale(top()));
    return this.scales.get(name);
  }

  /** For the ground that the page has now. */
  rampOf(signed) {
    if (signed) return this.ramps[this.isDark() ? "signed night" : "signed"];
    return this.ramps[this.isDark() ? "night" : "paper"];
  }

  makeScale(top) {
    const ramp = this.rampOf(this.attention.signed);
    return new Scale(this.attention, { kind: this.state.scale, top, least: this.state.least, ramp });
  }

  peakOf(head) {
    const largest = this.attention.overviewOf(head).codes.reduce((most, code) => Math.max(most, code), 1);
    return Math.abs(weightOfCode(largest, this.attention)) || this.attention.peak;
  }

  /** Hovering previews; a press holds what it is on, until that is pressed again, Esc lets go or keys move on. */
  mayPoint(what, spoken, pressed) {
    const name = JSON.stringify(what);
    if (pressed) this.held = this.held === name ? null : name;
    else if (spoken) this.held = null;
    return pressed || spoken || !this.held;
  }

  release() {
    this.held = null;
    this.describe({}, false);
  }

  /** Point at a cell; only what lies over the map is drawn anew. */
  point(cell, spoken, pressed) {
    if (!this.mayPoint(cell, spoken, pressed)) return;
    this.state.cell = cell;
    if (spoken || pressed) writeLink(this.attention, this.state);
    if (spoken && !this.viewport.isWhole) {
      this.viewport.reveal(cell);
      this.show();
    }
    this.views[this.state.view].point(cell);
    this.describe({}, spoken);
  }

  /** Look at a token: a query, a key, or none. */
  choose(token, spoken, pressed) {
    if (!this.mayPoint(token, spoken, pressed)) return false;
    const { view, cell } = this.state;
    if (token.query !== undefined) this.state.cell = { query: token.query, key: cell?.key ?? 0 };
    if (spoken || pressed) writeLink(this.attention, this.state);
    if (view === "tokens") this.views.tokens.show(this.model());
    this.describe(token, spoken);
    return true;
  }

  /** Say what is pointed at: a token if one is given, else the cell. */
  describe(token, spoken) {
    const { view, head, other, cell } = this.state;
    const pointed = view === "map" || view === "compare" ? (cell ?? {}) : token;
    showStrongest(this.attention, head, pointed);
    if (token.query !== undefined || token.key !== undefined) showToken(this.attention, head, token, spoken);
    else if (view === "lines") showHint(worded("point_token"));
    else if (cell) showCell(this.attention, view === "compare" ? [head, other] : [head], cell, spoken);
    else showHint(worded("point_cell"));
    if (this.held) byId("readout").append(element("span", "hint", worded("held")));
  }

  zoom(factor) {
    if (factor) this.viewport.zoom(factor, centreOf(this.state.cell));
    else this.viewport.fit();
    this.show();
  }

  found() {
    return foundIn(this.attention, this.state.find);
  }

  /** Go to the next token that the search found, and its largest weight. */
  nextFound() {
    const next = nextOf(this.found(), this.state.cell);
    const open = this.views[this.state.view];
    if (next?.query !== undefined && open.queries) open.queries.point(next.query, true);
    else if (next) this.point(this.attention.largest(this.state.head, next), true);
  }

  save() {
    const { map, compare } = this.views;
    savePicture(this.state.view === "map" ? [map] : compare.maps, "attention");
  }
}

function centreOf(cell) {
  return cell ? { row: cell.query + 0.5, column: cell.key + 0.5 } : undefined;
}

try {
  const attention = await readRecord();
  byId("main").toggleAttribute("data-single", attention.count === 1);
  byId("main").hidden = false;
  const app = new App(attention);
  app.whenOpen(() => app.recolour());
} catch (problem) {
  byId("precision").textContent = worded("unreadable", { reason: problem.message });
  throw problem;
}
