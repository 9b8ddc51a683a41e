/** The questions of a lab beside the model: what is typed is judged here, and hints come one at a time. */

import { byId } from "./../controls.js";
import { judged } from "./judging.js";
import { worded } from "./../wording.js";

/** Where the page has questions, let them answer; `onRead(text)` hears which text the model is to read. */
export function wireQuestions(onRead) {
  const known = JSON.parse(byId("questions").textContent);
  document.querySelectorAll(".question").forEach((host, i) => wireQuestion(host, known[i], onRead));
}

function wireQuestion(host, known, onRead) {
  host.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    answer(host, known);
  });
  host.querySelector(".read")?.addEventListener("click", () => onRead(known.reads));
  const more = host.querySelector(".more");
  more.addEventListener("click", () => {
    host.querySelector(".clue[hidden]").hidden = false;
    more.disabled = !host.querySelector(".clue[hidden]");
  });
}

function answer(host, { salt, right, wrong }) {
  const typed = host.querySelector("input, textarea").value;
  const { said, ...parts } = judged(typed, right, salt);
  const mistake = parts.right ? -1 : wrong.findIndex((one) => judged(typed, one, salt).right);
  const verdict = host.querySelector(".verdict");
  verdict.textContent = worded(parts.right ? "lab_right" : said, parts);
  verdict.classList.toggle("right", Boolean(parts.right));
  for (const text of host.querySelectorAll("[data-said]")) {
    text.hidden = text.dataset.said !== (parts.right ? "right" : `wrong-${mistake}`);
  }
  host.classList.toggle("done", Boolean(parts.right));
}
