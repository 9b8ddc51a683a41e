/**
 * A canvas context that writes SVG: what draws a view on the screen draws it here too, its letters as text, its cells
 * as rectangles. It has as much of a context as views use.
 */

// The names of SVG and XML; nothing loads them, and a page has no other address.
const [SPACE, XML] = ["2000/svg", "XML/1998/namespace"].map((name) =>
  ["http:", `//www.w3.org/${name}`].join(""),
);
const file = document.implementation.createDocument(SPACE, "svg"); // a document that loads nothing and shows nothing
const scratch = new OffscreenCanvas(1, 1).getContext("2d"); // measures text and reads colours

export class SvgContext {
  constructor(width, height) {
    this.isSvg = true;
    this.root = this.at = node("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
    this.root.setAttribute("version", "1.1");
    this.canvas = { clientWidth: width };
    this.kept = [];
    this.moves = "";
    const drawn = { fillStyle: "#000", strokeStyle: "#000", globalAlpha: 1, lineWidth: 1 };
    Object.assign(this, drawn, { font: "12px sans-serif", textAlign: "start", textBaseline: "alphabetic" });
  }

  /** The whole as a file. */
  text() {
    return new XMLSerializer().serializeToString(this.root);
  }

  save() {
    const { at, moves, fillStyle, strokeStyle, globalAlpha, lineWidth, font, textAlign, textBaseline } = this;
    this.kept.push({
      at,
      moves,
      fillStyle,
      strokeStyle,
      globalAlpha,
      lineWidth,
      font,
      textAlign,
      textBaseline,
    });
  }

  restore() {
    Object.assign(this, this.kept.pop());
  }

  translate(x, y) {
    this.moves += ` translate(${tidied(x)} ${tidied(y)})`;
  }

  rotate(angle) {
    this.moves += ` rotate(${tidied((angle * 180) / Math.PI)})`;
  }

  beginPath() {
    this.path = [];
    this.corners = null;
  }

  moveTo(...to) {
    this.path.push("M", ...to.map(tidied));
  }

  lineTo(...to) {
    this.path.push("L", ...to.map(tidied));
  }

  bezierCurveTo(...to) {
    this.path.push("C", ...to.map(tidied));
  }

  rect(x, y, width, height) {
    this.corners = { x, y, width, height };
    this.path.push(
      `M ${tidied(x)} ${tidied(y)} h ${tidied(width)} v ${tidied(height)} h ${tidied(-width)} z`,
    );
  }

  roundRect(x, y, width, height, rx) {
    this.corners = { x, y, width, height, rx };
  }

  /** Only rectangles clip: an SVG within the SVG shows nothing beyond its own. */
  clip() {
    const { x, y, width, height } = this.corners;
    const box = { x, y, width, height, viewBox: [x, y, width, height].map(tidied).join(" ") };
    this.at = this.add("svg", box);
    this.moves = "";
  }

  fill() {
    this.add(
      ...(this.corners ? ["rect", this.corners] : ["path", { d: this.path.join(" ") }]),
      this.filled(),
    );
  }

  stroke() {
    this.add("path", { d: this.path.join(" "), fill: "none" }, this.stroked());
  }

  fillRect(x, y, width, height) {
    this.add("rect", { x, y, width, height }, this.filled());
  }

  strokeRect(x, y, width, height) {
    this.add("rect", { x, y, width, height, fill: "none" }, this.stroked());
  }

  measureText(text) {
    scratch.font = this.font;
    return scratch.measureText(text);
  }

  fillText(text, x, y, room = Infinity) {
    const [, size, family] = /([\d.]+)px (.*)/.exec(this.font);
    const anchor = { right: "end", end: "end", center: "middle" }[this.textAlign] ?? "start";
    const down = this.textBaseline === "middle" ? 0.35 * size : 0;
    const said = this.add(
      "text",
      { x, y: y + down, "text-anchor": anchor, "font-size": size },
      this.filled(),
    );
    said.setAttribute("font-family", family.replaceAll('"', "'"));
    said.setAttributeNS(XML, "xml:space", "preserve");
    if (this.measureText(text).width > room) said.setAttribute("textLength", tidied(room));
    if (said.hasAttribute("textLength")) said.setAttribute("lengthAdjust", "spacingAndGlyphs");
    said.textContent = text;
  }

  /** A picture, for what has too many cells: each of its pixels is one. */
  drawImage(image, x, y, width, height) {
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [image.width, image.height];
    copy.getContext("2d").drawImage(image, 0, 0);
    const drawn = this.add("image", { x, y, width, height, preserveAspectRatio: "none" });
    drawn.setAttribute("href", copy.toDataURL("image/png"));
    drawn.setAttribute("image-rendering", "pixelated");
  }

  filled() {
    return painted("fill", this.fillStyle, this.globalAlpha);
  }

  stroked() {
    return { ...painted("stroke", this.strokeStyle, this.globalAlpha), "stroke-width": this.lineWidth };
  }

  add(name, attributes, paint = {}) {
    const made = node(name, { ...attributes, ...paint });
    if (this.moves) made.setAttribute("transform", this.moves.trim());
    this.at.append(made);
    return made;
  }
}

function node(name, attributes) {
  const made = file.createElementNS(SPACE, name);
  for (const [attribute, value] of Object.entries(attributes))
    made.setAttribute(attribute, typeof value === "number" ? tidied(value) : value);
  return made;
}

/** A colour as every program reads it: `#rrggbb`, and beside it how much of it there is. */
function painted(kind, colour, alpha) {
  scratch.fillStyle = colour;
  const read = scratch.fillStyle;
  const parts = read.startsWith("#") ? null : read.match(/[\d.]+/g).map(Number);
  const two = (part) => Math.round(part).toString(16).padStart(2, "0");
  const hex = parts?.slice(0, 3).map(two).join("");
  const share = alpha * (parts?.[3] ?? 1);
  return {
    [kind]: hex ? `#${hex}` : read,
    ...(share < 1 ? { [`${kind}-opacity`]: Number(share.toFixed(3)) } : {}),
  };
}

function tidied(number) {
  return Number(number.toFixed(2));
}
