/**
 * What each hardening costs a durable verification, as the rate beside that of the same program without it: `npm run bench`.
 * The programs of one process take turns. Ends with 1 when a target is missed.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { requireQuiet } from './baseline.js';
import { isMet, table, timesAsMuch, type Pair, type Result } from './measure.js';
import type { Subject } from './subject.js';

const FOLDER = process.env['AIP_BENCH_PROGRAMS']!;
const CROWD = 1024;
const ROUNDS = 32;

/** By the files of `without/`; what a table of many limits may cost is bounded. */
const HARDENINGS = [
  { without: 'constraints', what: 'limits: money, destinations, values by words', least: 0.95 },
  { without: 'hidden', what: 'hidden characters', least: null },
  { without: 'unmeasured', what: 'limits that measure nothing', least: null },
  { without: 'secrets', what: 'secrets masked in entries', least: null },
  { without: 'commitments', what: 'salted commitments', least: null },
] as const;

/** A verifier of its own, whose log begins empty: a long one is dearer. */
async function load(name: string, beside: string): Promise<Subject> {
  const program = (await import(pathToFileURL(join(FOLDER, `${name}.mjs`)).href)) as typeof import('./subject.js');
  return program.subject(`${name}-${beside}`);
}

requireQuiet();
const results: Result[] = [];
for (const { without, what, least } of HARDENINGS) {
  const [whole, other] = [await load('whole', without), await load(without, 'whole')];
  const [pairs, ours, base] = [[] as Pair[], [] as number[], [] as number[]];
  for (let round = -3; round < ROUNDS; round++) {
    // The first of two finds another heap than the second.
    const turns = [
      { subject: whole, waits: ours },
      { subject: other, waits: base },
    ];
    if (round % 2 === 0) turns.reverse();
    const took = new Map<Subject, number>();
    for (const { subject, waits } of turns) took.set(subject, await subject.verify(CROWD, round < 0 ? [] : waits));
    if (round >= 0) pairs.push({ ours: took.get(whole)!, base: took.get(other)! });
  }
  await Promise.all([whole.close(), other.close()]);
  const target = { kind: 'least', value: least, unit: '%' } as const;
  results.push({ what, against: 'without it', target, measured: 1 / timesAsMuch(pairs), ours, base });
}
console.log(table(results));
process.exitCode = results.every(isMet) ? 0 : 1;
