/** A key that was rotated out because it may have leaked: it is denied as well, so that no copy of an older passport lets it in. */
import { Failure, shellWord } from '../../app/failure.js';
import type { GivenOrder } from '../../app/mesh/orders.js';
import { meshAccess } from '../mesh/access.js';
import { clean } from '../render/terminal/text.js';
import { obey } from '../mesh/orders/order.js';
import type { KeyPlaces } from '../../workspace/keys.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';
import type { Output } from '../output.js';
import type { Questioner } from '../questions/ask.js';

/** What became of the deny. */
export interface RetiredKey {
  /** True where the mesh has it, so that every machine that listens stops the key. */
  readonly everywhere: boolean;
  /** How far the deny has come; null on this machine alone. */
  readonly given: GivenOrder | null;
  readonly exitCode: number;
}

/** Denies `key` (`ed25519:` and hex) through the mesh, or on this machine alone, which it always reaches. */
export async function denyRetired(
  cli: Setting & Surroundings & Output & Questioner,
  key: string,
  flags: KeyPlaces,
): Promise<RetiredKey> {
  const order = {
    action: 'revoke',
    subject: key,
    reason: 'rotated out with no overlap',
    by: null,
    durationMs: null,
  } as const;
  const mesh = await meshAccess(cli);
  if (mesh === null) {
    await obey(cli, null, order, flags);
    return { everywhere: false, given: null, exitCode: 0 };
  }
  try {
    const given = await obey(cli, mesh, order, flags);
    return { everywhere: true, given, exitCode: given.missing > 0 ? 5 : 0 };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    await obey(cli, null, order, flags);
    const why = clean(error.message).replace(' Nothing was changed.', '');
    const everywhere = `aip revoke ${key} --reason ${shellWord(order.reason)}`;
    cli.warn(
      `The old key is denied on this machine only: ${why} To deny it everywhere, once the mesh takes it: ${everywhere}`,
      'denied_here_alone',
    );
    return { everywhere: false, given: null, exitCode: error.exitCode };
  }
}
