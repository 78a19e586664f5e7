/** A suspension ends by the mesh's clock (protocol, section 4): one of this machine that is fast ends none early, in any command. */
import { expect, test } from 'vitest';
import { openLocalCopy } from '../../../src/adapters/mesh/client/local-copy.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { household, made, type Household } from '../../kit/native/household.js';
import { PRINCIPAL } from '../../kit/native/parts.js';

const HOUR = 3_600_000;
const KEY = `${PRINCIPAL}#key-1`;

/** The suspension is over by the machine's clock, which is two hours ahead of the mesh's. */
function twoHoursLater(home: Household): void {
  const copy = openLocalCopy(home.state, null, (size) => new Uint8Array(size));
  copy.setNote('clock.ahead', String(2 * HOUR));
  copy.close();
  const { now } = home.io;
  Object.assign(home.io, { now: () => now() + 2 * HOUR });
}

test('a suspended key of a principal signs nothing, and what it signed is refused', async () => {
  const home = household();
  const path = await made(home);
  const granted = await home.run('mandate', 'issue', 'support-agent-v1', '-o', home.at('m.json'));
  expect(granted.code, granted.err).toBe(0);
  const stopped = await home.run('suspend', KEY, '--for', '1h', '--reason', 'odd', '--yes');
  expect(stopped.code, stopped.err).toBe(0);
  twoHoursLater(home);
  expect((await home.json<JsonObject>('passport', 'verify', path)).value['error_code']).toBe('AIP-E406');
  expect((await home.json<JsonObject[]>('passport', 'list')).value[0]!['status']).toBe('denied');
  expect((await home.json<JsonObject>('mandate', 'verify', home.at('m.json'))).code).toBe(13);
  expect((await home.failure('passport', 'renew', path, '--yes')).code).toBe('KEY_REVOKED');
  expect((await home.failure('mandate', 'issue', 'support-agent-v1')).code).toBe('KEY_REVOKED');
  expect((await home.json<JsonObject>('status', KEY)).value['status']).toBe('suspended');
});

test('a suspended agent is shown as suspended', async () => {
  const home = household();
  await made(home);
  expect((await home.run('suspend', 'support-agent-v1', '--for', '1h', '--reason', 'odd', '--yes')).code).toBe(0);
  twoHoursLater(home);
  expect((await home.json<JsonObject>('status', 'support-agent-v1')).value['status']).toBe('suspended');
  const { value } = await home.json<{ stopped: JsonObject[] }>('status');
  expect(value.stopped.map(({ status }) => status)).toEqual(['suspended']);
  const health = await home.json<{ standing: JsonObject }>('health', 'support-agent-v1');
  expect(health.value.standing['status']).toBe('suspended');
});
