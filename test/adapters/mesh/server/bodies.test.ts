/** What strangers cost: bodies are read for callers with a key only. */
import { describe, test } from 'vitest';
import { Home } from '../../../kit/mesh/homes.js';
import { ANNOUNCED, expectHalfBodiesCostLittle } from '../../../kit/servers/half-bodies.js';

const UNKNOWN_KEY = `Authorization: Bearer aipm_verifier_${'a'.repeat(12)}_${'b'.repeat(64)}`;

describe.runIf(process.platform === 'linux')('half bodies of strangers', { timeout: 60_000 }, () => {
  test.each([
    ['with a key that nobody gave them', [UNKNOWN_KEY, ANNOUNCED[0]]],
    ['without a key', [ANNOUNCED[0]]],
    ['in chunks', [UNKNOWN_KEY, ANNOUNCED[1]]],
  ])('600 connections %s cost a mesh at most 20 MiB, each answered on its headers', async (_, headers) => {
    const { url, running } = await new Home().serve();
    const server = { port: Number(new URL(url).port), pid: running.child.pid! };
    await expectHalfBodiesCostLittle(server, { path: '/v1/logs', headers }, /^HTTP\/1\.1 (401|429) /);
  });
});
