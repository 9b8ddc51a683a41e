// A model in Node.js: reads {header, bytes, tokens, target?, change?} as JSON, prints all that it computes.
import { readFileSync } from "node:fs";

const assets = process.argv[2];
const { fromBase64, tensorsOf } = await import(`${assets}/live/bundle.js`);
const { newCapture, NOTHING } = await import(`${assets}/live/capture.js`);
const { Transformer } = await import(`${assets}/live/forward.js`);

const plain = ({ data, rows, columns }) =>
  Array.from({ length: rows }, (_, i) => Array.from(data.subarray(i * columns, (i + 1) * columns)));

const answers = JSON.parse(readFileSync(0, "utf8")).map(({ header, bytes, tokens, target, change }) => {
  const model = new Transformer(header.config, tensorsOf(header, fromBase64(bytes)));
  const capture = newCapture({ ...NOTHING, ...change });
  const hidden = model.hidden(tokens, capture, target);
  const logits = model.logits(hidden);
  const layers = capture.layers.map(({ kind, layer, heads }) => ({
    kind,
    layer,
    ...Object.fromEntries(
      ["query", "key", "value", "scores", "weights", "output"].map((part) => [
        part,
        heads.map((head) => plain(head[part])),
      ]),
    ),
  }));
  return { hidden: plain(hidden), logits: logits && plain(logits), layers };
});
process.stdout.write(JSON.stringify(answers));
