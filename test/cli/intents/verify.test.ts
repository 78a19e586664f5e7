import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/verify/decision.js';
import { stored, writeStanding } from '../../kit/native/standing.js';
import { household, settled, type Household } from '../../kit/native/household.js';
import { refund } from '../../kit/native/intent-parts.js';
import { olderPassport } from '../../kit/native/passport-cases.js';
import { line, publicKeyText, PRINCIPAL } from '../../kit/native/parts.js';
import { expectDecision, fixture, INTENTS } from '../../kit/native/vectors.js';
import type { IntentVector } from '../../kit/native/vector.js';

const PINS = Object.entries(INTENTS.principals).flatMap(([did, key]) => ['--principal-key', `${did}=${key}`]);
const given = (passports: readonly string[]) => passports.flatMap((file) => ['--passport', fixture(file)]);

function flagsOf(vector: IntentVector): string[] {
  return [
    ...PINS,
    ...given(vector.passports),
    ...(vector.at === undefined ? [] : ['--at', vector.at, '--allow-future']),
    ...(vector.geo === undefined ? [] : ['--geo', vector.geo]),
    ...(vector.max_age_s === undefined ? [] : ['--max-age', `${vector.max_age_s}s`]),
  ];
}

/** A machine in the vector's circumstances. */
async function machineOf(vector: IntentVector): Promise<Household> {
  const env: Record<string, string> =
    vector.min_trust === undefined ? {} : { AIP_VERIFY_MIN_TRUST: String(vector.min_trust) };
  const machine = household({ env });
  for (const file of vector.before ?? [])
    await machine.run('intent', 'verify', fixture(file), ...PINS, ...given(vector.passports), '--max-age', '300s');
  if (vector.standing !== undefined) {
    await machine.run('passport', 'list');
    writeStanding(machine.state, vector.standing);
  }
  return machine;
}

// There is no mesh yet whose copy could grow old.
const VECTORS = INTENTS.vectors.filter(({ copy }) => copy === undefined);

describe('aip intent verify', () => {
  test.each(VECTORS)('$name', async (vector) => {
    const machine = await machineOf(vector);
    const { code, err, value } = await machine.json('intent', 'verify', fixture(vector.intent), ...flagsOf(vector));
    expectDecision(value, vector);
    expect([code, err]).toEqual([vector.expect.exit, '']);
    expect(value.source).toBe(fixture(vector.intent));
  });

  test.each(VECTORS.filter((_, i) => i % 5 === 0))('says to a person: $name', async (vector) => {
    const machine = await machineOf(vector);
    const { code, out, err } = await machine.run('intent', 'verify', fixture(vector.intent), ...flagsOf(vector));
    expect([code, err]).toEqual([vector.expect.exit, '']);
    if (vector.expect.code === null) expect(out).toMatch(/^ok /);
    else expect(out.split('\n')[0]).toMatch(new RegExp(`^REFUSED ${vector.expect.code} [A-Z_]+$`));
  });
});

describe('what a verification leaves behind', () => {
  const refundFile = fixture('intent-refund.json');

  test('of rubbish is nothing', async () => {
    const machine = await settled();
    const before = stored(machine.state);
    const rubbish = VECTORS.filter(({ expect: { code } }) => code === 'AIP-E100').map(({ intent }) => fixture(intent));
    const { code, out } = await machine.run('intent', 'verify', ...rubbish, '--format', 'ndjson');
    expect([code, out.match(/"error_code":"AIP-E100","error_message":"MALFORMED_INTENT","message"/g)?.length]).toEqual([
      10,
      rubbish.length,
    ]);
    expect(stored(machine.state)).toEqual(before);
  });

  test('of an accepted intent is its nonce, its use and its entry', async () => {
    const machine = await settled();
    expect((await machine.run('intent', 'verify', refundFile)).code).toBe(0);
    expect(stored(machine.state)).toMatchObject({ entries: 1, nonces: 1, usages: 1 });
    expect((await machine.run('intent', 'verify', refundFile)).code).toBe(11);
    expect(stored(machine.state)).toMatchObject({ entries: 2, nonces: 1, usages: 1 });
  });

  test('with --dry-run is nothing, as often as it is asked', async () => {
    const machine = await settled();
    const before = stored(machine.state);
    for (let i = 0; i < 3; i++) expect((await machine.run('intent', 'verify', refundFile, '--dry-run')).code).toBe(0);
    expect(stored(machine.state)).toEqual(before);
    expect((await machine.run('intent', 'verify', refundFile)).code).toBe(0);
    expect((await machine.run('intent', 'verify', refundFile, '--dry-run')).code).toBe(11);
    expect(stored(machine.state)).toMatchObject({ entries: 1, nonces: 1 });
  });

  test('of a passport that was given is not that passport', async () => {
    const machine = household();
    await machine.run('intent', 'verify', refundFile, ...PINS, ...given(['passport-support-agent.json']));
    expect(stored(machine.state)).toMatchObject({ entries: 1, passports: 0, pins: 0 });
    expect((await machine.run('intent', 'verify', refundFile)).code).toBe(10);
  });
});

