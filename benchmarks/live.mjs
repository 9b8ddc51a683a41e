// mini in Node.js, as the live page runs it: reads the model as JSON, prints the median milliseconds of each part.
import { readFileSync } from "node:fs";

const assets = process.argv[2];
const { fromBase64, tensorsOf } = await import(`${assets}/live/bundle.js`);
const { Reader } = await import(`${assets}/live/reading.js`);

const { header, bytes, text, most, rounds } = JSON.parse(readFileSync(0, "utf8"));
const reader = new Reader(header, tensorsOf(header, fromBase64(bytes)));
const tokens = reader.read(text).slice(0, most);

/** Through both stacks: the tokens are read, and as many are given to be written. */
const through = async () => reader.decode(reader.look(tokens), { tokens, expected: [] });
/** All that the page shows of a text: read, written token by token, and the maps of what is written. */
const shown = async () => {
  const read = reader.look(tokens);
  return reader.decode(read, await reader.write(read, async () => {}));
};

async function median(act) {
  const took = [];
  for (let round = 0; round < rounds; round++) {
    const [start, used] = [performance.now(), process.cpuUsage()];
    await act();
    const { user, system } = process.cpuUsage(used);
    took.push({ wall: performance.now() - start, processor: (user + system) / 1000 });
  }
  const middle = (name) => took.map((one) => one[name]).sort((a, b) => a - b)[rounds >> 1];
  return { wall: middle("wall"), processor: middle("processor") };
}

process.stdout.write(
  JSON.stringify({ tokens: tokens.length, through: await median(through), shown: await median(shown) }),
);
