// mini in Node.js, as the live page runs it: reads the model as JSON, prints the milliseconds of each part.
import { readFileSync } from "node:fs";

const assets = process.argv[2];
const { fromBase64, tensorsOf } = await import(`${assets}/live/bundle.js`);
const { Reader } = await import(`${assets}/live/reading.js`);

const { header, bytes, text, most, rounds } = JSON.parse(readFileSync(0, "utf8"));
const reader = new Reader(header, tensorsOf(header, fromBase64(bytes)));
const tokens = reader.read(text).slice(0, most);

const given = tokens.slice(1); // and before them the token that begins what is written: as many as are read

/** Through both stacks: the tokens are read, and as many are given to be written. */
const through = async () => reader.decode(reader.look(tokens), { tokens: given, expected: [] });
/** The same, and what is likeliest in the place of each: a logit of every token. */
const judged = async () => reader.decode(reader.look(tokens), { tokens: given });
/** All that the page shows of a text: read, written token by token, and the maps of what is written. */
const shown = async () => {
  const read = reader.look(tokens);
  return reader.decode(read, await reader.write(read, async () => {}));
};

/** Least and middle of milliseconds on the wall and of the processor. */
async function timed(act) {
  const took = [];
  for (let round = 0; round < rounds; round++) {
    const [start, used] = [performance.now(), process.cpuUsage()];
    await act();
    const { user, system } = process.cpuUsage(used);
    took.push({ wall: performance.now() - start, processor: (user + system) / 1000 });
  }
  const ends = (name) => {
    const sorted = took.map((one) => one[name]).sort((a, b) => a - b);
    return [sorted[0], sorted[rounds >> 1]];
  };
  return { wall: ends("wall"), processor: ends("processor") };
}

const found = {};
for (const [name, act] of Object.entries({ through, judged, shown })) found[name] = await timed(act);
process.stdout.write(JSON.stringify(found));
