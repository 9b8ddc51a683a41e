/** The page of tables: what is in it is there already; here it learns to sort, to find and to be shaded. */

import { readRamp } from "../colours.js";
import { byId, wireTheme } from "../controls.js";
import { Maps } from "./maps.js";
import { RunningText } from "./running.js";
import { SortedTable } from "./sorting.js";

const ramps = Object.fromEntries(
  Object.entries(JSON.parse(byId("ramps").textContent)).map(([name, text]) => [name, readRamp(text)]),
);
const say = (sentence) => (byId("live").textContent = sentence);
const tables = [...document.querySelectorAll(".tabular")].map((section) => new SortedTable(section, say));
const texts = [...document.querySelectorAll(".methods")].map((section) => new RunningText(section, say));
const isDark = wireTheme(shade);
const maps = new Maps(tables[0], isDark, say);

function shade() {
  const [plain, ...signed] = isDark()
    ? ["night", "signed night", "toward night"]
    : ["paper", "signed", "toward"];
  const [either, toward] = signed.map((name) => ramps[name]);
  maps?.recolour();
  for (const part of [...tables, ...texts]) part.shade({ plain: ramps[plain], signed: either, toward });
}

shade();
byId("main").dataset.drawn = "";