describe('several intents', () => {
  test('end with the exit of the first refusal in input order', async () => {
    const names = ['refund', 'mail-to-evil', 'amount-changed', '301-s-old'];
    const files = (order: number[]) => order.map((i) => fixture(`intent-${names[i]!}.json`));
    for (const [order, exit] of [
      [[0, 1, 2, 3], 12],
      [[0, 2, 1, 3], 10],
      [[3, 2, 1, 0], 11],
      [[0], 0],
      [[0, 0], 11],
    ] as const) {
      const machine = await settled();
      const { code, out } = await machine.run('intent', 'verify', ...files([...order]), '--json');
      expect(code).toBe(exit);
      const sources = out
        .trimEnd()
        .split('\n')
        .map((text) => (JSON.parse(text) as Decision).source);
      expect(sources).toEqual(files([...order]));
    }
  });

  test('stop at the first refusal with --fail-fast, and leave the rest unspent', async () => {
    const machine = await settled();
    const files = ['refund', 'mail-to-evil', 'mail-inside'].map((name) => fixture(`intent-${name}.json`));
    const { code, out } = await machine.run('intent', 'verify', ...files, '--fail-fast', '--json');
    expect(code).toBe(12);
    expect(out.trimEnd().split('\n')).toHaveLength(2);
    expect((await machine.run('intent', 'verify', files[2]!)).code).toBe(0);
  });

  test('are found by a pattern that the shell left alone', async () => {
    const machine = await settled();
    const write = (path: string, name: string) => machine.file(path, line(refund(name)));
    write('out/b.json', 'b');
    write('out/a.json', 'a');
    write('out/deep/er/c.json', 'c');
    write('out/.hidden.json', 'hidden');
    write('out/notes.txt', 'not one');
    const sources = async (pattern: string) => {
      const { out } = await machine.run('intent', 'verify', machine.at(pattern), '--dry-run', '--format', 'ndjson');
      return out
        .trimEnd()
        .split('\n')
        .map((text) => (JSON.parse(text) as Decision).source);
    };
    expect(await sources('out/*.json')).toEqual(['out/a.json', 'out/b.json'].map(machine.at));
    expect(await sources('out/?.json')).toEqual(['out/a.json', 'out/b.json'].map(machine.at));
    expect(await sources('out/**/*.json')).toEqual(['out/a.json', 'out/b.json', 'out/deep/er/c.json'].map(machine.at));
    expect(await sources('out/*/*/c.json')).toEqual([machine.at('out/deep/er/c.json')]);
    expect(await sources('out/.h*.json')).toEqual([machine.at('out/.hidden.json')]);
  });

  test('a name with a star in it is a file first', async () => {
    const machine = await settled();
    const path = machine.file('out/star*.json', line(refund('star')));
    machine.file('out/stars.json', 'not an intent');
    expect((await machine.run('intent', 'verify', path)).code).toBe(0);
  });
});

describe('nothing to verify is exit 2', () => {
  test.each([
    ['no argument', []],
    ['a pattern without a match', ['*.nothing']],
    ['an empty stdin', ['-']],
    ['an empty stream', ['-', '--ndjson']],
  ])('%s', async (_, args) => {
    const machine = await settled({ stdin: '' });
    const { code, out, err } = await machine.run('intent', 'verify', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('nothing to verify');
    expect(stored(machine.state)).toMatchObject({ entries: 0, nonces: 0 });
  });

  test('a stream of blank lines', async () => {
    const machine = await settled({ stdin: '\n\r\n  \n\t\n' });
    expect(await machine.run('intent', 'verify', '-', '--ndjson')).toMatchObject({ code: 2, out: '' });
  });

  test('stdin named twice is read once', async () => {
    const machine = await settled({ stdin: line(refund('twice')) });
    expect(await machine.run('intent', 'verify', '-', '-')).toMatchObject({ code: 2, out: '' });
    expect(stored(machine.state)).toMatchObject({ entries: 0 });
  });
});

describe('flags that do not mean anything are exit 2', () => {
  const file = fixture('intent-refund.json');
  test.each([
    ['--at', 'yesterday'],
    ['--at', '2026-02-30T00:00:00Z'],
    ['--at', '-1'],
    ['--at', ''],
    ['--geo', 'USA'],
    ['--geo', '1'],
    ['--geo', ''],
    ['--max-age', '5'],
    ['--max-age', '-5s'],
    ['--max-age', 'for ever'],
    ['--format', 'xml'],
    ['--jobs', '0'],
    ['--jobs', '1e3'],
    ['--principal-key', 'did:web:acme.com'],
    ['--principal-key', 'acme.com=ed25519:00'],
    ['--principal-key', `${PRINCIPAL}=ed25519:1234`],
    ['--principal-key', `${PRINCIPAL}=ed25519:01${'00'.repeat(31)}`],
    ['--principal-key', `${PRINCIPAL}=`],
    ['--public-mischief', 'x'],
  ])('%s %s', async (flag, value) => {
    const machine = await settled();
    const { code, out, err } = await machine.run('intent', 'verify', file, flag, value);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^error: .* \[USAGE\]$/m);
    expect(stored(machine.state)).toMatchObject({ entries: 0, nonces: 0 });
  });

  test.each(['human', 'github', 'sarif', 'junit'])('a stream as %s', async (format) => {
    const machine = await settled({ stdin: line(refund('stream')) });
    const { code, out } = await machine.run('intent', 'verify', '-', '--ndjson', '--format', format);
    expect([code, out]).toEqual([2, '']);
    expect(stored(machine.state)).toMatchObject({ entries: 0 });
  });
});

