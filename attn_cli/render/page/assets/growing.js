/** Within a notebook, whose frame grows with the page: what is measured by the window is so by a usual one. */

const USUAL = 760; // pixels that a window is taken to be high

/** How high the window is, or is taken to be: a frame that grows with its map must not make the map grow. */
export function windowHeight({ grows }) {
  return grows ? USUAL : innerHeight;
}

/** Tell the notebook how high the page is, whenever that changes. */
export function growFrame() {
  document.documentElement.dataset.grows = "";
  const tell = () => parent.postMessage({ attention: document.body.offsetHeight }, "*");
  new ResizeObserver(tell).observe(document.body);
}
