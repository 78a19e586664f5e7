/** What strangers on the same machine cost `aip serve`: bodies are read for callers with its token only. */
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { place, start } from '../../kit/built/binary.js';
import { ANNOUNCED, expectHalfBodiesCostLittle } from '../../kit/servers/half-bodies.js';

describe.runIf(process.platform === 'linux')('half bodies of strangers', { timeout: 60_000 }, () => {
  test.each(ANNOUNCED)('600 connections with %s cost the service at most 20 MiB', async (announced) => {
    const child = start(place(), ['serve', '--listen', '127.0.0.1:0', '--json']);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { event, url } = JSON.parse(String(line)) as { event: string; url: string };
    expect(event).toBe('ready');
    const port = Number(new URL(url).port);
    const headers = [`Authorization: Bearer ${'x'.repeat(40)}`, announced];
    await expectHalfBodiesCostLittle({ port, pid: child.pid! }, { path: '/v1/verify', headers }, /^HTTP\/1\.1 421 /);
    const refused = await fetch(`${url}/v1/verify`, { method: 'POST', body: 'x' });
    expect([refused.status, await refused.json()]).toEqual([401, expect.objectContaining({ code: 'UNAUTHENTICATED' })]);
  });
});
