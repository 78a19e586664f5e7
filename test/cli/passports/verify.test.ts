import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { run } from '../../../src/cli/main.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { household, made, settled } from '../../kit/native/household.js';
import { page, PRINCIPAL, publicKeyText, SUPPORT, withSignature } from '../../kit/native/parts.js';
import { stored } from '../../kit/native/standing.js';
import { fixture, fixtureBytes, PASSPORTS } from '../../kit/native/vectors.js';

const PINS = Object.entries(PASSPORTS.principals).flatMap(([did, key]) => ['--principal-key', `${did}=${key}`]);

describe('aip passport verify', () => {
  test('takes the name of a passport that is known here', async () => {
    const machine = household();
    await made(machine);
    const { code, value } = await machine.json<JsonObject>('passport', 'verify', 'support-agent-v1');
    expect([code, value]).toEqual([0, expect.objectContaining({ valid: true, agent_id: SUPPORT })]);
    expect((await machine.run('passport', 'verify', 'nobody')).code).toBe(3);
  });

  test('says what to do: pin a principal that is not pinned, where it is trusted, and renew what is over', async () => {
    const machine = household();
    const unpinned = await machine.run('passport', 'verify', fixture('passport-support-agent.json'));
    expect(unpinned.out).toContain(`next: Get the passport from its principal again.`);
    expect(unpinned.out).toContain(`\`aip principal add ${PRINCIPAL} --public-key <key>\``);
    const refused = await machine.run('passport', 'import', fixture('passport-support-agent.json'));
    expect(refused.err.split('if you trust it')).toHaveLength(2);
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', publicKeyText('principal'));
    const later = { ...machine.io, now: () => Date.parse('2026-02-18T15:23:45Z') };
    expect(await run(['passport', 'verify', fixture('passport-expires-in-an-hour.json')], later)).toBe(10);
    expect(machine.out()).toContain(`\`aip passport renew ${SUPPORT}\``);
  });

  test.each(PASSPORTS.vectors.filter(({ at }) => at === undefined))(
    '$name',
    async ({ passport: file, expect: expected }) => {
      const machine = household();
      const { code, out, err } = await machine.run('passport', 'verify', fixture(file), ...PINS, '--json');
      expect(code).toBe(expected.exit);
      if (expected.exit === 3) {
        expect(JSON.parse(err)).toMatchObject({ code: 'UNREADABLE', exit_code: 3 });
        expect(err).toContain(expected.says);
        return;
      }
      const report = JSON.parse(out) as JsonObject;
      expect(Object.keys(report).sort()).toEqual([
        'agent_id',
        'error_code',
        'error_message',
        'expires_at',
        'issued_at',
        'key_id',
        'message',
        'principal',
        'source',
        'valid',
      ]);
      expect(report).toMatchObject({ valid: expected.exit === 0, error_code: expected.code, source: fixture(file) });
      if (expected.says !== undefined) expect(report.message).toContain(expected.says);
    },
  );

  test.each(PASSPORTS.vectors.filter(({ expect: { exit } }) => exit !== 0))(
    'is no more believed by import: $name',
    async ({ passport: file, at, expect: expected }) => {
      if (at !== undefined) return expect(expected.exit).toBe(10);
      const machine = household();
      const { code, err } = await machine.run('passport', 'import', fixture(file), ...PINS);
      expect(code).toBe(expected.exit);
      if (expected.code !== null) expect(err).toContain(expected.code);
      if (existsSync(machine.state)) expect(stored(machine.state)).toMatchObject({ passports: 0 });
    },
  );

  test('reads stdin, and says it to a person', async () => {
    const machine = await settled({ stdin: fixtureBytes('passport-support-agent.json').toString() });
    const { code, out } = await machine.run('passport', 'verify', '-');
    expect(code).toBe(0);
    expect(out).toContain(SUPPORT);
  });
});

