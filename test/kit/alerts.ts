import type { AlertEvent } from '../../src/app/ports/monitor.js';
import { AGENT } from './state/drafts.js';

/** A raised warning, but for what `changes` says. */
export function alert(changes: Partial<AlertEvent> = {}): AlertEvent {
  return {
    id: 'c'.repeat(32),
    event: 'raised',
    key: `aip-low_trust-${'d'.repeat(32)}`,
    kind: 'low_trust',
    agent_id: AGENT,
    severity: 'warning',
    message: 'Trust is 0.55, under 0.7',
    facts: { score: 0.55, verifications: 23, limit: 0.7 },
    since: '2026-02-18T14:23:45.000Z',
    time: '2026-02-18T14:23:45.000Z',
    verifier: 'e'.repeat(16),
    ...changes,
  };
}
