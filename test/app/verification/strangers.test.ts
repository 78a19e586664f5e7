import { describe, expect, test } from 'vitest';
import { recordOf } from '../../../src/app/verification/record.js';
import { readIntent } from '../../../src/protocol/intent.js';
import { parseJsonText } from '../../../src/protocol/json/parse.js';
import type { Concern } from '../../../src/protocol/codes.js';
import type { Judgement } from '../../../src/verify/judge.js';
import { refund } from '../../kit/native/intent-parts.js';

function entry(concern: Concern | null, changes: object, logParams: 'full' | 'masked' | 'none' = 'masked') {
  const intent = readIntent(parseJsonText(JSON.stringify({ ...refund('stranger'), ...changes })));
  const decision = {
    success: concern === null,
    dialect: 'native',
    error_code: null,
    error_message: null,
    details: null,
  };
  const settled = {
    judgement: { decision, concern } as unknown as Judgement,
    spent: false,
    inForce: null,
    unbound: false,
    releasable: null,
  };
  const how = { logParams, wallNow: 0, tookUs: 0, refusedBefore: false, fitsEntry: true };
  return recordOf(intent, settled, { bytes: JSON.stringify(intent.document) }, how).draft;
}

const LARGE = { note: 'x'.repeat(50_000) };

describe('the entry of a document that nobody is proved to have sent', () => {
  test('keeps small params, and of large ones only the hash of the whole', () => {
    expect(entry('who', { params: { note: 'x' } }).params).toEqual({ note: 'x' });
    expect(entry('who', { params: LARGE }, 'full')).toMatchObject({
      params: null,
      intent_hash: expect.stringMatching(/^sha256:/),
    });
    expect(entry('who', { params: { note: 'x' } }, 'none').params).toBeNull();
  });

  test('is small, whatever was sent', () => {
    const rubbish = {
      params: LARGE,
      nonce: 'n'.repeat(5_000),
      signature: 's'.repeat(5_000),
      target: 't'.repeat(2000),
    };
    expect(JSON.stringify(entry('who', { ...rubbish, params: {} })).length).toBeLessThan(2000);
    expect(JSON.stringify(entry('who', rubbish)).length).toBeLessThan(2000);
    expect(entry('who', rubbish)).toMatchObject({ nonce: null, signature: null });
  });
});

test('an agent that is proved is held to all of what it sent', () => {
  for (const concern of [null, 'what', 'when', 'standing', 'approval'] as const) {
    expect(entry(concern, { params: LARGE }).params).toEqual(LARGE);
  }
});
