import { principalId } from '../../protocol/identity/did.js';
import type { KeyPlace, KeyRecord } from '../ports/state.js';
import { issuerKey, type IssuerKey, type PrincipalDeps } from '../keys/principals.js';

/** A principal whose key is here, and pinned. */
export interface PrincipalSetUp {
  readonly principal: string;
  readonly publicKey: Uint8Array;
  readonly record: KeyRecord;
  /** Null when it was set up before. */
  readonly pinned: IssuerKey['pinned'];
}

/** Where this machine keeps the principal's key; null when it does not hold it. The key itself is not opened. */
export function principalHeld(state: PrincipalDeps['state'], domain: string): PrincipalSetUp | null {
  const principal = principalId(domain);
  for (const pin of [...state.pins(principal)].reverse()) {
    const record = state.key(pin.keyId);
    if (record !== null) return { principal, publicKey: pin.publicKey, record, pinned: null };
  }
  return null;
}

/** Makes and pins the principal's key where there is none. Fails when it is pinned here and kept elsewhere. */
export async function setUpPrincipal(deps: PrincipalDeps, domain: string, store: KeyPlace): Promise<PrincipalSetUp> {
  const held = principalHeld(deps.state, domain);
  if (held !== null) return held;
  const principal = principalId(domain);
  const { key, record, pinned } = await issuerKey(deps, principal, store);
  return { principal, publicKey: key.publicKey, record, pinned };
}
