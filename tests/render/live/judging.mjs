// Answers judged in Node.js: reads [{typed, sealed, salt}] as JSON, prints what is said of each.
import { readFileSync } from "node:fs";

const { hashed, judged } = await import(`${process.argv[2]}/live/judging.js`);
const answers = JSON.parse(readFileSync(0, "utf8")).map(({ typed, sealed, salt }) =>
  sealed ? judged(typed, sealed, salt) : hashed(salt, typed),
);
process.stdout.write(JSON.stringify(answers));
