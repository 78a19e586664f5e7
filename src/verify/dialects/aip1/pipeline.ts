/**
 * AIP-1 on one page: the order of RFC-001 (section 6), and the codes that its verifiers would report.
 *
 * The order puts expiry and replay before the signature. Both can only refuse here: nothing an envelope says is believed, and no
 * nonce is spent, before its signature holds. The signature and the mandate are judged outside the transaction, where arithmetic
 * holds up no other document, and take their place in the order with a verdict that is already reached.
 */
import type { Tier } from '../../../protocol/aip1/envelope.js';
import { skipped, type Verdict } from '../../decision.js';
import type { Check } from '../../pipeline.js';
import { attestation } from './checks/attestation.js';
import { boundaries } from './checks/boundaries.js';
import { delegation } from './checks/delegation.js';
import { drift } from './checks/drift.js';
import { expiry, nonce, schema, version } from './checks/form.js';
import { replay } from './checks/replay.js';
import { hooks, principal, revocation } from './checks/standing.js';
import { trust } from './checks/trust.js';
import type { Aip1Claim, Aip1Context, Reading } from './context.js';

/** What the document's shape says. */
export const SHAPE: readonly Check<Reading>[] = [
  { name: 'version', run: version }, //                       1  E104
  { name: 'schema', run: schema }, //                         2  E103
];

/** What form and clock say. */
export const FORM: readonly Check<Aip1Claim>[] = [
  { name: 'expiry', run: expiry }, //                         3  E101
  { name: 'nonce', run: nonce }, //                           4  E105
];

/** Who speaks, and whether it may. Asked once on a snapshot too where there are hooks, so that no person is asked in vain. */
export const BEFORE_HOOKS: readonly Check<Aip1Context>[] = [
  { name: 'replay', run: replay }, //                         5  E102 E101
  { name: 'signature', run: ({ signature }) => signature }, // 6  E100
  { name: 'mandate', run: ({ mandateVerdict }) => mandateVerdict }, // 7  E405 to E408
  { name: 'boundaries', run: boundaries }, //                 8  E200 to E204, E103
];

/** What the hooks said, and whether it is in good standing. */
const FROM_HOOKS: readonly Check<Aip1Context>[] = [
  { name: 'hooks', run: hooks }, //                           9  any, E209
  { name: 'revocation', run: revocation }, //                10  E400 E401 E501
  { name: 'attestation', run: fromTier(1, attestation) }, // 11  E300 to E302
  { name: 'principal', run: principal }, //                  12  E402
  { name: 'drift', run: fromTier(2, drift) }, //             13  E303
  { name: 'delegation', run: fromTier(2, delegation) }, //   14  E403
  { name: 'trust', run: trust }, //             15  E404
];

/** Steps 5 to 15. */
export const SUBSTANCE: readonly Check<Aip1Context>[] = [...BEFORE_HOOKS, ...FROM_HOOKS];

/** The names of all steps, in order. */
export const AIP1_STEPS: readonly string[] = [...SHAPE, ...FORM, ...SUBSTANCE].map(({ name }) => name);

function fromTier(first: Tier, run: (context: Aip1Context) => Verdict): (context: Aip1Context) => Verdict {
  return (context) => (context.tier < first ? skipped(`not asked at tier ${context.tier}`) : run(context));
}
