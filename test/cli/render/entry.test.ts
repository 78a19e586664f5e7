import { expect, test } from 'vitest';
import { renderEntry } from '../../../src/cli/render/entry.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';

const REFUSED = {
  type: 'verification',
  timestamp: '2026-02-18T12:00:00.123Z',
  agent_id: 'did:web:acme.com:agents:support-agent-v1',
  action: 'issue_refund',
  status: 'failed',
  error_code: 'AIP-E202',
  error_message: 'MONETARY_LIMIT_EXCEEDED',
  details: { requested: 10000 },
};

test('a wide terminal says when, what became of it, who, what, and why', () => {
  expect(renderEntry(REFUSED, { paint: plain, width: 140 })).toBe(
    '2026-02-18 12:00:00.123  REFUSED   support-agent-v1@acme.com  issue_refund  AIP-E202  MONETARY_LIMIT_EXCEEDED  requested=10000',
  );
});

test('a refusal that a guard only looked on at is shown as that, also of an agent that is revoked', () => {
  for (const error_code of ['AIP-E202', 'AIP-E401'])
    expect(renderEntry({ ...REFUSED, error_code, observed: true }, { paint: plain, width: 140 })).toContain(
      `  OBSERVED  support-agent-v1@acme.com  issue_refund  ${error_code}`,
    );
});

// What is cut is the end of the line: the code and the action stand before the agent.
test('a narrow terminal keeps the code and the action', () => {
  const line = renderEntry(REFUSED, { paint: plain, width: 60 });
  expect(line).toMatch(/^02-18 12:00:00 {2}REFUSED {3}AIP-E202 {2}issue_refund {2}support-a/);
  expect(line.length).toBeLessThanOrEqual(60);
  expect(renderEntry(REFUSED, { paint: plain, width: 80 })).toMatch(
    /^02-18 12:00:00 {2}REFUSED {3}AIP-E202 {2}issue_refund/,
  );
});

test.each(['verification', 'outcome', 'interrupted'])('40 columns hold an entry of type %s', (type) => {
  const line = renderEntry({ ...REFUSED, type }, { paint: plain, width: 40 });
  expect([line.length, line]).toEqual([40, expect.stringMatching(/…$/)]);
});
