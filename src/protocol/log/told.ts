/** What a refusal tells beside itself: an act of an operator, or a change of the agent, by the codes of each dialect. */
import { isDialectName, type DialectName } from '../dialects.js';

/**
 * `agent_revoked`, `principal_revoked`: an operator has stopped the agent, or everything of its principal. `attestation_changed`: the
 * agent runs as something else than attested.
 */
export type RefusalFact = 'agent_revoked' | 'principal_revoked' | 'attestation_changed';

const TOLD: Readonly<Record<DialectName, Readonly<Record<string, RefusalFact>>>> = {
  native: { 'AIP-E401': 'agent_revoked', 'AIP-E403': 'principal_revoked' },
  'aip-1': {
    'AIP-E300': 'attestation_changed',
    'AIP-E301': 'attestation_changed',
    'AIP-E400': 'agent_revoked',
    'AIP-E402': 'principal_revoked',
  },
};

/** Null for a code that tells nothing more. A dialect that is not known is read as the native one. */
export function refusalFact(dialect: unknown, code: unknown): RefusalFact | null {
  const table = TOLD[isDialectName(dialect) ? dialect : 'native'];
  return typeof code === 'string' && Object.hasOwn(table, code) ? table[code]! : null;
}

/** True for a refusal because the agent or its principal is revoked. */
export function tellsRevocation({
  dialect,
  error_code,
}: {
  readonly dialect?: unknown;
  readonly error_code?: unknown;
}): boolean {
  const told = refusalFact(dialect, error_code);
  return told === 'agent_revoked' || told === 'principal_revoked';
}
