/**
 * The security argument on one page. Steps run in this order and stop at the first that fails (protocol, section 4).
 *
 * Steps 1 and 2 answer who speaks, from bytes, pinned keys and the clock alone; nothing an intent says is believed
 * before they pass. Steps 3 to 9 answer whether it may, inside the transaction that spends the nonce and writes the
 * log entry, so that two processes can never both take the last place of a limit.
 */
import { action } from '../../checks/action.js';
import { constraints } from '../../checks/constraints.js';
import { hooks } from '../../checks/hooks.js';
import { nonce } from './checks/nonce.js';
import { passport } from './checks/passport.js';
import { revocation } from '../../checks/revocation.js';
import { signature } from './checks/signature.js';
import { timestamp } from './checks/timestamp.js';
import { trust } from './checks/trust.js';
import type { Check } from '../../pipeline.js';
import type { NativeClaim, Identified } from './context.js';

/** Who: the agent is known, its passport whole and in force, the bytes signed by its key. */
export const WHO: readonly Check<NativeClaim>[] = [
  { name: 'passport', run: passport }, //  1  E100 E102 E103 E104
  { name: 'signature', run: signature }, //  2  E101 E105
];

/** What may be done: asked alone where who sent an intent, and when, is taken as it was found (replay of a log). */
export const WHAT: readonly Check<Identified>[] = [
  { name: 'action', run: (context) => action(context, context.passport) }, //  5  E201 E210 E211
  { name: 'constraints', run: constraints }, //  6  E202 to E209, E212 to E214
];

/** Whether: fresh, declared, within limits. Asked once on a snapshot too where there are hooks, so that no person is asked in vain. */
export const BEFORE_HOOKS: readonly Check<Identified>[] = [
  { name: 'nonce', run: nonce }, //  3  E301 E304
  { name: 'timestamp', run: timestamp }, //  4  E302 E303
  ...WHAT,
];

/** Whether: what the hooks said, and good standing. */
const FROM_HOOKS: readonly Check<Identified>[] = [
  { name: 'hooks', run: hooks }, //  7  any, E209
  { name: 'revocation', run: (context) => revocation(context, context.passport.document.principal, context.believed) }, //  8  E401 to E403 E405 E406
  { name: 'trust', run: trust }, //  9  E404
];

/** Steps 3 to 9. */
export const WHETHER: readonly Check<Identified>[] = [...BEFORE_HOOKS, ...FROM_HOOKS];

/** The names of all steps, in order. */
export const NATIVE_STEPS: readonly string[] = [...WHO, ...WHETHER].map((check) => check.name);
