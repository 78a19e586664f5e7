import { Failure } from '../../app/failure.js';
import type { Pin } from '../../app/ports/state.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { clean } from '../render/terminal/text.js';
import type { Notices } from '../output.js';
import type { Questioner } from '../questions/ask.js';

/**
 * Asks before a principal gets another key beside `before`: each of them can sign passports for all its agents. `instead` is the
 * flag, or flags, that a script gives.
 */
export async function agreeToSecond(
  did: string,
  before: readonly Pin[],
  yes: boolean,
  instead: string,
  cli: Notices & Questioner,
): Promise<void> {
  const known = before.map((pin) => `${clean(pin.keyId)} ${formatPublicKey(pin.publicKey)}`).join(', ');
  cli.warn(`${did} is pinned already, with ${known}; passports signed by either key will be believed.`, 'second_pin');
  if (yes) return;
  if (!cli.ask.allowed) {
    throw new Failure('ANSWER_NEEDED', `${did} is pinned with another key already. Nothing was changed.`, {
      hint: `give ${instead}`,
    });
  }
  if (!(await cli.ask.confirm({ message: 'Believe both keys', flag: '--yes' })))
    throw new Failure('USAGE', 'Nothing was changed.', { hint: `give ${instead}` });
}
