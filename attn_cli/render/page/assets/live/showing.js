/** The parts of the page around the maps: tokens, what is written, kinds of attention, the cell that is pointed at. */

import { byId } from "./../controls.js";
import { say } from "./../readout.js";
import { element, shown, writeNumber } from "./../words.js";
import { worded } from "./../wording.js";

/** The tokens that are read; a press changes one. */
export function showTokens(host, tokens, { drop, hide }, onPress) {
  const press = ({ target }) => onPress([...host.children].indexOf(target.closest("button")));
  fill(host, tokens.length, press);
  tokens.forEach(({ label, special }, place) => {
    const chip = host.children[place];
    chip.textContent = shown(label);
    chip.dir = "auto";
    chip.disabled = special;
    chip.className = drop.has(place) ? "chip dropped" : hide.has(place) ? "chip hidden-key" : "chip";
    chip.setAttribute("aria-pressed", drop.has(place) || hide.has(place));
  });
}

/** As many buttons as are needed: those that are there stay, and with them the focus. */
function fill(host, count, press) {
  while (host.children.length > count) host.lastChild.remove();
  while (host.children.length < count) {
    const chip = element("button", "chip");
    chip.type = "button";
    chip.addEventListener("click", (event) => host.press(event));
    host.append(chip);
  }
  host.press = press;
}

/** What the model writes, unchanged and changed; each token tells which ones were likeliest in its place. */
export function showOutput({ config }, { original, changed }) {
  const name = { both: "writes", decoder: "goes_on", encoder: "answers" }[config.stack];
  byId("output").hidden = !original.written?.length && config.stack !== "both";
  byId("output-name").textContent = worded(name);
  const lines = [[worded("original"), original]];
  if (changed) lines.push([worded("changed"), changed]);
  byId("outputs").replaceChildren(...lines.map(([side, found]) => line(changed ? side : "", found)));
}

function line(side, { written, expected }) {
  const whole = element("div", "written");
  if (side) whole.append(element("span", "side", side));
  const told = element("span", "hint");
  written.forEach((label, i) => {
    const chip = element("button", "chip", shown(label));
    chip.type = "button";
    chip.dir = "auto";
    const likeliest = expected[i]?.map((one) => `${shown(one.label)} ${one.share.toFixed(2)}`).join(", ");
    if (likeliest) chip.title = worded("likeliest", { tokens: likeliest });
    for (const kind of ["pointerenter", "focus", "click"])
      chip.addEventListener(kind, () => (told.textContent = chip.title));
    whole.append(chip);
  });
  whole.append(told);
  return whole;
}

/** A tab for each kind of attention; arrow keys move between them. */
export function showTabs(kinds, open, onOpen) {
  const host = byId("tabs");
  host.hidden = kinds.length < 2;
  if (host.children.length !== kinds.length) {
    host.replaceChildren(...kinds.map((kind) => tab(kind, onOpen)));
  }
  for (const one of host.children) {
    one.setAttribute("aria-selected", one.dataset.kind === open);
    one.tabIndex = one.dataset.kind === open ? 0 : -1;
  }
}

function tab(kind, onOpen) {
  const made = element("button", "", worded(kind));
  Object.assign(made, { type: "button", id: `tab-${kind}` });
  made.dataset.kind = kind;
  made.setAttribute("role", "tab");
  made.setAttribute("aria-controls", "grid");
  made.addEventListener("click", () => onOpen(kind));
  made.addEventListener("keydown", ({ key }) => {
    const next = { ArrowLeft: made.previousSibling, ArrowRight: made.nextSibling }[key];
    next?.focus();
    next?.click();
  });
  return made;
}

/** The cell that is pointed at: its weight, and with a change the changed one. */
export function showCellOf({ record, own, head, original, changed, cell, beside }, spoken) {
  const write = (weight) => (weight === null ? worded("masked") : writeNumber(weight, 4));
  const ends = { query: shown(record.queries[own.query]), key: shown(record.keys[own.key]) };
  const before = write(original.weight(head, cell.query, cell.key));
  const weight =
    changed && beside
      ? worded("cell_changed", {
          original: before,
          changed: write(changed.weight(head, beside.query, beside.key)),
        })
      : write(record.weight(head, own.query, own.key));
  byId("readout").replaceChildren(
    element("span", "chip", worded("cell", ends)),
    element("b", "weight", weight),
  );
  if (spoken) say(`${worded("cell", ends)}: ${weight}`);
}
