/** What is changed in the model or in what it reads: nothing at first. */

import { byId } from "./../controls.js";
import { element, shown } from "./../words.js";
import { worded } from "./../wording.js";

export class Changes {
  constructor() {
    this.undo();
  }

  undo() {
    Object.assign(this, {
      drop: new Set(),
      hide: new Set(),
      heads: new Set(),
      positions: true,
      temperature: 1,
    });
  }

  get any() {
    const { drop, hide, heads, positions, temperature } = this;
    return drop.size + hide.size + heads.size > 0 || !positions || temperature !== 1;
  }

  /** Change one thing, or with null nothing any more; a token or a head a second time puts it back. */
  take(change) {
    if (change === null) {
      this.undo();
      return;
    }
    for (const [name, value] of Object.entries(change)) {
      if (this[name] instanceof Set) toggle(this[name], value);
      else this[name] = value;
    }
  }

  /** Tokens are known by their places, which another text does not have. */
  forgetPlaces() {
    this.drop.clear();
    this.hide.clear();
  }

  /** As the worker takes it. */
  asked() {
    const { drop, hide, heads, positions, temperature } = this;
    return { drop: [...drop], hide: [...hide], heads: [...heads], positions, temperature };
  }
}

function toggle(set, value) {
  if (!set.delete(value)) set.add(value);
}

/** A token of a change, which may be one of another text for as long as that is not answered. */
function shownAt(token) {
  return token ? shown(token.label) : "";
}

/** Say what is changed, and set the controls to it. */
export function showChanges(changes, tokens) {
  const names = (places) => [...places].map((place) => shownAt(tokens[place])).join(", ");
  const heads = [...changes.heads].map((name) =>
    name.replace(/^(\w+) (\d+) (\d+)$/, (_, kind, layer, head) => `${worded(kind)} L${layer}H${head}`),
  );
  const said = [
    changes.drop.size && worded("changed_drop", { tokens: names(changes.drop) }),
    changes.hide.size && worded("changed_hide", { tokens: names(changes.hide) }),
    changes.heads.size && worded("changed_heads", { heads: heads.join(", ") }),
    !changes.positions && worded("changed_positions"),
    changes.temperature !== 1 && worded("changed_temperature", { value: changes.temperature }),
  ].filter(Boolean);
  byId("changes").replaceChildren(
    ...(said.length ? said.map((one) => element("span", "change", one)) : [worded("unchanged")]),
  );
  byId("reset").hidden = said.length === 0;
  byId("positions").checked = changes.positions;
  byId("temperature").value = Math.round(20 * Math.log10(changes.temperature));
  byId("warmth").textContent = changes.temperature;
}
