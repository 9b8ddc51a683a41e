/** What is seen, as the end of the page's address: `#layer=3&head=5&view=lines&query=7`. */

/** The part of the state that the address asks for, as far as this record has it. */
export function readLink(attention) {
  const asked = new URLSearchParams(location.hash.slice(1));
  const place = (name, names) => names.findIndex((one) => String(one) === asked.get(name));
  const cell = (name, tokens) => (asked.get(name) in tokens ? Number(asked.get(name)) : 0);
  const [layer, head] = [place("layer", attention.layers), place("head", attention.heads)];
  const found = {};
  if (layer >= 0 || head >= 0) found.head = Math.max(0, layer) * attention.heads.length + Math.max(0, head);
  if (viewsOf(attention).includes(asked.get("view"))) found.view = asked.get("view");
  if (Number(asked.get("other")) < attention.count && asked.has("other"))
    found.other = Number(asked.get("other"));
  if (asked.has("also"))
    found.also = headsCalled(asked.get("also"), attention).filter((one) => one !== found.head);
  if (Number(asked.get("step")) < attention.written.length && asked.has("step"))
    found.step = Number(asked.get("step"));
  Object.assign(found, stepsIn(asked, attention));
  if (asked.has("query") || asked.has("key")) {
    found.cell = { query: cell("query", attention.queries), key: cell("key", attention.keys) };
    const axis = asked.has("query") ? "query" : "key";
    found.token = { [axis]: found.cell[axis] };
  }
  return found;
}

function viewsOf({ vectors }) {
  return ["map", "lines", "tokens", "compare", ...(vectors.bits ? ["qk"] : [])];
}

/** Heads by their short names: `0.2 1.3`. */
function headsCalled(names, attention) {
  const all = Array.from({ length: attention.count }, (_, head) => attention.shortName(head));
  return [...new Set(names.split(" "))].map((name) => all.indexOf(name)).filter((head) => head >= 0);
}

/** The steps of a training: that which is seen, and that which is beside it. */
function stepsIn(asked, { times }) {
  const found = {};
  for (const name of ["time", "then"]) {
    const step = times.find((one) => String(one) === asked.get(name));
    if (step !== undefined) found[name] = step;
  }
  return found;
}

/** Let the address say what is seen, so that it can be kept or sent; `place` is the cell or the token that is looked at. */
export function writeLink(attention, { head, view, other, step, also, then }, place) {
  const { layers, heads } = attention;
  const parts = { layer: layers[Math.floor(head / heads.length)], head: heads[head % heads.length], view };
  if (view === "compare") Object.assign(parts, { other, ...(then === undefined ? {} : { then }) });
  if (also.length && ["lines", "tokens"].includes(view))
    parts.also = also.map((one) => attention.shortName(one)).join(" ");
  if (step) parts.step = step;
  if (attention.times.length > 1) parts.time = attention.time;
  Object.assign(parts, place);
  try {
    history.replaceState(null, "", `#${new URLSearchParams(parts)}`);
  } catch {
    // A frame without rights has no address of its own.
  }
}
