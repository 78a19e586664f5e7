/** Whether an agent may go on with what was allowed: asked again and again while a call or a stream is open. */
import type { Passport } from '../../protocol/passport.js';
import { standingViolations } from '../../verify/checks/revocation.js';
import { issuerOf } from '../../verify/checks/issuer.js';
import type { Facts, PinnedKey } from '../../verify/context.js';
import type { Violation } from '../../verify/decision.js';

/** What denies the agent, its principal, everyone, or a key of theirs, as known now; null while nothing does. */
export function standingRefusal(
  passport: Passport,
  pins: (principal: string) => readonly PinnedKey[],
  facts: Pick<Facts, 'standing' | 'freshness' | 'standingNow'>,
): Violation | null {
  const { principal } = passport.document;
  const own = { role: 'agent', candidates: [passport.currentKey], holds: () => true } as const;
  const believed = [own, issuerOf(passport, pins)];
  return standingViolations(facts, passport.agent.id, principal, believed)[0] ?? null;
}
