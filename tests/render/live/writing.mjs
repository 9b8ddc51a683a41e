// A model that writes, in Node.js: reads [{header, bytes, text, change}] as JSON, prints all that the page shows of
// each, made of what its writer kept, and computed anew from the tokens that it wrote.
import { readFileSync } from "node:fs";

const assets = process.argv[2];
const { fromBase64, tensorsOf } = await import(`${assets}/live/bundle.js`);
const { NOTHING } = await import(`${assets}/live/capture.js`);
const { Reader } = await import(`${assets}/live/reading.js`);

const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
const answers = [];
for (const { header, bytes, text, change } of JSON.parse(readFileSync(0, "utf8"))) {
  const reader = new Reader(header, tensorsOf(header, fromBase64(bytes)));
  const look = () => reader.look(reader.read(text), { ...NOTHING, ...change });
  const written = await reader.write(look(), async () => {});
  const { tokens, expected } = written;
  answers.push({ kept: reader.decode(look(), written), anew: reader.decode(look(), { tokens, expected }) });
}
process.stdout.write(JSON.stringify(answers, plain));
