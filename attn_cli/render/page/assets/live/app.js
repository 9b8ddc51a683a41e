/** The live page: one state, sent to the worker whenever it changes, and drawn from what the worker answers. */

import { readRamp, Scale } from "./../colours.js";
import { byId, wireTheme } from "./../controls.js";
import { Grid } from "./../grid.js";
import { say } from "./../readout.js";
import { showInside } from "./cell.js";
import { Changes, showChanges } from "./changes.js";
import { alignment, recordOf } from "./records.js";
import { counterpart, origin, Stage } from "./stage.js";
import { wireQuestions } from "./questions.js";
import { showStreams } from "./strips.js";
import { showCellOf, showOutput, showTabs, showTokens } from "./showing.js";
import { worded } from "./../wording.js";

class Live {
  constructor(header) {
    this.header = header;
    this.ramps = Object.fromEntries(
      Object.entries(header.ramps).map(([name, text]) => [name, readRamp(text)]),
    );
    this.twoStacks = header.config.stack === "both";
    this.state = { kind: null, head: 0, cell: { query: 0, key: 0 }, which: "original" };
    this.changes = new Changes();
    this.stage = new Stage(byId("view"), (which, cell, spoken) => this.point(which, cell, spoken));
    this.isDark = wireTheme(() => this.recolour());
    this.last = 0;
    this.worker = newWorker();
    this.worker.addEventListener("message", ({ data }) => this.hear(data));
    this.worker.addEventListener("error", ({ message }) => tellBroken(message));
    this.worker.postMessage({ header, weights: byId("weights").textContent });
    byId("weights").remove();
    byId("letting").hidden = !this.twoStacks;
    this.wire();
  }

  wire() {
    byId("text").addEventListener("input", () => {
      this.changes.forgetPlaces();
      this.ask();
    });
    byId("target").addEventListener("input", () => this.ask());
    byId("positions").addEventListener("change", ({ target }) => this.change({ positions: target.checked }));
    byId("temperature").addEventListener("input", ({ target }) =>
      this.change({ temperature: Number((10 ** (target.value / 20)).toPrecision(2)) }),
    );
    byId("silence").addEventListener("click", () => this.change({ heads: this.headName(this.state.head) }));
    byId("reset").addEventListener("click", () => this.change(null));
    wireQuestions((text) => this.read(text));
  }

  /** Read another text than the one that is there, unchanged. */
  read(text) {
    byId("text").value = text;
    byId("target").value = "";
    this.change(null);
  }

  change(change) {
    this.changes.take(change);
    this.ask();
  }

  /** Ask the worker for everything anew; it answers the newest question alone, and none before it is open. */
  ask() {
    if (!this.opened) return;
    const change = this.changes.any ? this.changes.asked() : null;
    this.worker.postMessage({
      id: ++this.last,
      text: byId("text").value.trimEnd(), // a space before the next word is no token that is meant
      target: byId("target").value.trim(),
      change,
    });
    showChanges(this.changes, this.answer?.tokens ?? []);
  }

  hear(data) {
    if (data.opened) {
      this.opened = true;
      this.ask();
    } else if (data.broken) throw tellBroken(data.broken);
    else if (data.id === this.last) this.hearAnswer(data);
  }

  hearAnswer(data) {
    byId("opening").hidden = true;
    byId("problem").textContent = data.problem ? worded(`problem_${data.problem}`, data) : "";
    byId("text").toggleAttribute("aria-invalid", Boolean(data.problem));
    if (data.problem) return;
    if (data.reads) {
      this.takeFirst(data);
      return;
    }
    this.take(data);
    byId("precision").textContent = worded(data.tokens.length === 1 ? "took_1" : "took", {
      tokens: data.tokens.length,
      milliseconds: Math.round(data.milliseconds),
    });
    document.body.dataset.answered = data.id;
  }

  /** The map of what is read, while what is written is not known yet: nothing else is drawn of it. */
  takeFirst({ tokens, reads }) {
    const { kind, head } = this.state;
    if (kind !== "encoder" || this.changes.any) return;
    const original = recordOf(reads.kinds.encoder);
    showTokens(byId("tokens"), tokens, this.changes, () => {});
    this.stage.show({ original, head, scale: this.scale() });
  }

  take(answer) {
    this.answer = answer;
    byId("main").removeAttribute("data-opening");
    const kinds = Object.keys(answer.original.kinds);
    if (!kinds.includes(this.state.kind)) {
      this.state.kind = kinds.includes(this.header.attends) ? this.header.attends : kinds[0];
    }
    this.records();
    this.show();
  }

