/** A guard that only looks on: what it would refuse runs, is logged as such, and counts for nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import type { Entry } from '../../../src/protocol/log/entry.js';
import { AGENT, guarded, ask, type Guarded } from '../../kit/guard.js';
import { mcpHttpServer } from '../../kit/mcp/http.js';
import { openMcp, speakMcp } from '../../kit/mcp/stdio.js';
import type { CreatePassportOptions } from '../../../src/index.js';

const SERVER = fileURLToPath(new URL('../../kit/servers/mcp-server.mjs', import.meta.url));
const TOO_MUCH = { amount: 10_000 };

/** A guard of `pay.refund`, which makes calls of it one after the other, and says what the client was answered. */
async function staged(constraints: NonNullable<CreatePassportOptions['constraints']> = { monetary_limit: 100 }) {
  const place = await guarded({ actions: ['pay.refund'], constraints });
  const tools = join(place.folder, 'tools.json');
  writeFileSync(tools, JSON.stringify([{ name: 'refund', description: 'refunds', inputSchema: { type: 'object' } }]));
  const server = ['--', process.execPath, SERVER, join(place.folder, 'seen'), tools];
  const guard = async (flags: readonly string[], calls: readonly object[]): Promise<(string | null)[]> => {
    const client = speakMcp(place, [...flags, ...server]);
    await openMcp(client);
    const answers: (string | null)[] = [];
    for (const each of calls) {
      const { result } = await client.call('refund', each);
      answers.push(result.isError === true ? (result._meta['aip/decision'].code as string) : null);
    }
    client.child.stdin!.end();
    await client.ended;
    return answers;
  };
  return { place, tools, guard };
}

const times = <T>(n: number, what: T): T[] => Array.from({ length: n }, () => what);
const entries = async (place: Guarded): Promise<Entry[]> => (await place.workspace.getVerificationLogs()).reverse();
const verified = (place: Guarded) => {
  const { status, stdout } = place.run(['logs', 'verify', '--json']);
  return { status, report: JSON.parse(stdout) as Record<string, unknown> };
};

/** What is made of an agent's past, but for the hours that pass. */
async function standing(place: Guarded) {
  const { score, verifications } = (await place.workspace.getTrustScore(AGENT)) as unknown as Record<string, unknown>;
  const { total, successful, failed, unattributed, failure_rate, codes } = JSON.parse(
    place.run(['health', AGENT, '--json']).stdout,
  ) as Record<string, unknown>;
  return { score, verifications, total, successful, failed, unattributed, failure_rate, codes };
}

