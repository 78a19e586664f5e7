import type { EntryDraft } from '../../../src/protocol/log/entry.js';
import { formatTime } from '../../../src/protocol/time.js';

export const AGENT = 'did:web:acme.com:agents:support-agent-v1';
export const OTHER = 'did:web:acme.com:agents:trader';
/** 2026-02-18T14:23:45Z, in ms. */
export const T0 = 1_771_424_625_000;

/** An accepted refund at `T0`, but for what `changes` says. */
export function draft(changes: Partial<EntryDraft> & { readonly at?: number } = {}): EntryDraft {
  const { at = T0, ...rest } = changes;
  return {
    timestamp: formatTime(at),
    agent_id: AGENT,
    action: 'issue_refund',
    target: null,
    params: { order_id: '8472', amount: 50 },
    status: 'success',
    error_code: null,
    error_message: null,
    details: null,
    nonce: '8f7a3c'.padEnd(32, '0'),
    signature: 'd4'.repeat(64),
    intent_hash: `sha256:${'ab'.repeat(32)}`,
    intent_timestamp: T0 / 1000,
    key_id: `${AGENT}#key-1`,
    passport_hash: `sha256:${'cd'.repeat(32)}`,
    passport_serial: 1,
    approval_request: null,
    dialect: 'native',
    latency_us: 120,
    ...rest,
  };
}

export function refused(code: string, changes: Partial<EntryDraft> & { readonly at?: number } = {}): EntryDraft {
  return draft({
    status: 'failed',
    error_code: code,
    error_message: 'REFUSED',
    details: { agent_id: AGENT },
    ...changes,
  });
}