  /** Make records of the kind that is open. */
  records() {
    const { original, changed, tokens } = this.answer;
    const { kind } = this.state;
    this.original = recordOf(original.kinds[kind]);
    this.changed = changed ? recordOf(changed.kinds[kind]) : null;
    const kept = [...tokens.keys()].filter((place) => !this.changes.drop.has(place));
    this.alignment = changed ? alignment(this.original, this.changed, kept, this.twoStacks, kind) : null;
    const { queries, keys } = this.original;
    const { query, key } = this.state.cell;
    this.state.which = "original";
    this.state.cell = { query: Math.min(query, queries.length - 1), key: Math.min(key, keys.length - 1) };
    this.newGrid();
  }

  newGrid() {
    const host = byId("grid");
    const fresh = host.cloneNode(false);
    delete fresh.dataset.drawn;
    host.replaceWith(fresh);
    const onOpen = (head) => this.open(head);
    this.grid = new Grid(fresh, this.original, { onOpen, onCompare: onOpen });
  }

  open(head) {
    this.state.head = head;
    this.show();
    say(this.original.name(head));
  }

  openKind(kind) {
    this.state.kind = kind;
    this.records();
    this.show();
  }

  recolour() {
    this.scales = null;
    if (this.answer) this.show();
  }

  /** Weights are always drawn from 0 to 1, so that colours mean the same while one types. */
  scale() {
    const ramp = this.ramps[this.isDark() ? "night" : "paper"];
    this.scales ??= new Scale(this.original, { kind: "shared", top: 1, least: 0, ramp });
    return this.scales;
  }

  get signedRamp() {
    return this.ramps[this.isDark() ? "signed night" : "signed"];
  }

  show() {
    const { original, changed, alignment: fit, answer, header } = this;
    const { kind, head } = this.state;
    const scale = this.scale();
    showTokens(byId("tokens"), answer.tokens, this.changes, (place) =>
      this.change({ [byId("click").value]: place }),
    );
    showChanges(this.changes, answer.tokens);
    showOutput(header, answer);
    showTabs(Object.keys(answer.original.kinds), kind, (chosen) => this.openKind(chosen));
    byId("which").textContent = `${worded(kind)}: ${original.name(head)}`;
    byId("silence").disabled = this.headName(head) === null;
    byId("silence").setAttribute("aria-pressed", this.changes.heads.has(this.headName(head)));
    this.stage.show({ original, changed, head, scale, signedRamp: this.signedRamp, alignment: fit });
    this.grid.draw(() => scale);
    this.grid.mark(head, -1);
    this.markSilent();
    showStreams(byId("layers"), { ...answer, kind, ramp: this.signedRamp });
    this.describe(false);
  }

  markSilent() {
    this.grid.cells.forEach((cell, map) =>
      cell.classList.toggle("silent", this.changes.heads.has(this.headName(map))),
    );
  }

  /** A head as capture.js calls it; the mean of a layer has no such name. */
  headName(map) {
    const { layer, head } = this.original.headOf(map);
    return head === null ? null : `${this.state.kind} ${layer} ${head}`;
  }

  /** Point at a cell of one of the maps. */
  point(which, cell, spoken) {
    const there = which === "original" ? cell : this.alignment ? origin(cell, this.alignment) : null;
    this.state.which = which === "original" ? "original" : "changed";
    this.state.own = cell;
    this.state.cell = there ?? this.state.cell;
    this.describe(spoken);
  }

  describe(spoken) {
    const { which, cell, head } = this.state;
    this.stage.point(cell);
    const ofChanged = which === "changed" && this.changed;
    const record = ofChanged ? this.changed : this.original;
    const own = ofChanged ? this.state.own : cell;
    const beside = this.alignment ? counterpart(cell, this.alignment) : null;
    showCellOf({ record, own, head, original: this.original, changed: this.changed, cell, beside }, spoken);
    const sides = [
      { side: "original", record: this.original, cell: this.alignment || !ofChanged ? cell : null },
      { side: "changed", record: this.changed, cell: ofChanged ? own : beside },
    ].filter((one) => one.record && one.cell);
    showInside(byId("arithmetic"), sides, head, this.signedRamp, Boolean(this.changed));
  }
}

/** A worker whose script is in this page. */
function newWorker() {
  const blob = new Blob([byId("worker").textContent], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(blob));
}

function tellBroken(reason) {
  byId("problem").textContent = worded("broken", { reason });
  byId("opening").hidden = true;
  return new Error(reason);
}

try {
  new Live(JSON.parse(byId("header").textContent));
} catch (problem) {
  tellBroken(problem.message);
  throw problem;
}
