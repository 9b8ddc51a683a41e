/**
 * An answer against a right one that is only there as hashes: attn_cli/render/page/sealing.py, which made them.
 *
 * What is found is { right: true }, or `said`: the name of a sentence, with its parts.
 */

/** FNV-1a of 64 bits, as 16 hexadecimal digits. */
export function hashed(salt, text) {
  let value = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(`${salt} ${text}`)) {
    value = BigInt.asUintN(64, (value ^ BigInt(byte)) * 0x100000001b3n);
  }
  return value.toString(16).padStart(16, "0");
}

/** What is to be said of an answer. */
export function judged(typed, sealed, salt) {
  if (typed.trim() === "") return { said: "lab_empty" };
  return sealed.words ? judgedWord(typed, sealed, salt) : judgedNumbers(typed, sealed, salt);
}

function judgedWord(typed, { words }, salt) {
  return words.includes(hashed(salt, alike(typed))) ? { right: true } : { said: "lab_wrong" };
}

/** A word without case and full stop, and with one kind of gap. */
function alike(word) {
  const bare = word.trim().replace(/^[."'`。]+|[."'`。]+$/gu, "");
  return bare.toLowerCase().replace(/[\s_-]+/gu, "_");
}

function judgedNumbers(typed, sealed, salt) {
  const { rows, columns } = sealed;
  const table = rowsOf(typed, rows * columns === 1);
  const none = table.flat().find((text) => Number.isNaN(numberOf(text)));
  if (none !== undefined) return { said: "lab_no_number", got: none };
  if (table.length !== rows || table.some((row) => row.length !== columns)) {
    return { said: "lab_shape", rows, columns, got: table.map((row) => row.length).join(" + ") };
  }
  return compared(table.flat(), sealed, salt);
}

function compared(texts, { columns, whole, least, slack, numbers }, salt) {
  const written = texts.map((text) => /\.(\d*)/.exec(text)?.[1].length ?? 0);
  const most = Math.max(...written);
  const decimals = whole ? 0 : Math.min(Math.max(most, least), least + numbers[0].length - 1);
  const isRight = (text, i) => {
    const number = numberOf(text);
    if (whole && Number.isFinite(number) && !Number.isInteger(number)) return false;
    return near(number, decimals, slack).some(
      (cell) => hashed(`${salt} ${i} ${decimals}`, cell) === numbers[i][decimals - least],
    );
  };
  const wrong = texts.flatMap((text, i) => (isRight(text, i) ? [] : [i]));
  if (wrong.length === 0) return { right: true }; // with few decimals too, where the others are zeros
  if (!whole && most < least) return { said: "lab_coarse", least };
  if (texts.length === 1) return { said: "lab_wrong" };
  const [row, column] = [Math.floor(wrong[0] / columns), wrong[0] % columns];
  return { said: "lab_some", wrong: wrong.length, all: texts.length, row, column };
}

/** A number in units of its last decimal, and those so near that rounding on the way may have led there. */
function near(number, decimals, slack) {
  if (!Number.isFinite(number)) return [String(number)];
  const cell = Math.floor(number * 10 ** decimals + 0.5);
  return Array.from({ length: 2 * slack + 1 }, (_, i) => String(cell + i - slack));
}

/** Lines of numbers; a single number may have commas between its thousands. */
function rowsOf(typed, single) {
  const plain = typed.normalize("NFKC").replace(/[−–]/gu, "-").replace(/∞/gu, "Infinity");
  if (single) return [[plain.trim().replace(/(?<=\d)[,_ ](?=\d{3}\b)/gu, "")]];
  const lines = plain.split("\n").filter((line) => line.trim());
  return lines.map((line) =>
    line
      .replace(/[[\]()]/gu, " ")
      .split(/[\s,;]+/u)
      .filter(Boolean),
  );
}

function numberOf(text) {
  return text === "" ? NaN : Number(text.replace(/^([+-]?)inf$/iu, "$1Infinity"));
}