describe('a file of the command itself that is not there, or no good', () => {
  const refundFile = fixture('intent-refund.json');
  test.each([
    ['an intent', ['nowhere.json']],
    ['a stream', ['nowhere.ndjson', '--ndjson']],
    ['a passport', [refundFile, '--passport', 'nowhere.json']],
    ['an agent', [refundFile, '--passport', 'nobody']],
    ['a folder as an intent', [fixture('')]],
    ['a folder as a passport', [refundFile, '--passport', fixture('')]],
    ['a passport cut short', [refundFile, '--passport', fixture('passport-cut-short.json')]],
    ['a passport that is empty', [refundFile, '--passport', fixture('passport-empty.json')]],
    ['a passport in a list', [refundFile, '--passport', fixture('passport-in-a-list.json')]],
    ['an intent as a passport', [refundFile, '--passport', fixture('intent-a-number.json')]],
  ])('%s', async (_, args) => {
    const machine = household();
    const { code, out, err } = await machine.run('intent', 'verify', ...args);
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(/^error: .* \[(NOT_FOUND|UNREADABLE)\]$/m);
    if (existsSync(machine.state)) expect(stored(machine.state)).toMatchObject({ entries: 0, nonces: 0 });
  });
});

describe('whom a verification believes', () => {
  const refundFile = fixture('intent-refund.json');

  test('an unpinned principal is refused, with how to pin it', async () => {
    const machine = household();
    const { out, code } = await machine.run('intent', 'verify', refundFile, ...given(['passport-support-agent.json']));
    expect(code).toBe(10);
    const words = out.replace(/\s+/g, ' ');
    expect(words).toContain('did:web:acme.com is not pinned on this machine');
    expect(words).toContain('aip principal add did:web:acme.com --public-key <key>');
  });

  test('a principal key that is another is refused', async () => {
    const machine = household();
    const key = `${PRINCIPAL}=${publicKeyText('stranger')}`;
    const flags = [...given(['passport-support-agent.json']), '--principal-key', key];
    const { value, code } = await machine.json('intent', 'verify', refundFile, ...flags);
    expect([code, value.error_code]).toEqual([10, 'AIP-E103']);
  });

  test('a principal key in a flag comes before the pinned one, and a second one counts as well', async () => {
    const machine = await settled();
    const wrong = ['--principal-key', `${PRINCIPAL}=${publicKeyText('stranger')}`];
    expect((await machine.run('intent', 'verify', refundFile, ...wrong)).code).toBe(10);
    expect((await machine.run('intent', 'verify', refundFile, ...wrong, ...PINS)).code).toBe(0);
  });

  test('a given passport that is broken is not answered by the known one', async () => {
    for (const file of ['passport-unknown-constraint.json', 'passport-edited-limit.json', 'passport-expired.json']) {
      const machine = await settled();
      const { code } = await machine.run('intent', 'verify', refundFile, ...given([file]));
      expect(code).toBe(10);
    }
  });

  test('nor is one whose agent was changed by a byte, at every place that names it', async () => {
    const machine = await settled();
    const text = readFileSync(fixture('passport-support-agent.json'), 'utf8');
    const names = [...text.matchAll(/acme\.com|support-agent/g)].map(({ index }) => index);
    expect(names.length).toBeGreaterThan(6);
    for (const at of names) {
      const edited = machine.file('edited.json', `${text.slice(0, at)}x${text.slice(at + 1)}`);
      const { code } = await machine.run('intent', 'verify', refundFile, '--passport', edited, '--dry-run');
      expect([3, 10], `changed at ${at}`).toContain(code);
    }
  });

  test('a passport that the known one superseded is refused', async () => {
    const machine = household();
    await machine.run('principal', 'add', PRINCIPAL, '--public-key', publicKeyText('principal'));
    await machine.run('passport', 'import', fixture('passport-rotated-twice.json'));
    const rotated = fixture('intent-by-the-new-key.json');
    expect((await machine.run('intent', 'verify', rotated)).code).toBe(0);
    // The agent brings back the passport it had before, which its principal did sign.
    const older = machine.file('older.json', JSON.stringify(olderPassport()));
    const { code, value } = await machine.json('intent', 'verify', rotated, '--passport', older);
    expect([code, value.error_code]).toEqual([10, 'AIP-E103']);
    expect(value.message).toContain('a later one, issued at 2026-02-18T12:00:00Z, is known here');
  });
});
