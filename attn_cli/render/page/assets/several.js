/** Several pages in one: a picker, and a frame for the one that is chosen. */

import { openIn } from "./frame.js";

const texts = JSON.parse(document.getElementById("texts").textContent);
const picker = document.getElementById("pick");
const frame = document.getElementById("frame");
const buttons = { previous: document.getElementById("previous"), next: document.getElementById("next") };

function show(place) {
  picker.selectedIndex = place;
  const { name, page } = texts[place];
  openIn(frame, page, name, () => (frame.dataset.drawn = place));
  buttons.previous.disabled = place === 0;
  buttons.next.disabled = place === texts.length - 1;
}

function turn(by) {
  show(Math.min(Math.max(picker.selectedIndex + by, 0), texts.length - 1));
}

texts.forEach((text, i) => picker.add(new Option(text.name, String(i))));
picker.addEventListener("change", () => show(picker.selectedIndex));
buttons.previous.addEventListener("click", () => turn(-1));
buttons.next.addEventListener("click", () => turn(1));
show(0);
