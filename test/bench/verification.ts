/**
 * What a verification costs, as ratios against a baseline in the same run: `npm run bench`. A name as argument (start, stateless, durable,
 * stream, nonces) runs that part alone. Ends with 1 when a target is missed.
 */
import { cpus, loadavg } from 'node:os';
import { durable, stateless } from './in-process.js';
import { requireQuiet } from './baseline.js';
import { isMet, table, type Result } from './measure.js';
import { millionNonces } from './nonces.js';
import { starts, stream } from './processes.js';

const PARTS: Readonly<Record<string, () => Promise<Result | Result[]>>> = {
  start: starts,
  stateless,
  durable,
  stream,
  nonces: millionNonces,
};

requireQuiet();
const asked = process.argv.slice(2);
const busy = loadavg()[0]!;
const results: Result[] = [];
for (const [name, part] of Object.entries(PARTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  results.push(...[await part()].flat());
}
const machine = `${cpus().length} cores: ${cpus()[0]?.model ?? '?'}`;
// A stream on two cores shows what it can do only where two are free.
const load = `load ${busy.toFixed(1)} before, ${loadavg()[0]!.toFixed(1)} after`;
console.log(`node ${process.version}, ${process.platform} ${process.arch}, ${machine}; ${load}\n`);
console.log(table(results));
process.exitCode = results.every(isMet) ? 0 : 1;
