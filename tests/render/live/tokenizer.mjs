// Tokenizers in Node.js: reads [{spec, texts}] as JSON, prints the numbers and pieces of each text.
import { readFileSync } from "node:fs";

const { newTokenizer } = await import(`${process.argv[2]}/live/tokenizer.js`);
const answers = JSON.parse(readFileSync(0, "utf8")).map(({ spec, texts }) => {
  const tokenise = newTokenizer(spec);
  return texts.map((text) => tokenise(text).map(({ id, piece }) => [id, piece]));
});
process.stdout.write(JSON.stringify(answers));
