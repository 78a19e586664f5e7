/** A `-` that is given twice: the second would be judged by what the first left. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settled } from '../../kit/native/household.js';
import { refund } from '../../kit/native/intent-parts.js';
import { line } from '../../kit/native/parts.js';
import { stored } from '../../kit/native/standing.js';
import { fixture } from '../../kit/native/vectors.js';

const intent = line(refund('good'));
const passport = readFileSync(fixture('intent-a-passport.json'), 'utf8');

test.each([
  ['two intents', intent, ['intent', 'verify', '-', '-']],
  ['an intent and its passport', intent, ['intent', 'verify', '-', '--passport', '-']],
  ['two streams', intent, ['intent', 'verify', '-', '-', '--ndjson', '--dry-run']],
  ['the config and an intent', '{}', ['--config', '-', 'intent', 'verify', '-']],
  ['two passports', passport, ['passport', 'lint', '-', '-']],
])('%s: exit 2, and why', async (_, given, args) => {
  const machine = await settled();
  machine.io.stdin.push(given);
  machine.io.stdin.push(null);
  const { code, err } = await machine.run(...args);
  expect([code, err]).toEqual([2, expect.stringContaining('Stdin is named twice with -, and can be read once.')]);
  expect(stored(machine.state)).toMatchObject({ entries: 0, nonces: 0 });
});
