/** The page: one state, drawn by the view that is open, changed by what the reader does. */

import { readStyle } from "./canvas.js";
import { byId, nameWhole, showControls, wireControls, wireKeys, wireTheme } from "./controls.js";
import { extrasOf } from "./extras.js";
import { foundIn, nextOf, showFound } from "./finding.js";
import { growFrame } from "./growing.js";
import { Grid } from "./grid.js";
import { readHeard } from "./heard.js";
import { Hold } from "./hold.js";
import { differences, readLink, unchanged, writeLink } from "./link.js";
import { Overlay } from "./overlay.js";
import { describe, describePlace, lookAt, placeOf } from "./pointed.js";
import { say, showPrecision } from "./readout.js";
import { readRecord } from "./record.js";
import { fileName, saveDrawing, savePicture } from "./saving.js";
import { Scales } from "./scales.js";
import { sheetOf } from "./sheet.js";
import { SORTED_BY, Sorting } from "./sorting.js";
import { barsBeside } from "./bars.js";
import { centreOf, Viewport } from "./viewport.js";
import { readVectors } from "./vectors.js";
import { makeViews } from "./views.js";
import { worded } from "./wording.js";

const SETTLED = 200; // milliseconds after which a map that is dragged is taken to stand still

class App {
  constructor(attention, vectors, heard) {
    Object.assign(this, { attention, vectors, heard });
    this.first = unchanged(attention);
    this.state = { ...this.first, ...readLink(attention) };
    attention.show(this.state);
    attention.hidesSpecial = !this.state.special;
    this.hold = new Hold();
    this.viewport = new Viewport(attention.queries.length, attention.keys.length);
    this.views = makeViews(this);
    lookAt(this, this.state);
    this.grid = new Grid(byId("grid"), attention, {
      onOpen: (head) => this.change({ head }),
      onCompare: (other) => this.beside(other),
    });
    this.isDark = wireTheme(() => this.recolour());
    this.sorting = new Sorting(attention, this.grid, this.state, (changes) => this.change(changes));
    this.scales = new Scales(attention, this.state, this.isDark);
    this.overlay = new Overlay(byId("overlay"), attention, {
      onChange: (also) => this.change({ also }),
      onOpen: (head) => this.change({ head }),
      isDark: this.isDark,
    });
    this.extras = extrasOf(attention, {
      change: (changes) => this.change(changes),
      toRow: (...to) => this.toRow(...to),
      point: (cell, pressed) => this.point(cell, false, pressed),
    });
    const zoom = (factor) => this.zoom(factor);
    wireControls(attention, {
      change: (changes) => this.change(changes),
      zoom,
      next: () => this.nextFound(),
      save: () => this.save(savePicture),
      saveSvg: () => this.save(saveDrawing),
    });
    const turn = (by) => this.change({ head: this.grid.step(this.state.head, by) });
    wireKeys({ zoom, turn, release: () => this.release() });
    addEventListener("hashchange", () => this.restore());
  }

  /** Set a part of the state, and draw what shows it. */
  change(changes) {
    Object.assign(this.state, changes);
    this.state.also = this.state.also.filter((head) => head !== this.state.head);
    if (this.state.view === "qk") this.state.cell ??= { query: 0, key: 0 };
    lookAt(this, changes);
    if (changes.pool || "time" in changes) this.attention.show(changes);
    this.whenOpen(() => this.draw(changes));
  }

  /** The heads that are seen, the open one first. */
  get seen() {
    const { view, head, other, then, also } = this.state;
    if (view === "compare") return [head, this.attention.headAt(other, then)];
    return this.overlays ? [head, ...also] : [head];
  }

  /** Whether heads are laid over one another. */
  get overlays() {
    return ["lines", "tokens"].includes(this.state.view);
  }

  /** Another head beside the open one: laid over it where views can, else in a map of its own. */
  beside(head) {
    if (this.overlays) this.overlay.toggle(head);
    else this.change({ other: head, view: "compare" });
  }

  /** Change something, and look at a row. */
  toRow(changes, query) {
    const cell = this.attention.largest(this.state.head, { query });
    this.change({ ...changes, cell });
    if (this.state.view === "lines") this.views.lines.focus({ query }, false);
  }

  /** Do something with the heads that are seen: at once, unless one of them is still to be inflated. */
  whenOpen(act) {
    const closed = this.seen.filter((one) => !this.attention.isOpen(one));
    if (closed.length === 0) act();
    else Promise.all(closed.map((one) => this.attention.open(one))).then(() => this.whenOpen(act));
  }

