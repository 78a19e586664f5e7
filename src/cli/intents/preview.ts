import { verifyIntents } from '../../app/verification/intents.js';
import type { ValueObject } from '../../protocol/aip1/encoding/numbers.js';
import { documentText } from '../../protocol/aip1/sign.js';
import type { IntentDocument } from '../../protocol/intent.js';
import type { Passport } from '../../protocol/passport.js';
import type { Judgement } from '../../verify/judge.js';
import { verification } from './verification.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Lifetime } from '../../workspace/workspace.js';
import type { Surroundings } from '../io.js';

/** What this machine's verifier would say of an intent, by what it knows itself; nothing is spent, counted or logged. */
export async function preview(
  cli: Setting & Notices & Lifetime & Surroundings,
  passport: Passport,
  intent: IntentDocument | ValueObject,
  { geo }: { readonly geo?: string } = {},
): Promise<Judgement> {
  const { deps, options } = await verification(cli, {
    dryRun: true,
    alone: true,
    passports: [passport],
    principalKey: [],
    ...(geo === undefined ? {} : { geo }),
  });
  const [judgement] = await verifyIntents(deps, options, [
    { bytes: Buffer.from(documentText(intent as unknown as ValueObject)), source: null },
  ]);
  return judgement!;
}
