/** What stands around a view: tabs, search, threshold, colours, the second head, zoom, light and dark, keys. */

import { worded } from "./wording.js";
import { writeNumber } from "./words.js";

const ZOOM = 1.5; // of one press

export function byId(id) {
  return document.getElementById(id);
}

/** Wire the controls: `change` takes the part of the state that one sets. */
export function wireControls(attention, { change, zoom, next, save, saveSvg }) {
  wireTabs(change);
  byId("find").addEventListener("input", (event) => change({ find: event.target.value }));
  byId("find").addEventListener("keydown", (event) => event.key === "Enter" && next());
  byId("scale").addEventListener("change", (event) => change({ scale: event.target.value }));
  byId("threshold").addEventListener("input", ({ target }) =>
    change({ least: Number((attention.peak * (target.value / target.max) ** 2).toPrecision(3)) }),
  );
  byId("other").append(
    ...Array.from({ length: attention.count }, (_, head) => new Option(attention.name(head), head)),
  );
  byId("other").addEventListener("change", (event) => change({ other: Number(event.target.value) }));
  byId("zoom-in").addEventListener("click", () => zoom(ZOOM));
  byId("zoom-out").addEventListener("click", () => zoom(1 / ZOOM));
  byId("save").addEventListener("click", save);
  byId("save-svg").addEventListener("click", saveSvg);
  byId("special").addEventListener("change", ({ target }) => change({ special: target.checked }));
  byId("special-kept").hidden = attention.special.size === 0;
  byId("pool").addEventListener("change", ({ target }) => change({ pool: target.value }));
  byId("pooled").hidden = attention.pools.size === 1;
  byId("zoom-fit").addEventListener("click", () => zoom(0));
  if (attention.signed) byId("scale").querySelector("[value=log]").remove();
  byId("tab-compare").hidden = attention.count * attention.times.length === 1;
  byId("tab-qk").hidden = !attention.vectors.bits;
}

/** Tabs are moved between with arrow keys, as screen readers expect. */
function wireTabs(change) {
  const tabs = [...byId("tabs").children];
  for (const tab of tabs) {
    tab.addEventListener("click", () => change({ view: tab.id.slice("tab-".length) }));
    tab.addEventListener("keydown", (event) => {
      const stride = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!stride) return;
      const open = tabs.filter((one) => !one.hidden);
      const next = open[(open.indexOf(tab) + stride + open.length) % open.length];
      next.focus();
      next.click();
    });
  }
}

/** Keys that work wherever the focus is, but in a field one types in. */
export function wireKeys({ zoom, turn, release }) {
  const actions = {
    "+": () => zoom(ZOOM),
    "=": () => zoom(ZOOM),
    "-": () => zoom(1 / ZOOM),
    0: () => zoom(0),
    Escape: release,
    "[": () => turn(-1),
    "]": () => turn(1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    actions[event.key]?.();
  });
}

/** Make the controls say what the state is. */
export function showControls(attention, state, scale) {
  const laid = ["lines", "tokens"].includes(state.view) ? state.also : [];
  byId("which").textContent = [attention.name(state.head), ...laid.map((one) => attention.tag(one))].join(
    " + ",
  );
  for (const tab of byId("tabs").children) {
    const chosen = tab.id === `tab-${state.view}`;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
  }
  byId("view").setAttribute("aria-labelledby", `tab-${state.view}`);
  for (const id of ["other", "find", "scale", "pool"]) byId(id).value = state[id];
  byId("special").checked = state.special;
  byId("threshold").value = 100 * Math.sqrt(state.least / attention.peak);
  byId("against").hidden = state.view !== "compare";
  byId("zoom").hidden = !["map", "compare"].includes(state.view);
  byId("least").textContent = state.least ? writeNumber(state.least) : worded("least_all");
  byId("threshold").setAttribute(
    "aria-valuetext",
    state.least ? writeNumber(state.least) : worded("least_every"),
  );
  byId("legend").hidden = laid.length > 0; // heads have colours of their own
  showLegend(scale);
}

/** Call the scale on which nothing lies beyond by its ends. */
export function nameWhole(name) {
  const option = byId("scale").querySelector("[value=whole]");
  Object.assign(option, { textContent: name, hidden: !name });
}

function showLegend(scale) {
  const legend = byId("legend");
  const image = new ImageData(256, 1);
  new Uint32Array(image.data.buffer).set(scale.ramp);
  legend.querySelector("canvas").getContext("2d").putImageData(image, 0, 0);
  const [low, high] = scale.ends;
  legend.querySelector(".low").textContent = low;
  legend.querySelector(".high").textContent = high;
  legend.setAttribute("aria-label", worded(scale.kind === "log" ? "legend_log" : "legend", { low, high }));
  byId("beyond").textContent = legend.hidden ? "" : scale.beyond;
}

/** Light or dark: as the system has it, until the button is pressed; light on paper. Returns the function that tells. */
export function wireTheme(onChange) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const paper = matchMedia("print");
  const chosen = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const isDark = () => !paper.matches && chosen();
  paper.addEventListener("change", onChange);
  const show = () => {
    byId("theme").dataset.dark = isDark();
    byId("theme").textContent = worded(isDark() ? "light" : "dark");
  };
  byId("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    show();
    onChange();
  });
  system.addEventListener("change", () => {
    show();
    onChange();
  });
  show();
  return isDark;
}
