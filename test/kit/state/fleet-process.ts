/** A verifier of a fleet as a process of its own, for tests: `<mode> <url> <verifier> <claims as JSON> <start at, ms>`. */
import { randomBytes } from 'node:crypto';
import { openFleetMemory } from '../../../src/adapters/postgres/state/open.js';
import { Failure } from '../../../src/app/failure.js';
import type { FleetClaim, SettledBatch } from '../../../src/app/ports/fleet-memory.js';

const [mode, url = '', verifier = '', claims = '[]', startAt = '0'] = process.argv.slice(2);

/** Amounts stand as text. */
function read(text: string): FleetClaim[] {
  return JSON.parse(text, (name, value: unknown) =>
    (name === 'asked' || name === 'amountMinor' || (name === 'limit' && typeof value === 'string')) &&
    typeof value === 'string'
      ? BigInt(value)
      : value,
  ) as FleetClaim[];
}

const memory = openFleetMemory(
  url,
  { env: {}, userHome: '' },
  { verifier, random: randomBytes, clock: Date.now, ticks: () => Number(process.hrtime.bigint()) / 1000 },
);
/** On a busy machine many logins at once take longer than a verification may wait: asked until there is an answer. */
async function patiently(asked: readonly FleetClaim[]): Promise<SettledBatch> {
  for (const end = Date.now() + 240_000; ;) {
    try {
      return await memory.settle(asked, false);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'STATE_UNAVAILABLE' || Date.now() > end) throw error;
    }
  }
}

// Connected before all of them start at once.
await patiently([]);
await new Promise((resolve) => setTimeout(resolve, Math.max(0, Number(startAt) - Date.now())));
const settled = await patiently(read(claims));
if (mode === 'killed') process.kill(process.pid, 'SIGKILL');
settled.logged();
await memory.close();
// What an earlier try was not told is found by the nonce.
process.stdout.write(
  JSON.stringify(settled.claims.map(({ spentAs, before }) => spentAs ?? before?.firstResult ?? null)),
);
