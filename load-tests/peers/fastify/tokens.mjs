// node tokens.mjs KEY COUNT: one token a line for the applicants 1 to COUNT, whose ids are spread
// over 64 bits as gelombang's are. For every peer but gelombang, which makes its own.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mint } from './token.mjs';

const key = Buffer.from(process.argv[2], 'hex');
const count = Number(process.argv[3]);
const now = Math.floor(Date.now() / 1000);
const linesAtOnce = 5000;

let lines = [];
for (let number = 1; number <= count; ++number) {
  const applicant = createHash('sha256').update(String(number)).digest('hex').slice(0, 16);
  lines.push(mint(key, applicant, now), '\n');
  if (number % linesAtOnce !== 0 && number !== count) continue;
  if (!process.stdout.write(lines.join(''))) await once(process.stdout, 'drain');
  lines = [];
}
