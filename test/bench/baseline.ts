/** What starting node costs without a program of ours. */
import { spawnSync } from 'node:child_process';
import { median } from './measure.js';

/** A bare start takes less than this on an idle machine of today, ms. */
export const SLOWEST_MS = 30;

/** p50 of starting node on an empty program, ms. */
export function bareStart(rounds = 21): number {
  const times: number[] = [];
  for (let round = -2; round < rounds; round++) {
    const start = performance.now();
    const { status } = spawnSync(process.execPath, ['-e', '0'], { stdio: 'ignore' });
    if (status !== 0) throw new Error(`node -e 0 ended with ${status}`);
    if (round >= 0) times.push(performance.now() - start);
  }
  return median(times);
}

/** In words why a figure measured beside this baseline would mislead; null where it would not. */
export function misleading(baselineMs: number): string | null {
  if (baselineMs <= SLOWEST_MS) return null;
  const found = `node -e 0 takes ${baselineMs.toFixed(1)} ms here, more than ${SLOWEST_MS}`;
  return `${found}: the machine is busy or slow, and what is measured would say nothing. Nothing is reported.`;
}

/** Prints the baseline, or ends the benchmark with 2 where nothing that it says could be believed. */
export function requireQuiet(): void {
  const baseline = bareStart();
  const trouble = misleading(baseline);
  if (trouble !== null) {
    console.error(trouble);
    process.exit(2);
  }
  console.log(`baseline: node -e 0 takes ${baseline.toFixed(1)} ms (p50), with an environment that was cleared`);
}
