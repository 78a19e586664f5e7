/** What a machine's owner should know of its state and its principals' keys. */
import { ok, warning, type Finding } from '../../app/setup/doctor.js';
import type { State } from '../../app/ports/state.js';
import { formatTime } from '../../protocol/time.js';
import { askedPrincipals, openPrincipals } from '../intents/child.js';
import type { Surroundings } from '../io.js';
import type { Setting } from '../setting.js';
import { generationOf } from '../../workspace/state.js';

/** How long it is told that an older state was found here, in ms. */
const TOLD_FOR = 7 * 24 * 60 * 60 * 1000;

/** An older copy of the state that was put back. */
export async function inspectGeneration(cli: Setting & Surroundings): Promise<Finding[]> {
  const seen = await generationOf(cli.workspace);
  if (seen === null || seen === 'unreadable' || seen.wentBackAt === null) return [];
  if (cli.io.now() - seen.wentBackAt > TOLD_FOR) return [];
  const message = `An older copy of the state was found here at ${formatTime(seen.wentBackAt)}; what was spent after it was made is forgotten.`;
  return [warning('state', message, 'aip logs verify, and compare with a checkpoint or the mesh')];
}

/** Whether what runs as this user can sign passports. */
export function inspectPrincipalKeys(cli: Setting & Surroundings, state: Pick<State, 'pins' | 'key'>): Finding[] {
  const open = openPrincipals(state, Boolean(cli.io.env.AIP_KEY_PASSPHRASE)).map(
    ({ did }) =>
      `The key of ${did} opens here without a question: what runs as this user can sign passports with it (aip help security).`,
  );
  const asked = askedPrincipals(state).map(
    ({ did, ref }) =>
      `The key of ${did} is asked at ${ref}: what runs as this user can ask it for passports, too (aip help security).`,
  );
  return [...open, ...asked].map((message) => ok('principal', message));
}