describe('a passport whose members were changed', () => {
  const document = JSON.parse(fixtureBytes('passport-support-agent.json').toString()) as Record<string, unknown>;
  const others: Record<string, unknown> = {
    version: 2,
    agent_id: 'did:web:acme.com:agents:trader',
    agent_name: 'trader',
    domain: 'globex.com',
    principal: 'did:web:globex.com',
    key_id: `${SUPPORT}#key-2`,
    public_key: publicKeyText('stranger'),
    actions: ['send_email', 'issue_refund', 'wire'],
    denied_actions: ['send_email'],
    constraints: {},
    metadata: { note: 'approved' },
    issued_at: '2026-02-01T00:00:01Z',
    expires_at: '2036-02-01T00:00:00Z',
    previous_keys: [
      { key_id: `${SUPPORT}#key-0`, public_key: publicKeyText('stranger'), valid_until: '2036-02-01T00:00:00Z' },
    ],
    issuer_key_id: `${PRINCIPAL}#key-2`,
    issuer_signature: 'ab'.repeat(64),
  };

  test('there is a change for every member', () => {
    expect(Object.keys(others)).toEqual(Object.keys(document));
  });

  test.each(Object.keys(others))('%s: E103, wherever it is shown', async (member) => {
    const machine = await settled();
    const refund = fixture('intent-refund.json');
    for (const [i, edited] of [{ ...document, [member]: others[member] }, without(member)].entries()) {
      const path = machine.file(`edited-${i}.json`, page(edited as JsonObject));
      const verdict = await machine.run('passport', 'verify', path);
      expect([verdict.code, verdict.out]).toEqual([10, expect.stringContaining('AIP-E103')]);
      const imported = await machine.run('passport', 'import', path);
      expect([imported.code, imported.err]).toEqual([10, expect.stringContaining('AIP-E103')]);
      const { code } = await machine.run('intent', 'verify', refund, '--passport', path, '--dry-run');
      // One without its agent is no passport.
      expect(code).toBe(member === 'agent_id' && i === 1 ? 3 : 10);
    }
  });

  function without(member: string): object {
    return Object.fromEntries(Object.entries(document).filter(([name]) => name !== member));
  }

  test('as `rotate` and `export` see it: not signed again, not published', async () => {
    const machine = household();
    const path = await made(machine);
    const edited = { ...(JSON.parse(readFileSync(path, 'utf8')) as object), actions: ['wire'] };
    const editedPath = machine.file('edited.json', JSON.stringify(edited));
    for (const args of [
      ['rotate', editedPath, '--env-file', machine.at('.env2')],
      ['export', editedPath, '--format', 'jwk'],
      ['export', editedPath, '--out', machine.at('public')],
    ]) {
      const failure = await machine.failure('passport', ...args);
      expect(failure).toMatchObject({ code: 'PASSPORT_REFUSED', exit_code: 10 });
    }
    expect(existsSync(machine.at('.env2'))).toBe(false);
    expect(existsSync(machine.at('public'))).toBe(false);
    expect(readFileSync(editedPath, 'utf8')).toBe(JSON.stringify(edited));
  });

  test('in the state of this machine, by hand: refused, and listed as what it is', async () => {
    const machine = await settled();
    const database = new Database(machine.state, 1000);
    const edited = page({ ...document, actions: ['issue_refund', 'wire'] });
    database.statement('UPDATE passports SET text = ?').run([edited]);
    database.close();
    expect((await machine.run('intent', 'verify', fixture('intent-refund.json'))).code).toBe(10);
    const { value } = await machine.json<{ status: string }[]>('passport', 'list');
    expect(value[0]!.status).not.toBe('valid');
  });
});

