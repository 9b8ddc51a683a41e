/** The worker: it holds the model, so that the page can be used while it computes. The newest request counts. */

import { fromBase64, tensorsOf } from "./bundle.js";
import { NOTHING } from "./capture.js";
import { Reader } from "./reading.js";

const GOES_ON = 12; // tokens that a decoder adds to a text
let reader = null;
let newest = 0;
let kept = { key: null }; // the last text as it is read unchanged

addEventListener("message", async ({ data }) => {
  try {
    if (data.header) await open(data);
    else await answer(data);
  } catch (problem) {
    if (problem.problem) postMessage({ id: data.id, ...problem });
    else if (problem !== OVERTAKEN) postMessage({ broken: String(problem) });
  }
});

/** Let messages in that have come meanwhile; a timer would wait for milliseconds. */
function turn() {
  return new Promise((resume) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resume;
    port2.postMessage(null);
  });
}

const OVERTAKEN = Symbol("a newer request is there");

async function open({ header, weights }) {
  const stream = new Blob([fromBase64(weights)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  reader = new Reader(header, tensorsOf(header, bytes));
  postMessage({ opened: true });
}

/** What the model makes of a text, and of the same text with something changed. */
async function answer({ id, text, target, change }) {
  newest = id;
  const pause = async () => {
    await turn();
    if (id !== newest) throw OVERTAKEN;
  };
  await pause(); // of several that wait, only the newest is answered
  const began = performance.now();
  const tokens = reader.read(text);
  const key = JSON.stringify([text, target]);
  if (kept.key !== key) {
    // What is read can be seen while it is not yet known what is written.
    const tell = (reads) => postMessage({ id, tokens, reads });
    kept = { key, original: await looked(tokens, NOTHING, target, pause, tell) };
  }
  const changed = change && (await looked(...withChange(tokens, change), target, pause));
  postMessage({ id, tokens, original: kept.original, changed, milliseconds: performance.now() - began });
}

/** All that the model makes of the tokens; `tell` hears what it reads before it writes. */
async function looked(tokens, change, target, pause, tell) {
  const read = reader.look(tokens, change);
  if (reader.writes) {
    tell?.(read.found);
    const written = target ? { tokens: reader.read(target) } : await reader.write(read, pause);
    return reader.decode(read, written);
  }
  const { stack } = reader.header.config;
  const { tokens: next, expected } =
    stack === "decoder" ? await reader.goOn(read, GOES_ON, pause) : reader.answers(read);
  return { ...read.found, expected, written: next.map(({ label }) => label) };
}

/** The tokens that are left, and the change as capture.js takes it: places count what is left. */
function withChange(tokens, { drop, hide, heads, positions, temperature }) {
  const left = [...tokens.keys()].filter((place) => !drop.includes(place));
  if (!left.some((place) => !tokens[place].special)) throw { problem: "dropped" };
  const hidden = [...left.keys()].filter((place) => hide.includes(left[place]));
  const keys = reader.writes ? { encoder: hidden, cross: hidden } : { encoder: hidden, decoder: hidden };
  return [left.map((place) => tokens[place]), { heads, keys, positions, temperature }];
}