  /** Show for the first time what the address asked for. */
  begin() {
    this.viewport.show(this.state.part);
    this.sorting.arrange();
    this.recolour();
    if (this.state.find) showFound(this.attention, this.found(), this.state.find);
  }

  /** Show what the address asks for now, and nothing else of what was seen. */
  restore() {
    const asked = { ...this.first, ...readLink(this.attention) };
    this.change(differences(asked, this.state, ["view", "token"]));
  }

  draw(changes) {
    const changed = (...parts) => parts.some((part) => part in changes);
    if (changed("view")) this.hold.release();
    this.attention.hidesSpecial = !this.state.special;
    if (changed("special", "pool", "time")) this.grid.samples = [];
    if (changed("part")) this.viewport.show(this.state.part);
    if (changed(...SORTED_BY) || (changed("time") && this.state.sort)) this.sorting.arrange();
    if (changed("scale", "least", "special", "pool", "time")) this.recolour();
    else this.show();
    if ("find" in changes) showFound(this.attention, this.found(), changes.find);
    writeLink(this.attention, this.state, placeOf(this));
    if ("head" in changes) say(this.attention.name(this.state.head));
  }

  recolour() {
    showPrecision(this.attention);
    this.scales.forget();
    nameWhole(this.scales.wholeName);
    this.show();
    this.grid.draw((head) => this.scales.of(head));
  }

  show() {
    const { view, head, cell } = this.state;
    const open = this.views[view];
    this.overlay.show(this.state, this.overlays);
    if (!open.element.isConnected) byId("view").replaceChildren(open.element);
    open.show(view === "map" ? this.model().sheetOf(head) : this.model());
    open.point?.(cell);
    this.grid.mark(head, ...this.seen.slice(1).map((one) => one % this.attention.count));
    showControls(this.attention, this.state, this.scales.of(head));
    for (const extra of this.extras) extra.show(this.state, this.attention, this.scales.of(head));
    describePlace(this);
  }

  /** All that a view is given. */
  model() {
    const found = this.found();
    return {
      ...this.state,
      other: this.seen[1],
      attention: this.attention,
      signedRamp: this.scales.ramp(true),
      found,
      heads: this.overlay.heads,
      scaleOf: (head) => this.scales.of(head),
      sheetOf: (head) => ({
        ...sheetOf(this.attention, head, this.scales.of(head), found),
        strips: barsBeside(this.attention, head),
        heard: this.heard,
      }),
    };
  }

  save(as) {
    const { view } = this.state;
    as(this.views[view].panels, readStyle(byId("view")), fileName(this.attention, this.seen, view));
  }

  release() {
    this.hold.release();
    describePlace(this);
  }

  /** Point at a cell; only what lies over the map is drawn anew. */
  point(cell, spoken, pressed) {
    if (!this.hold.admits(cell, spoken, pressed)) return;
    this.state.cell = cell;
    if (spoken || pressed) writeLink(this.attention, this.state, placeOf(this));
    if (spoken && !this.viewport.isWhole) {
      this.viewport.reveal(cell);
      this.move();
    }
    this.views[this.state.view].point(cell);
    describe(this, {}, spoken);
  }

  /** Look at a token: a query, a key, or none. */
  choose(token, spoken, pressed) {
    if (!this.hold.admits(token, spoken, pressed)) return false;
    const { view, cell } = this.state;
    if (Object.keys(token).length) this.state.cell = { query: 0, key: 0, ...cell, ...token };
    if (spoken || pressed) writeLink(this.attention, this.state, token);
    if (view === "tokens") this.views.tokens.show(this.model());
    describe(this, token, spoken);
    return true;
  }

  zoom(factor) {
    if (factor) this.viewport.zoom(factor, centreOf(this.state.cell));
    else this.viewport.fit();
    this.move();
  }

  /** Show another part of the map. */
  move() {
    this.state.part = this.viewport.part;
    this.show();
    clearTimeout(this.moved);
    this.moved = setTimeout(() => writeLink(this.attention, this.state, placeOf(this)), SETTLED);
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
}

try {
  const attention = await readRecord();
  byId("main").toggleAttribute("data-single", attention.count === 1);
  byId("main").hidden = false;
  const app = new App(attention, await readVectors(attention), await readHeard(attention));
  app.whenOpen(() => app.begin());
  if (attention.grows) growFrame();
} catch (problem) {
  byId("precision").textContent = worded("unreadable", { reason: problem.message });
  throw problem;
}
