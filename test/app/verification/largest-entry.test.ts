import { expect, test } from 'vitest';
import { lineChunks } from '../../../src/app/logs/foreign-lines.js';
import { verifyIntents } from '../../../src/app/verification/intents.js';
import { MAX_SHIPMENT_BYTES } from '../../../src/mesh/limits.js';
import { MAX_DOCUMENT_BYTES } from '../../../src/protocol/limits.js';
import { readPassport } from '../../../src/protocol/passport.js';
import { intent } from '../../kit/native/intent-parts.js';
import { passport } from '../../kit/native/passport-cases.js';
import { knowing, VERIFY, verifierDeps } from '../../kit/native/verifier.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

test('an agent cannot make an entry that the mesh or the reader of an export does not take: the log would end there', async () => {
  const state = openAt(statePath());
  const read = readPassport(Buffer.from(JSON.stringify(passport('largest', { constraints: {} }))));
  // Every one of them is masked, which commits to it by itself.
  const letters = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];
  const names = ['pin', 'otp'].flatMap((word) => letters.flatMap((a) => letters.map((b) => `${word}.${a}${b}`)));
  const params = Object.fromEntries(names.slice(0, 5900).map((name) => [name, 1]));
  const bytes = JSON.stringify(intent('largest', { params }));
  expect(bytes.length).toBeGreaterThan(0.9 * MAX_DOCUMENT_BYTES);
  await verifyIntents(verifierDeps({ state, ...knowing(read) }), VERIFY, [{ bytes, source: null }]);
  const entries = [...state.records({})];
  expect(entries).toHaveLength(1);
  const shipment = { log_id: state.logId, verifier: state.verifier, entries };
  expect(JSON.stringify(shipment).length).toBeLessThan(MAX_SHIPMENT_BYTES);
  const line = JSON.stringify(entries[0]);
  const file = (async function* () {
    yield Buffer.from(`${line}\n`);
  })();
  for await (const lines of lineChunks(file, 'refuse')) expect(lines).toEqual([line]);
});
