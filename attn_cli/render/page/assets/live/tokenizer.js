/**
 * Text to the tokens that a model was trained on, as the library `tokenizers` cuts them: normalise, split, look up.
 *
 * Each step stands in the specification that attn_cli/render/page/tokenizer.py made of a tokenizer.json. A token is
 * { id, piece, text }: its number, its name in the vocabulary, and the characters that it was made of.
 */

import { newModel } from "./pieces.js";

const GPT2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\t-\r\x85\p{Z}\p{L}\p{N}]+|[\t-\r\x85\p{Z}]+(?![^\t-\r\x85\p{Z}])|[\t-\r\x85\p{Z}]+/gu;
const SPACE = /[\t-\r\x85\p{Z}]/u;
const PUNCTUATION = /[!-/:-@[-\x60{-~\p{P}]/gu;
const CHINESE =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
// What Python's str.splitlines takes for one.
const LINE_BREAK = /\r\n|[\n\r\v\f\u001c-\u001e\x85\u2028\u2029]/; // eslint-disable-line no-control-regex
const BYTES = byteCharacters();

/** A function from texts to tokens. */
export function newTokenizer(spec) {
  const model = newModel(spec.model);
  const special = (id) => ({ id, piece: model.vocab[id], text: "", special: true });
  const [raw, normal] = [false, true].map((kind) =>
    spec.added.filter(({ normalized }) => normalized === kind),
  );
  for (const one of normal) one.content = normalise(one.content, spec.normalizers);
  return (text) => {
    const tokens = cutOut(oneLine(text), raw).flatMap((part) =>
      part.added ? [part] : cutOut(normalise(part.text, spec.normalizers), normal),
    );
    const inner = tokens.flatMap((part, at) => {
      if (part.added) return [{ id: part.added.id, piece: model.vocab[part.added.id], text: part.text }];
      return preTokenise(part.text, spec.pre_tokenizers, at === 0).flatMap((word) => model.cut(word));
    });
    return [...spec.before.map(special), ...inner, ...spec.after.map(special)];
  };
}

/** Line breaks become spaces. */
export function oneLine(text) {
  const lines = text.split(LINE_BREAK);
  if (lines.at(-1) === "") lines.pop();
  return lines.join(" ");
}

/** Tokens that stand in a text as they are, between the parts that are cut. */
function cutOut(text, added) {
  if (added.length === 0) return text ? [{ text }] : [];
  const parts = [];
  for (let from = 0, at = 0; from < text.length; at++) {
    const here = added.filter(({ content }) => content && text.startsWith(content, at));
    const [found] = here.sort((a, b) => b.content.length - a.content.length);
    if (!found && at < text.length) continue;
    const [start, end] = found ? widened(text, found, at, from) : [text.length, text.length];
    if (start > from) parts.push({ text: text.slice(from, start) });
    if (found) parts.push({ text: text.slice(start, end), added: found });
    from = end;
    at = end - 1;
  }
  return parts;
}

/** Where an added token begins and ends, with the spaces that it swallows. */
function widened(text, { content, lstrip, rstrip }, at, from) {
  let [start, end] = [at, at + content.length];
  while (lstrip && start > from && SPACE.test(text[start - 1])) start--;
  while (rstrip && end < text.length && SPACE.test(text[end])) end++;
  return [start, end];
}

// ---- normalisation ----

const NORMALIZERS = {
  NFC: (text) => text.normalize("NFC"),
  NFD: (text) => text.normalize("NFD"),
  NFKC: (text) => text.normalize("NFKC"),
  NFKD: (text) => text.normalize("NFKD"),
  Lowercase: lower,
  StripAccents: (text) => text.replace(/\p{Mn}/gu, ""),
  Prepend: (text, { prepend }) => (text ? prepend + text : text),
  Replace: (text, step) => text.replace(patternOf(step), () => step.content),
  Strip: (text, step) => strip(text, step),
  ByteLevel: (text) => asBytes(text),
  BertNormalizer: bert,
};

function normalise(text, steps) {
  return steps.reduce((done, step) => NORMALIZERS[step.type](done, step), text);
}

function bert(text, step) {
  if (step.clean_text) {
    text = text.replace(/[\0\ufffd]|(?![\t\n\r])\p{C}/gu, "").replace(/[\t-\r\x85\p{Z}]/gu, " ");
  }
  if (step.handle_chinese_chars) text = text.replace(CHINESE, " $& ");
  if (step.strip_accents ?? step.lowercase) text = text.normalize("NFD").replace(/\p{Mn}/gu, "");
  return step.lowercase ? lower(text) : text;
}

/** Character by character: as a whole, JavaScript would write the last sigma of a word otherwise. */
function lower(text) {
  return Array.from(text, (character) => character.toLowerCase()).join("");
}

function strip(text, { strip_left, strip_right }) {
  if (strip_left) text = text.replace(/^[\t-\r\x85\p{Z}]+/u, "");
  return strip_right ? text.replace(/[\t-\r\x85\p{Z}]+$/u, "") : text;
}

function patternOf({ pattern, literal }) {
  return new RegExp(pattern ?? literal.replace(/[\^$\\.*+?()[\]{}|/]/g, "\\$&"), "gu");
}

// ---- splitting ----

const PRE_TOKENIZERS = {
  Metaspace: metaspace,
  Split: (text, step) => split(text, patternOf(step), step.behavior, step.invert),
  ByteLevel: byteLevel,
  BertPreTokenizer: (text) =>
    split(text, /[\t-\r\x85\p{Z}]/gu, "Removed").flatMap((word) => split(word, PUNCTUATION, "Isolated")),
  Whitespace: (text) =>
    split(text, /[\p{L}\p{M}\p{N}\p{Pc}]+|[^\p{L}\p{M}\p{N}\p{Pc}\t-\r\x85\p{Z}]+/gu, "Removed", true),
  WhitespaceSplit: (text) => split(text, /[\t-\r\x85\p{Z}]/gu, "Removed"),
  Punctuation: (text, step) => split(text, PUNCTUATION, step.behavior),
  Digits: (text, step) => split(text, /\p{N}/gu, step.individual_digits ? "Isolated" : "Contiguous"),
};

/** A text in the parts whose pieces are looked up; `first`: no token stands before it. */
function preTokenise(text, steps, first) {
  return steps.reduce(
    (words, step) => words.flatMap((word, at) => PRE_TOKENIZERS[step.type](word, step, first && at === 0)),
    [text],
  );
}

function metaspace(text, { replacement, prepend_scheme, split: apart }, first) {
  const marked = text.replaceAll(" ", replacement);
  const prepends = prepend_scheme === "always" || (prepend_scheme === "first" && first);
  const whole = prepends && !marked.startsWith(replacement) ? replacement + marked : marked;
  return apart === false ? [whole] : split(whole, patternOf({ literal: replacement }), "MergedWithNext");
}

function byteLevel(text, { add_prefix_space, use_regex }) {
  const whole = add_prefix_space && !text.startsWith(" ") ? ` ${text}` : text;
  return (use_regex === false ? [whole] : split(whole, GPT2, "Isolated")).map(asBytes);
}

/** A text cut at what a pattern finds, or with `invert` at what it does not. */
function split(text, pattern, behaviour, invert = false) {
  const parts = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    if (found === "") continue;
    if (index > from) parts.push({ text: text.slice(from, index), cut: invert });
    parts.push({ text: found, cut: !invert });
    from = index + found.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), cut: invert });
  return JOINED[behaviour](parts);
}

const texts = (parts) => parts.map((part) => part.text);
const JOINED = {
  Isolated: texts,
  Removed: (parts) => texts(parts.filter(({ cut }) => !cut)),
  Contiguous: (parts) => together(parts, (before, part) => before.cut === part.cut),
  MergedWithPrevious: (parts) => together(parts, (before, part) => part.cut && !before.cut),
  MergedWithNext: (parts) => together(parts, (before, part) => before.cut && !part.cut),
};

/** Neighbours that belong together as one; what is joined counts as its last part. */
function together(parts, belong) {
  const words = [];
  parts.forEach((part, i) => {
    if (i > 0 && belong(parts[i - 1], part)) words[words.length - 1] += part.text;
    else words.push(part.text);
  });
  return words;
}

// ---- bytes as characters, as GPT-2 writes them ----

/** A character for each byte: itself where it can be seen, else one from 256 on. Radford et al. 2019. */
function byteCharacters() {
  const seen = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(seen(byte) ? byte : next++));
}

function asBytes(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => BYTES[byte]).join("");
}

/** The text that pieces of bytes stand for, or null where they are no whole characters. */
export function fromBytes(piece) {
  const bytes = Uint8Array.from(piece, (character) => BYTES.indexOf(character));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
