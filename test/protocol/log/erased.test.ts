import { expect, test } from 'vitest';
import { seal, sealRecord, START } from '../../../src/protocol/log/chain.js';
import type { Entry } from '../../../src/protocol/log/entry.js';
import { outcomeWithout, slotsTo } from '../../../src/protocol/log/erased.js';
import { erase } from '../../../src/protocol/log/leaf.js';
import { draft } from '../../kit/state/drafts.js';

const random = (n: number): Uint8Array => new Uint8Array(n).fill(n);
const TELLING = ['details', 'error_message', 'intent_hash', 'nonce', 'signature', 'target'];
const entry = (params: Entry['params'], sent: Entry['params']): Entry =>
  seal({ ...draft(), params }, sent, 'v', START, random).entry;

test('a param goes with what tells it, shown or withheld, and once', () => {
  const shown = entry({ to: 'a', note: 'b' }, null);
  expect(slotsTo(shown, 'to')).toEqual(['params.to', ...TELLING]);
  expect(slotsTo(shown, null)).toEqual(['params.to', 'params.note', ...TELLING]);
  expect(slotsTo(shown, 'cc')).toEqual([]);
  const masked = entry({ to: '[masked]' }, { to: 'a' });
  expect(slotsTo(masked, 'to')).toEqual(['params.to', 'sent.to', ...TELLING]);
  expect(slotsTo(entry(null, { to: 'a' }), null)).toEqual(['sent.to', ...TELLING]);
  expect(slotsTo(erase(masked, slotsTo(masked, 'to')), 'to')).toEqual([]);
});

test('an outcome loses its words; other records hold nothing of a param', () => {
  const made = sealRecord(
    {
      ...{ type: 'outcome', timestamp: draft().timestamp, agent_id: draft().agent_id, of: 1, status: 'error' },
      ...{ exit_code: 1, duration_ms: 2, result_hash: 'sha256:aa', detail: 'bounced', claimed: false },
    },
    'v',
    START,
    random,
  ).entry;
  expect(slotsTo(made, null)).toEqual([]);
  expect(outcomeWithout(made)).toMatchObject({ detail: null, result_hash: null, hash: made.hash, status: 'error' });
  expect(outcomeWithout({ ...made, salts: null })).toBeNull();
});
