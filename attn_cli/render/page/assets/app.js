/** The page: one state, drawn by the view that is open, changed by what the reader does. */

import { readRamp, Scale } from "./colours.js";
import { CompareView } from "./compare.js";
import { byId, showControls, wireControls, wireKeys, wireTheme } from "./controls.js";
import { Grid } from "./grid.js";
import { LinesView } from "./lines.js";
import { MapView } from "./map.js";
import { say, showCell, showHint, showPrecision, showStrongest, showToken } from "./readout.js";
import { readRecord, weightOfCode } from "./record.js";
import { TokensView } from "./tokens.js";
import { Viewport } from "./viewport.js";

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
    };
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
    });
    wireKeys({ zoom, turn: (by) => this.change({ head: (this.state.head + by + count) % count }) });
  }

  makeViews() {
    const onPoint = (cell, spoken) => this.point(cell, spoken);
    const onView = () => this.show();
    const below = () => innerHeight - byId("view").getBoundingClientRect().top - scrollY - 50;
    const room = () => Math.max(below(), Math.min(0.75 * innerHeight, 560));
    return {
      map: new MapView(this.viewport, { onPoint, onView, room }),
      lines: new LinesView({ onFocus: (token, spoken) => this.choose(token, spoken) }),
      tokens: new TokensView(this.attention, { onQuery: (query, spoken) => this.choose({ query }, spoken) }),
      compare: new CompareView(this.viewport, { onPoint, onView, room }),
    };
  }

  /** Set a part of the state, and draw what shows it. */
  change(changes) {
    Object.assign(this.state, changes);
    if ("scale" in changes || "least" in changes) this.recolour();
    else this.show();
    if ("find" in changes) this.tellFound();
    if ("head" in changes) say(this.attention.name(this.state.head));
  }

  recolour() {
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
    const own = this.state.scale === "panel";
    const name = own ? head : "all";
    if (!this.scales.has(name))
      this.scales.set(name, this.makeScale(own ? this.peakOf(head) : this.attention.peak));
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
    const largest = this.attention.codesOf(head).reduce((most, code) => Math.max(most, code), 1);
    return Math.abs(weightOfCode(largest, this.attention)) || this.attention.peak;
  }

  /** Point at a cell; only what lies over the map is drawn anew. */
  point(cell, spoken) {
    this.state.cell = cell;
    if (spoken && !this.viewport.isWhole) {
      this.viewport.reveal(cell);
      this.show();
    }
    this.views[this.state.view].point(cell);
    this.describe({}, spoken);
  }

  /** Look at a token: a query, a key, or none. */
  choose(token, spoken) {
    const { view, cell } = this.state;
    if (token.query !== undefined) this.state.cell = { query: token.query, key: cell?.key ?? 0 };
    if (view === "tokens") this.views.tokens.show(this.model());
    this.describe(token, spoken);
  }

  /** Say what is pointed at: a token if one is given, else the cell. */
  describe(token, spoken) {
    const { view, head, other, cell } = this.state;
    const pointed = view === "map" || view === "compare" ? (cell ?? {}) : token;
    showStrongest(this.attention, head, pointed);
    if (token.query !== undefined || token.key !== undefined) showToken(this.attention, head, token, spoken);
    else if (view === "lines") showHint("Point at a token to see what it attends to, or what attends to it.");
    else if (cell) showCell(this.attention, view === "compare" ? [head, other] : [head], cell, spoken);
    else showHint("Point at a cell to read its weight.");
  }

  zoom(factor) {
    if (factor) this.viewport.zoom(factor, centreOf(this.state.cell));
    else this.viewport.fit();
    this.show();
  }

  found() {
    const find = this.state.find.toLowerCase();
    const matches = (tokens) =>
      new Set(find ? [...tokens.keys()].filter((i) => tokens[i].toLowerCase().includes(find)) : []);
    return { queries: matches(this.attention.queries), keys: matches(this.attention.keys) };
  }

  tellFound() {
    const { queries } = this.found();
    if (this.state.find) say(`${queries.size} of ${this.attention.queries.length} tokens found`);
  }

  /** Go to the next query that the search found. */
  nextFound() {
    const queries = [...this.found().queries];
    if (queries.length === 0) return;
    const { query, key } = this.state.cell ?? { query: -1, key: 0 };
    const next = queries.find((place) => place > query) ?? queries[0];
    const open = this.views[this.state.view];
    if (open.queries) open.queries.point(next, true);
    else this.point({ query: next, key }, true);
  }
}

function centreOf(cell) {
  return cell ? { row: cell.query + 0.5, column: cell.key + 0.5 } : undefined;
}

try {
  const attention = await readRecord();
  byId("main").toggleAttribute("data-single", attention.count === 1);
  byId("main").hidden = false;
  showPrecision(attention);
  new App(attention).recolour();
} catch (problem) {
  byId("precision").textContent = `The weights of this page could not be read: ${problem.message}`;
  throw problem;
}