describe('aip passport lint', () => {
  test.each([
    ['a format', { type: 'object', properties: { to: { type: 'string', format: 'email' } } }, 'has the format "email"'],
    ['a keyword that does not exist', { maximun: 5 }, 'is not usable'],
  ])('%s of another program: an error of lint, and import warns of it', async (_, params, says) => {
    const machine = household();
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', publicKeyText('principal'));
    const { issuer_signature: _signature, ...document } = JSON.parse(
      fixtureBytes('passport-support-agent.json').toString(),
    ) as JsonObject;
    const actions = ['lookup_order', { name: 'send_email', params }];
    const file = machine.file(
      'other.json',
      page(withSignature({ ...document, actions }, 'issuer_signature', 'principal')),
    );
    const { code, value } = await machine.json<{ warnings: object[] }>('passport', 'lint', file);
    expect(code).toBe(15);
    expect(value.warnings).toContainEqual(
      expect.objectContaining({ code: 'params-schema-unusable', severity: 'error', path: '/actions/1/params' }),
    );
    const { code: imported, err } = await machine.run('passport', 'import', file);
    expect([imported, err]).toEqual([0, expect.stringContaining(`warning: The params schema of send_email ${says}`)]);
  });

  test('a note is no warning: it fails nothing, and is counted and marked as what it is', async () => {
    const machine = household();
    const document = JSON.parse(readFileSync(fixture('passport-support-agent.json'), 'utf8')) as JsonObject;
    const params = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };
    const file = machine.file(
      'notes.json',
      JSON.stringify({
        ...document,
        actions: [{ name: 'say', params }],
        constraints: { rate_limit: '10/hour' },
        expires_at: '2026-05-19T14:23:45Z',
      }),
    );
    const { value } = await machine.json<{ warnings: { code: string; severity: string }[] }>('passport', 'lint', file);
    expect(value.warnings.map(({ severity }) => severity)).toEqual(['note']);
    const { code, out, err } = await machine.run('passport', 'lint', file, '--fail-on-warning');
    expect([code, out.split(' ')[0], err]).toEqual([0, 'note', expect.stringContaining('1 note')]);
    const junit = await machine.run('passport', 'lint', file, '--fail-on-warning', '--format', 'junit');
    expect([junit.code, junit.out]).toEqual([0, expect.stringContaining('failures="0"')]);
  });

  test('names each permission that is too wide, and passes without --fail-on-warning', async () => {
    const machine = household();
    const file = fixture('passport-support-agent.json');
    const { code, value } = await machine.json<{ warnings: { code: string; message: string; hint: string }[] }>(
      'passport',
      'lint',
      file,
    );
    expect(code).toBe(0);
    expect(value.warnings.length).toBeGreaterThan(0);
    expect((await machine.run('passport', 'lint', file, '--fail-on-warning')).code).toBe(15);
    expect(existsSync(machine.state)).toBe(false);
  });

  test('takes an agent, as other commands do, and several files and patterns', async () => {
    const machine = await settled();
    const [file] = [fixture('passport-support-agent.json')];
    for (const agent of ['support-agent-v1', 'support-agent-v1@acme.com', SUPPORT]) {
      const { code, value } = await machine.json<JsonObject>('passport', 'lint', agent);
      expect([code, value.agent_id, value.source]).toEqual([0, SUPPORT, agent]);
    }
    const copy = machine.file('lint-me.passport.json', readFileSync(file, 'utf8'));
    const pattern = copy.replace('lint-me', 'lint-*');
    const all = await machine.json<JsonObject[]>('passport', 'lint', 'support-agent-v1', file, pattern);
    expect(all.value.map(({ source }) => source)).toEqual(['support-agent-v1', file, copy]);
    expect((await machine.json<JsonObject[]>('passport', 'lint', pattern)).value).toHaveLength(1);
    expect((await machine.run('passport', 'lint', file, pattern, '--fail-on-warning')).code).toBe(15);
    const { out } = await machine.run('passport', 'lint', 'support-agent-v1', pattern);
    expect(out).toContain(copy);
    const unknown = await machine.failure('passport', 'lint', 'support-agent-v2');
    expect(unknown).toMatchObject({ code: 'NOT_FOUND', exit_code: 3 });
    expect(unknown.hint).toContain('support-agent-v1');
    // A step of CI that looked at no file must not pass.
    expect((await machine.run('passport', 'lint', machine.at('no-*.json'))).code).toBe(2);
    expect((await machine.run('passport', 'lint', file, machine.at('nowhere.json'))).code).toBe(3);
  });

  test('answers in the forms of CI', async () => {
    const machine = household();
    const file = fixture('passport-support-agent.json');
    const as = async (format: string, ...more: string[]) =>
      machine.run('passport', 'lint', file, '--format', format, ...more);
    const { warnings } = JSON.parse((await as('json')).out) as { warnings: { code: string }[] };
    const codes = warnings.map(({ code }) => code);
    expect((await as('human')).out).toContain(`[${codes[0]!}]`);
    const github = (await as('github')).out.trimEnd().split('\n');
    expect(github).toHaveLength(Math.min(codes.length, 11));
    for (const line of github) expect(line).toMatch(/^::(?:error|warning|notice) file=[^:]+,title=aip [a-z-]+::./);
    const { runs } = JSON.parse((await as('sarif')).out) as { runs: { results: { ruleId: string }[] }[] };
    expect(runs[0]!.results.map(({ ruleId }) => ruleId)).toEqual(codes.map((code) => `lint/${code}`));
    const passed = await as('junit');
    expect([passed.code, passed.out]).toEqual([0, expect.stringContaining('tests="1" failures="0"')]);
    const failed = await as('junit', '--fail-on-warning');
    expect([failed.code, failed.out]).toEqual([15, expect.stringContaining('<failure type=')]);
    expect((await as('xml')).code).toBe(2);
  });

  test.each([
    ['passport-cut-short.json', 3],
    ['passport-unknown-constraint.json', 3],
    ['nowhere.json', 3],
  ])('%s is exit %d', async (file, exit) => {
    const { code, out } = await household().run('passport', 'lint', fixture(file));
    expect([code, out]).toEqual([exit, '']);
  });
});

describe('aip passport show and list', () => {
  test('say whether the passport is believed here', async () => {
    const machine = await settled();
    expect((await machine.run('passport', 'show', 'support-agent-v1')).out).toContain('pinned here');
    const edited = await machine.run('passport', 'show', fixture('passport-edited-limit.json'));
    expect([edited.code, edited.out]).toEqual([0, expect.stringContaining('NOT VERIFIED')]);
    await machine.run('principal', 'remove', PRINCIPAL, '--yes');
    const { value } = await machine.json<JsonObject[]>('passport', 'list');
    expect(value[0]).toMatchObject({ agent_id: SUPPORT, status: 'unpinned', serial: expect.any(Number) as number });
    expect((await machine.run('passport', 'list')).out).toContain('support-agent-v1@acme.com');
  });

  test('list what is expired as that', async () => {
    const machine = household();
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', publicKeyText('principal'));
    await machine.run('passport', 'import', fixture('passport-expires-in-an-hour.json'));
    expect((await machine.json<JsonObject[]>('passport', 'list')).value[0]).toMatchObject({ status: 'valid' });
    const later = { ...machine.io, now: () => Date.parse('2026-02-18T15:23:45Z') };
    expect(await run(['passport', 'list'], later)).toBe(0);
    expect(machine.out()).toContain('expired');
  });

  test('of nobody are exit 3, and of nothing an empty list', async () => {
    const machine = household();
    expect((await machine.run('passport', 'show', 'nobody')).code).toBe(3);
    expect((await machine.json<JsonObject[]>('passport', 'list')).value).toEqual([]);
  });
});
