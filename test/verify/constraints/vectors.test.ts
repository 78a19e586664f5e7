import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { NATIVE_CODES } from '../../../src/protocol/codes.js';
import { constraintsOf, judgedBy, type History } from './judging.js';
import { checkConstraints } from '../../../src/verify/constraints.js';
import { parseTime } from '../../../src/protocol/time.js';
import { parseJsonText } from '../../../src/protocol/json/parse.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

interface Vector {
  readonly name: string;
  readonly constraints: JsonObject;
  readonly action: string;
  readonly params: JsonObject;
  readonly target?: string;
  readonly geo?: string;
  readonly now?: string;
  readonly approved?: boolean;
  readonly history?: readonly History[];
  readonly expect: readonly string[];
}

// Read as the verifier reads documents; the file is larger than a document may be, so each vector by itself.
const VECTORS = (
  JSON.parse(readFileSync(new URL('../../vectors/constraints.json', import.meta.url), 'utf8')) as unknown[]
).map((vector) => parseJsonText(JSON.stringify(vector)) as unknown as Vector);
const FACTS = new Map<string, readonly string[]>(Object.values(NATIVE_CODES).map(({ code, facts }) => [code, facts]));

describe('section 5', () => {
  test('has at least three refusals for each acceptance among its vectors', () => {
    const accepted = VECTORS.filter((vector) => vector.expect.length === 0).length;
    expect(VECTORS.length - accepted).toBeGreaterThanOrEqual(3 * accepted);
    expect(new Set(VECTORS.map(({ name }) => name)).size).toBe(VECTORS.length);
  });

  test.each(VECTORS.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const now = vector.now === undefined ? Date.UTC(2026, 1, 18, 14, 23, 45) : parseTime(vector.now)!;
    const judged = judgedBy({ ...vector, now });
    const violations = checkConstraints(constraintsOf(vector.constraints), judged);
    expect(violations.map(({ entry }) => entry.code)).toEqual(vector.expect);
    for (const { entry, message, details } of violations) {
      expect(details.agent_id).toBe(judged.agentId);
      for (const fact of FACTS.get(entry.code)!) {
        // A deny-list is shown as what it is.
        expect(details).toHaveProperty(fact === 'allowed' && 'denied' in details ? 'denied' : fact);
      }
      expect(message).toMatch(/^[^\n]{10,700}\.$/);
      expect(JSON.parse(JSON.stringify(details))).toEqual(details);
    }
  });
});
