/** Several pages in one: a picker, and a frame in which the chosen one stands as if it were alone. */

const texts = JSON.parse(document.getElementById("texts").textContent);
const parts = JSON.parse(document.getElementById("parts").textContent);
const picker = document.getElementById("pick");
const frame = document.getElementById("frame");
const buttons = { previous: document.getElementById("previous"), next: document.getElementById("next") };

/** The page of a text: what all of them share is written once. */
function pageOf(text) {
  return text.page.map((piece) => (typeof piece === "number" ? parts[piece] : piece)).join("");
}

function show(place) {
  picker.selectedIndex = place;
  frame.title = texts[place].name;
  frame.onload = () => (frame.dataset.drawn = place);
  // eslint-disable-next-line no-restricted-properties -- a whole page of ours, in which tokens are only text
  frame.srcdoc = pageOf(texts[place]);
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
