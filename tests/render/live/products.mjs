// Products in Node.js: reads [{x, weight, bias}] as JSON, each a list of rows, prints x · Wᵀ + b of each.
import { readFileSync } from "node:fs";

const { linear, matrix, row } = await import(`${process.argv[2]}/live/products.js`);

const packed = (rows) => matrix(rows.length, rows[0].length, Float32Array.from(rows.flat()));
const answers = JSON.parse(readFileSync(0, "utf8")).map(({ x, weight, bias }) => {
  const y = linear(packed(x), packed(weight), bias && packed([bias]));
  return x.map((_, i) => Array.from(row(y, i)));
});
process.stdout.write(JSON.stringify(answers));
