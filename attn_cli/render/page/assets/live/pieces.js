/** A word to the pieces of a vocabulary, as the models of the library `tokenizers` find them. */

/** { vocab, cut(word) → tokens } of a specification. */
export function newModel(spec) {
  const { vocab } = spec;
  const numbers = new Map(vocab.map((piece, id) => [piece, id]));
  const model = { ...spec, numbers, token: (piece, text) => ({ id: numbers.get(piece), piece, text }) };
  if (spec.type === "BPE") {
    model.merges = new Map(
      spec.merges.map(([left, right, made], rank) => [keyOf(left, right, spec), { rank, made }]),
    );
  }
  return { vocab, numbers, cut: (word) => MODELS[spec.type](word, model) };
}

const MODELS = {
  WordLevel: (word, { numbers, unk, token }) => [token(numbers.has(word) ? word : unk, word)],
  WordPiece: wordPiece,
  BPE: bytePairs,
};

/** The longest piece at the beginning, then the longest of what is left. Devlin et al. 2018, arXiv:1810.04805. */
function wordPiece(word, { numbers, unk, prefix, longest, token }) {
  const characters = Array.from(word);
  const pieces = [];
  for (let from = 0, to; from < characters.length; from = to) {
    const written = (end) => (from > 0 ? prefix : "") + characters.slice(from, end).join("");
    for (to = characters.length; to > from && !numbers.has(written(to));) to--;
    if (to === from || characters.length > longest) return [token(unk, word)];
    pieces.push(token(written(to), characters.slice(from, to).join("")));
  }
  return pieces;
}

/** Characters, of which the pair that was learned first is merged again and again. Sennrich et al., arXiv:1508.07909. */
function bytePairs(word, model) {
  if (model.ignore_merges && model.numbers.has(word)) return [model.token(word, word)];
  const tokens = charactersOf(word, model);
  const mergeAt = (at) => model.merges.get(keyOf(tokens[at]?.id, tokens[at + 1]?.id, model));
  const merges = tokens.map((_, at) => mergeAt(at));
  for (;;) {
    let best = -1;
    merges.forEach((merge, at) => {
      if (merge && (best < 0 || merge.rank < merges[best].rank)) best = at;
    });
    if (best < 0) return tokens;
    const { made } = merges[best];
    const [left, right] = tokens.slice(best, best + 2);
    tokens.splice(best, 2, { id: made, piece: model.vocab[made], text: left.text + right.text });
    merges.splice(best, 2, mergeAt(best));
    if (best > 0) merges[best - 1] = mergeAt(best - 1);
  }
}

function keyOf(left, right, { vocab }) {
  return left * vocab.length + right;
}

/** A token for each character: its own, its bytes, or the unknown one. */
function charactersOf(word, model) {
  const { numbers, prefix, suffix, unk, fuse_unk, token } = model;
  const characters = Array.from(word);
  const tokens = [];
  characters.forEach((character, i) => {
    const piece = (i > 0 ? prefix : "") + character + (i === characters.length - 1 ? suffix : "");
    const bytes = numbers.has(piece) ? [] : bytesOf(character, model);
    if (numbers.has(piece)) tokens.push(token(piece, character));
    else if (bytes.length) tokens.push(...bytes.map((byte, j) => token(byte, j === 0 ? character : "")));
    else if (fuse_unk && tokens.length && tokens.at(-1).piece === unk) tokens.at(-1).text += character;
    else if (unk) tokens.push(token(unk, character));
  });
  return tokens;
}

/** A character as tokens <0xE4>, where the vocabulary has all of them. */
function bytesOf(character, { numbers, byte_fallback }) {
  if (!byte_fallback) return [];
  const written = (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
  const pieces = Array.from(new TextEncoder().encode(character), written);
  return pieces.every((piece) => numbers.has(piece)) ? pieces : [];
}
