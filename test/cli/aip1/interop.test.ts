/** The command line against the real package, where there is one: see test/kit/python/package.ts. */
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { formatSeconds } from '../../../src/protocol/time.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import type { Decision } from '../../../src/verify/decision.js';
import { household, PASSPHRASE, settled, type Household } from '../../kit/native/household.js';
import { python, runPython, type SignedByPython } from '../../kit/python/package.js';

const scratch = mkdtempSync(join(tmpdir(), 'aip-interop-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The clock of the tests stands; that of Python does not. */
const now = () => ['--at', formatSeconds(Date.now()), '--allow-future'];
const timestamp = () => ['--timestamp', String(Math.floor(Date.now() / 1000))];

describe.skipIf(python === undefined)('the Python package at the command line', () => {
  const folder = join(scratch, 'from-python');
  const signed = python === undefined ? null : runPython<SignedByPython>('sign.py', [folder]);
  const verified = async (machine: Household, envelope: string, ...flags: string[]) =>
    machine.json('intent', 'verify', machine.file('e.json', envelope), ...now(), ...flags);
  const KEY = signed === null ? [] : ['--public-key', signed.public_key];

  test('Python signs, aip intent verify accepts: all cases in one stream, and none of them tampered', async () => {
    const compact = (text: string) => text.replace(/\n\s*/g, '');
    const lines = signed!.cases.flatMap(({ envelope }) => {
      const line = compact(envelope);
      return [
        line.replace('"protocol_version":', '"protocol_version" :').replace(/acme\.com:agents/, 'acne.com:agents'),
        line,
      ];
    });
    const machine = household({ stdin: `${lines.join('\n')}\n` });
    const hmac = ['--hmac-key-file', machine.file('shared.key', signed!.hmac_key)];
    const { code, out } = await machine.run('intent', 'verify', '-', '--ndjson', ...KEY, ...hmac, ...now());
    const answers = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Decision);
    expect(answers.map(({ error_code }) => error_code)).toEqual(
      // A param whose name hides a character is refused here, whoever signed it.
      signed!.cases.flatMap(({ name }) => ['AIP-E100', name === 'text separators' ? 'AIP-E211' : null]),
    );
    expect(answers.every(({ dialect }) => dialect === 'aip-1')).toBe(true);
    expect(code).toBe(10);
  });

  test('a replay, a stranger, and an envelope from tomorrow are refused', async () => {
    const { envelope } = signed!.cases.find(({ name }) => name === 'amount whole')!;
    const machine = household();
    expect((await verified(machine, envelope, ...KEY)).value.error_code).toBeNull();
    expect((await verified(machine, envelope, ...KEY)).value.error_code).toBe('AIP-E102');
    expect((await verified(machine, envelope)).value.error_code).toBe('AIP-E102');
    const late = ['--at', formatSeconds(Date.now() + 86_400_000), '--allow-future'];
    expect((await household().json('intent', 'verify', machine.at('e.json'), ...KEY, ...late)).code).toBe(11);
    expect((await verified(household(), envelope)).value.error_code).toBe('AIP-E100');
  });

  test('aip passport import takes a Python agent over, and Python accepts what it signs then', async () => {
    const machine = household();
    const place = ['--key-store', 'file', '-o', machine.at('p.json')];
    // The package writes its key for everyone to read, which is refused.
    const open = await machine.failure('passport', 'import', folder, ...place);
    expect(open.message).toContain('can be read or changed by others');
    chmodSync(join(folder, 'private.pem'), 0o600);
    // A native passport names its actions in ASCII.
    const refused = await machine.failure('passport', 'import', folder, ...place);
    expect(refused.message).toContain("an action's name");
    const plain = join(scratch, 'ascii');
    cpSync(folder, plain, { recursive: true });
    const json = readFileSync(join(folder, 'passport.json'), 'utf8').replace(/,\s*"\\u00fcberweisen"/, '');
    writeFileSync(join(plain, 'passport.json'), json);
    const { code, value } = await machine.json<JsonObject>('passport', 'import', plain, ...place);
    expect([code, value.agent_id]).toEqual([0, signed!.agent_id]);
    const requests: [string, string[]][] = [
      ['ASCII', ['-a', 'transfer_funds', '--param', 'memo=plain', '--param', 'amount:=12']],
      ['accented and emoji', ['-a', 'transfer_funds', '--param', 'memo=Zürich 🎉 👩‍👩‍👧', '-t', 'São Paulo']],
      [
        'fractional and small',
        ['-a', 'transfer_funds', '--params', '{"amount": 45.55, "rate": 1e-7, "list": [null, -0.5]}'],
      ],
      ['tier 0', ['-a', 'read_invoice', '--tier', '0']],
      ['tier 2', ['-a', 'read_invoice', '--tier', '2', '--ttl', '10m']],
    ];
    const cases = [];
    for (const [name, flags] of requests) {
      const { out } = await machine.run(
        ...['intent', 'sign', '-p', 'procurement-bot', '--dialect', 'aip-1', ...timestamp(), ...flags],
      );
      cases.push({ name, envelope: out });
    }
    const over = await machine.run(
      ...['intent', 'sign', '-p', 'procurement-bot', '--dialect', 'aip-1', ...timestamp()],
      ...['-a', 'transfer_funds', '--param', 'amount:=600'],
    );
    cases.push({ name: 'over', envelope: over.out });
    const task = { public_key: signed!.public_key, hmac_key: signed!.hmac_key, cases };
    expect(runPython('verify.py', [], task)).toEqual({
      ...Object.fromEntries(requests.map(([name]) => [name, []])),
      over: ['AIP-E202'],
    });
  });

  test.each([
    ['encrypted', ['--with-private-key'], { AIP_KEY_PASSPHRASE: PASSPHRASE }],
    ['unencrypted', ['--with-private-key', '--unencrypted'], {}],
  ] as const)('aip passport export gives Python an agent: %s', async (name, flags, env) => {
    const machine = await settled();
    const target = join(scratch, name);
    const { code } = await machine.run(
      'passport',
      'export',
      'support-agent-v1',
      '--format',
      'aip-1',
      '-o',
      target,
      ...flags,
    );
    expect(code).toBe(0);
    const loaded = runPython<Record<string, string>>('passport.py', [target], null, env);
    expect(loaded).toMatchObject({ allowed_actions: ['send_email', 'issue_refund'], per_transaction: 100 });
    // The machine that knows the native passport needs no key named.
    const { value } = await verified(machine, loaded.signed!);
    expect([value.success, value.dialect, value.warnings.map(({ code }) => code)]).toEqual([
      true,
      'aip-1',
      ['unmeasured'],
    ]);
    const wide = JSON.parse(loaded.signed!) as { boundaries: { monetary_limit: { per_transaction: number } } };
    wide.boundaries.monetary_limit.per_transaction = 1_000_000;
    expect((await verified(await settled(), JSON.stringify(wide))).value.error_code).toBe('AIP-E100');
  });

  test('Python widens its own cage: flagged with a key alone, refused with a passport or a mandate', async () => {
    const office = await settled();
    const target = join(scratch, 'widened');
    await office.run(
      ...[
        'passport',
        'export',
        'support-agent-v1',
        '--format',
        'aip-1',
        '-o',
        target,
        '--with-private-key',
        '--unencrypted',
      ],
    );
    const { envelope, public_key } = runPython<Record<string, string>>('widen.py', [target]);
    const alone = await verified(household(), envelope!, '--public-key', public_key!);
    expect([alone.code, alone.value.warnings.map(({ code }) => code)]).toEqual([
      0,
      ['self_declared_boundaries', 'unbound_key'],
    ]);
    expect((await verified(office, envelope!)).value.error_code).toBe('AIP-E202');
    const bank = household();
    await bank.run(
      ...'passport create support-agent-v1 --domain acme.com -a issue_refund --monetary-limit 100 --key-store file'.split(
        ' ',
      ),
      ...['-o', bank.at('p.json')],
    );
    await bank.run('mandate', 'issue', 'support-agent-v1', '--expires', 'never', '-o', bank.at('m.json'));
    await bank.run('passport', 'delete', 'support-agent-v1', '--yes', '--keep-key');
    const given = ['--public-key', public_key!, '--mandate', bank.at('m.json')];
    const held = await verified(bank, envelope!, ...given);
    expect([held.value.error_code, held.value.details?.bound]).toEqual(['AIP-E202', 'mandate']);
  });
});