describe('aip mcp guard --observe', () => {
  test('twenty refunds over the limit run, and neither score, tallies nor the monitor know of them', async () => {
    const { place, guard } = await staged();
    // Enough of a past for a score that means something, and a monitor that would act on it.
    expect(await guard([], [...times(10, { amount: 1 }), TOO_MUCH])).toEqual([...times(10, null), 'AIP-E202']);
    const before = await standing(place);
    expect(before).toMatchObject({ total: 11, successful: 10, failed: 1 });
    expect(await guard(['--observe'], times(20, TOO_MUCH))).toEqual(times(20, null));
    expect(await standing(place)).toEqual(before);

    const log = await entries(place);
    expect(log.map(({ observed }) => observed)).toEqual([...times(11, undefined), ...times(20, true)]);
    expect(log.slice(0, 11).every((entry) => !Object.hasOwn(entry, 'observed'))).toBe(true);
    expect(log[11]).toMatchObject({ status: 'failed', error_code: 'AIP-E202', action: 'pay.refund' });

    Object.assign(place.env, { AIP_MONITOR_AUTO_REVOKE: 'true' });
    place.run(['monitor', '--once', '--json']);
    expect(place.run(['status', AGENT, '--json']).stdout).not.toContain('"revoked"');
    expect(await guard([], [{ amount: 1 }])).toEqual([null]);
    expect(verified(place)).toMatchObject({ status: 0, report: { ok: true, derived: { ok: true } } });
  });

  test('the same without --observe stops the agent', async () => {
    const { place, guard } = await staged();
    expect(await guard([], [...times(10, { amount: 1 }), ...times(20, TOO_MUCH)])).toEqual([
      ...times(10, null),
      ...times(20, 'AIP-E202'),
    ]);
    expect(await standing(place)).toMatchObject({ total: 30, failed: 20 });
    expect((await entries(place)).every((entry) => !Object.hasOwn(entry, 'observed'))).toBe(true);
    Object.assign(place.env, { AIP_MONITOR_AUTO_REVOKE: 'true' });
    place.run(['monitor', '--once', '--json']);
    expect(await guard([], [{ amount: 1 }])).toEqual(['AIP-E401']);
  });

  test('the member is covered by the chain: taken away, changed or put in, it is found', async () => {
    const { place, guard } = await staged();
    expect(await guard([], [TOO_MUCH])).toEqual(['AIP-E202']);
    await guard(['--observe'], [TOO_MUCH]);
    const change = (seq: number, sql: string): void => {
      const database = new Database(join(place.home, 'state.db'), 1000);
      database.statement(`UPDATE entries SET body = ${sql} WHERE seq = ?`).run([seq]);
      database.close();
    };
    const kept = (await entries(place))[1]!;
    expect(verified(place).status).toBe(0);
    const broken = (seq: number) => ({
      status: 15,
      report: { ok: false, first_bad_seq: seq, reason: 'it was changed after it was written' },
    });
    change(2, "json_remove(body, '$[#-1]')");
    expect(verified(place)).toMatchObject(broken(2));
    change(2, "json_insert(body, '$[#]', json('false'))");
    expect(verified(place)).toMatchObject(broken(2));
    change(2, "json_replace(body, '$[#-1]', json('true'))");
    expect((await entries(place))[1]).toEqual(kept);
    expect(verified(place).status).toBe(0);
    change(1, "json_insert(body, '$[#]', json('true'))");
    expect(verified(place)).toMatchObject(broken(1));
  });

  test('no person is asked where the call runs without an answer; one who has approved is heard', async () => {
    const { place, guard } = await staged({ require_approval: { above: 100 } });
    expect(await guard(['--observe'], times(3, TOO_MUCH))).toEqual(times(3, null));
    const asked = (): Record<string, unknown>[] =>
      JSON.parse(place.run(['approvals', 'list', '--json']).stdout) as Record<string, unknown>[];
    expect(asked()).toEqual([]);
    for (const { error_code, observed, details } of await entries(place)) {
      expect([error_code, observed]).toEqual(['AIP-E209', true]);
      expect(details).toMatchObject({ request_id: null });
    }
    expect(await guard([], [TOO_MUCH])).toEqual(['AIP-E209']);
    expect(asked()).toHaveLength(1);
    Object.assign(place.env, { AIP_KEY_PASSPHRASE: 'correct horse' });
    const approved = place.run(['approvals', 'approve', asked()[0]!['request_id'] as string, '--yes']);
    expect(approved.status, approved.stderr).toBe(0);
    await guard(['--observe'], [TOO_MUCH, TOO_MUCH]);
    expect((await entries(place)).slice(-2).map(({ status, observed }) => [status, observed])).toEqual([
      ['success', undefined],
      ['failed', true],
    ]);
  });

  test('what is refused before it is signed is observed as well; what is accepted counts as ever', async () => {
    const { place, tools, guard } = await staged({ rate_limit: '2/day' });
    expect(await guard(['--observe'], times(4, { amount: 1 }))).toEqual(times(4, null));
    const seen = async () => (await entries(place)).map(({ error_code, observed }) => [error_code, observed]);
    const limited = [[null, undefined], [null, undefined], ...times(2, ['AIP-E205', true])];
    expect(await seen()).toEqual(limited);
    await guard(['--observe'], [{ path: join(place.home, 'state.db') }]);
    writeFileSync(tools, JSON.stringify([{ name: 'refund', description: 'other', inputSchema: { type: 'object' } }]));
    await guard(['--observe'], [{ amount: 1 }]);
    expect(await seen()).toEqual([...limited, ['AIP-E210', true], ['AIP-E215', true]]);
    expect(await standing(place)).toMatchObject({ total: 2, successful: 2, failed: 0, unattributed: 0 });
    expect(verified(place)).toMatchObject({ status: 0, report: { derived: { ok: true } } });
  });

  test('tail, export, proof, erasure and replay take it for what it is', async () => {
    const { place, guard } = await staged();
    Object.assign(place.env, { AIP_KEY_PASSPHRASE: 'correct horse' });
    await guard([], [{ amount: 1 }]);
    await guard(['--observe'], [TOO_MUCH]);
    const lines = place.run(['logs', 'tail', '--json', '--type', 'verification']).stdout.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Entry).observed)).toEqual([undefined, true]);
    expect(place.run(['logs', 'export', '--format', 'cef']).stdout.trim().split('\n')[1]).toMatch(
      /\|3\|.* cs6Label=observed cs6=true/,
    );
    const seq = String((await entries(place))[1]!.seq);
    const check = (): void => {
      const file = join(place.folder, 'log.jsonl');
      const text = place.run(['logs', 'export']).stdout;
      writeFileSync(file, text);
      expect(place.run(['logs', 'verify', '--file', file]).status).toBe(0);
      writeFileSync(file, text.replace('"observed":true', '"observed":false'));
      expect(place.run(['logs', 'verify', '--file', file]).status).toBe(15);
      const proof = place.run(['logs', 'prove', seq]);
      expect(proof.status, proof.stderr).toBe(0);
      const keys = /aip proof verify <file> (.*)/.exec(proof.stderr)![1]!.trim().split(' ');
      const told = place.run(['proof', 'verify', '-', '--json', ...keys], proof.stdout);
      expect(told.stdout).toContain('refused it with AIP-E202, and only looked on: the call ran.');
    };
    check();
    const replay = place.run(['policy', 'replay', '-p', AGENT, '--json']);
    expect(JSON.parse(replay.stdout)).toMatchObject({ total: 1, unchanged: { count: 1 } });
    const erased = place.run(['logs', 'erase', '--entry', seq, '--yes']);
    expect(erased.status, erased.stderr).toBe(0);
    const [, left] = await entries(place);
    expect(left).toMatchObject({ observed: true, erased: { 'details.attributable': 'false' } });
    check();
    expect(verified(place)).toMatchObject({ status: 0, report: { derived: { ok: true } } });
  });

  test('before a server over HTTP as well', async () => {
    const [place, server] = await Promise.all([guarded({ actions: ['pay.refund'] }), mcpHttpServer()]);
    const argv = ['mcp', 'guard', '-p', 'coder', '--name', 'pay', '--url', server.url, '--listen', '127.0.0.1:0'];
    const child = place.start([...argv, '--observe', '--json']);
    const url = await new Promise<string>((resolve) => {
      let out = '';
      child.stdout!.on('data', (part: Buffer) => {
        out += part.toString();
        if (out.includes('\n')) resolve((JSON.parse(out.split('\n')[0]!) as { url: string }).url);
      });
    });
    const { origin, pathname } = new URL(url);
    const token = readFileSync(join(place.home, 'serve.token'), 'utf8').trim();
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const params = { name: 'refund', arguments: TOO_MUCH, _meta };
    const answer = await ask(
      origin,
      pathname,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      {
        ...{ authorization: `Bearer ${token}`, accept: 'application/json, text/event-stream' },
        ...{ 'content-type': 'application/json', 'mcp-protocol-version': '2026-07-28' },
        ...{ 'mcp-method': 'tools/call', 'mcp-name': 'refund' },
      },
    );
    expect(answer.json.result.isError).toBeUndefined();
    expect((await entries(place)).map(({ error_code, observed }) => [error_code, observed])).toEqual([
      ['AIP-E202', true],
    ]);
  });
});
