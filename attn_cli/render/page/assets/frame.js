/** Pages within this page: each stands in a frame as if it were alone; what all of them share is written once. */

const parts = JSON.parse(document.getElementById("parts").textContent);

/** Show a page, its pieces or the numbers of shared ones, under a name; `then` is called when it is there. */
export function openIn(frame, page, name, then) {
  frame.title = name;
  frame.onload = then;
  // eslint-disable-next-line no-restricted-properties -- a whole page of ours, in which tokens are only text
  frame.srcdoc = page.map((piece) => (typeof piece === "number" ? parts[piece] : piece)).join("");
}
