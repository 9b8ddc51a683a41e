/** What is seen, as the end of the page's address: `#layer=3&head=5&view=lines&query=7&sort=entropy`. */

const SCALES = ["shared", "panel", "log", "whole"];

/** What a page shows at first, and where its address asks for nothing else. */
export function unchanged({ count, pool, time }) {
  return {
    view: "map",
    head: 0,
    other: Math.min(1, count - 1),
    then: undefined,
    also: [],
    cell: null,
    token: null,
    step: 0,
    time,
    find: "",
    least: 0,
    scale: "shared",
    pool,
    special: true,
    sort: "",
    order: "down",
    keep: "",
    limit: NaN,
    part: null, // of the map: row, column, rows, columns; null: all
  };
}

/** The part of the state that the address asks for, as far as this record has it. */
export function readLink(attention) {
  const asked = new URLSearchParams(location.hash.slice(1));
  const found = {
    ...headIn(asked, attention),
    ...stepsIn(asked, attention),
    ...controlsIn(asked, attention),
  };
  const view = asked.get("view");
  if (viewsOf(attention).includes(view)) found.view = view;
  if (asked.has("also"))
    found.also = headsCalled(asked.get("also"), attention).filter((one) => one !== found.head);
  const cell = (name, tokens) => (asked.get(name) in tokens ? Number(asked.get(name)) : 0);
  if (asked.has("query") || asked.has("key")) {
    found.cell = { query: cell("query", attention.queries), key: cell("key", attention.keys) };
    const axis = asked.has("query") ? "query" : "key";
    found.token = { [axis]: found.cell[axis] };
  }
  const part = (asked.get("part") ?? "").split(" ").map(Number);
  if (part.length === 4 && part.every((number) => number >= 0)) found.part = part;
  return found;
}

/** What of it is another state than there is, and these parts in any case. */
export function differences(asked, state, always) {
  const differs = ([part, value]) =>
    always.includes(part) || JSON.stringify(value) !== JSON.stringify(state[part]);
  return Object.fromEntries(Object.entries(asked).filter(differs));
}

function viewsOf({ vectors }) {
  return ["map", "lines", "tokens", "compare", ...(vectors.bits ? ["qk"] : [])];
}

/** The head that is open, and that which is beside it. */
function headIn(asked, { layers, heads, count }) {
  const found = {};
  const place = (name, names) => names.findIndex((one) => String(one) === asked.get(name));
  const [layer, head] = [place("layer", layers), place("head", heads)];
  if (layer >= 0 || head >= 0) found.head = Math.max(0, layer) * heads.length + Math.max(0, head);
  if (asked.has("other") && Number(asked.get("other")) < count) found.other = Number(asked.get("other"));
  return found;
}

/** Heads by their short names: `0.2 1.3`. */
function headsCalled(names, attention) {
  const all = Array.from({ length: attention.count }, (_, head) => attention.shortName(head));
  return [...new Set(names.split(" "))].map((name) => all.indexOf(name)).filter((head) => head >= 0);
}

/** The steps of a training: that which is seen, and that which is beside it; and the step of what a model wrote. */
function stepsIn(asked, { times, written }) {
  const found = {};
  for (const name of ["time", "then"]) {
    const step = times.find((one) => String(one) === asked.get(name));
    if (step !== undefined) found[name] = step;
  }
  if (asked.has("step") && Number(asked.get("step")) < written.length) found.step = Number(asked.get("step"));
  return found;
}

/** What the controls are set to. */
function controlsIn(asked, { figures, pools, signed }) {
  const found = {};
  const known = { sort: Object.keys(figures), order: ["up"], pool: [...pools] };
  for (const [name, values] of Object.entries(known))
    if (values.includes(asked.get(name))) found[name] = asked.get(name);
  const scale = asked.get("colours");
  if (SCALES.includes(scale) && !(signed && scale === "log")) found.scale = scale;
  if (asked.has("find")) found.find = asked.get("find");
  if (asked.get("special") === "hidden") found.special = false;
  if (Number(asked.get("least")) > 0) found.least = Number(asked.get("least"));
  for (const [name, keep] of [
    ["above", ">"],
    ["below", "<"],
  ])
    // prettier-ignore
    if (asked.has(name)) Object.assign(found, { keep, limit: parseFloat(asked.get(name)) });
  return found;
}

/** Let the address say what is seen, so that it can be kept or sent; `place` is the cell or the token that is looked at. */
export function writeLink(attention, state, place) {
  const { head, view, other, then, step, also } = state;
  const { layers, heads, times } = attention;
  const parts = { layer: layers[Math.floor(head / heads.length)], head: heads[head % heads.length], view };
  if (view === "compare") Object.assign(parts, { other, ...(then === undefined ? {} : { then }) });
  if (also.length && ["lines", "tokens"].includes(view))
    parts.also = also.map((one) => attention.shortName(one)).join(" ");
  if (step) parts.step = step;
  if (times.length > 1) parts.time = attention.time;
  Object.assign(parts, place, controlsOf(attention, state));
  try {
    history.replaceState(null, "", `#${new URLSearchParams(parts)}`);
  } catch {
    // A frame without rights has no address of its own.
  }
}

/** Controls that are not as they were at first. */
function controlsOf({ pools }, { find, least, scale, pool, special, sort, order, keep, limit, part }) {
  const parts = {
    find,
    least,
    colours: scale === "shared" ? "" : scale,
    pool: pools.size > 1 ? pool : "",
    special: special ? "" : "hidden",
    sort,
    order: sort && order === "up" ? order : "",
    part: part?.join(" "),
  };
  const set = Object.fromEntries(Object.entries(parts).filter(([, value]) => value));
  if (sort && keep) set[keep === ">" ? "above" : "below"] = Number.isNaN(limit) ? "" : limit;
  return set;
}
