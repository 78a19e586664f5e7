/** Mandates: what a principal allows an agent, beside what the agent says of itself. */
import { readMandate, unsignedMandate } from '../../protocol/aip1/mandate.js';
import type { ValueObject } from '../../protocol/aip1/encoding/numbers.js';
import { verifySignature, type VerifyKey } from '../../protocol/ed25519/verify.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { deniedKeys } from '../../verify/believed-keys.js';
import { judgeMandate, mandateSigner, type MandateTrust } from '../../verify/dialects/aip1/checks/mandate.js';
import { verdictInAip1 } from '../../verify/dialects/aip1/violations.js';
import type { Facts } from '../../verify/context.js';
import { verdictOf, type Verdict } from '../../verify/decision.js';
import { mandateFinding } from '../verification/trust/mandates.js';
import { Failure } from '../failure.js';
import { issuerKey, type PrincipalDeps } from '../keys/principals.js';
import { provenBy } from '../signing/document.js';

/** What a mandate is to say. */
export interface MandateTerms {
  readonly issuer: string;
  readonly subject: string;
  /** As AIP-1 writes them; every member is optional. */
  readonly boundaries: ValueObject;
  /** ms from `now`, which is asked once the key is open; null for a mandate that never ends. @throws Failure where it would be over already */
  readonly lifetimeMs: (now: number) => number | null;
}

/** Signs a mandate with the issuer's key on this machine. */
export async function grant(
  deps: PrincipalDeps,
  { issuer, subject, boundaries, lifetimeMs }: MandateTerms,
): Promise<ValueObject> {
  const { key } = await issuerKey(deps, issuer, null);
  try {
    const now = deps.clock();
    const unsigned = unsignedMandate({
      issuer,
      subject,
      boundaries,
      now,
      lifetimeMs: lifetimeMs(now),
      id: deps.random(16),
    });
    const mandate = await provenBy(key, unsigned, issuer, now);
    readMandate(mandate);
    return mandate;
  } catch (error) {
    if (error instanceof ShapeError) throw new Failure('USAGE', `This would be no mandate: ${error.reason}.`);
    throw error;
  }
}

/** What is said of a mandate that is checked, as `aip mandate verify` shows it. */
export interface MandateReport {
  readonly valid: boolean;
  readonly mandate_id: string | null;
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly boundaries: ValueObject | null;
  /** ms since the epoch; null never. */
  readonly expiresAt: number | null;
  readonly verdict: Verdict;
}

/** Whether the mandate in `bytes` counts, for `subject`, or for whom it names when that is null. `facts`: which keys are denied now. */
export function judgeMandateFile(
  bytes: Uint8Array,
  subject: string | null,
  key: VerifyKey | null,
  trust: Omit<MandateTrust, 'signatureHolds'>,
  facts: Pick<Facts, 'standing' | 'standingNow'>,
): MandateReport {
  const finding = mandateFinding(bytes, key);
  const found = finding.status === 'found' ? finding.mandate : null;
  const held = { ...trust, signatureHolds: verifySignature };
  const judged = judgeMandate(finding, subject, held);
  const verdict =
    judged.status === 'passed'
      ? verdictInAip1(verdictOf(deniedKeys(facts, mandateSigner({ ...held, mandate: finding }), found!.subject)))
      : judged;
  return {
    valid: verdict.status === 'passed',
    mandate_id: found?.id ?? null,
    issuer: found?.issuer ?? null,
    subject: found?.subject ?? null,
    boundaries: found?.boundaries.document ?? null,
    expiresAt: found?.expiresAt ?? null,
    verdict,
  };
}
