import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parsePostgresUrl, passwordIn, requireNoPassword } from '../../../src/adapters/postgres/address.js';
import { passwordsOf } from '../../../src/adapters/postgres/password.js';
import { Failure } from '../../../src/app/failure.js';
import vectors from '../../vectors/postgres-urls.json' with { type: 'json' };
import { scratch } from '../../kit/scratch.js';

const parse = (url: string, env: Readonly<Record<string, string | undefined>> = {}) =>
  parsePostgresUrl(url, { env, osUser: 'osuser' });

describe('the URL of a database', () => {
  test.each(vectors.read)('$url', ({ url, is, env }) => {
    const { hosts, user, database, tls, shown } = parse(url, env);
    expect({
      hosts: hosts.map(({ host, port }) => `${host}:${port}`),
      user,
      database,
      mode: tls.mode,
      password: passwordIn(url),
    }).toEqual(is);
    if (is.password !== null) expect(shown).not.toContain(is.password);
  });
  test.each(vectors.refused)('refused: $url', ({ url, env, says }) => {
    const failure = failureOf(() => parse(url, env));
    expect(failure).toMatchObject({ code: 'USAGE', exitCode: 2 });
    expect(failure.message).toContain(says);
    expect(`${failure.message} ${failure.hint}`).not.toContain('s3cr3t');
  });
  test('the longest URL is read, a longer one is refused', () => {
    const url = 'postgres://aip@db/';
    expect(parse(url + 'x'.repeat(2048 - url.length)).database).toMatch(/^x+$/);
    expect(failureOf(() => parse(url + 'x'.repeat(2049 - url.length))).message).toContain('longer than 2048');
    expect(failureOf(() => parse(`postgres://${'a,'.repeat(16)}a/db`)).message).toContain('more than 16 hosts');
  });
  test('one with a password is refused as an argument, one without is not', () => {
    const failure = failureOf(() => requireNoPassword('postgres://aip:s3cr3t@db/fleet', '--store'));
    expect(failure.message).toContain('--store');
    expect(`${failure.message} ${failure.hint}`).not.toContain('s3cr3t');
    expect(() => requireNoPassword('postgres://aip@db/fleet', '--store')).not.toThrow();
  });
});

describe('the password of a database', () => {
  const address = parse('postgres://aip@db.example.com,[::1]:5433/fleet');
  const inFile = (text: string, mode = 0o600): string => {
    const folder = scratch();
    writeFileSync(join(folder, '.pgpass'), text, { mode });
    return folder;
  };
  const of = (text: string, host = 'db.example.com', port = 5432) =>
    passwordsOf(address, { env: {}, userHome: inFile(text), inUrl: null })(host, port);

  test('the URL comes before PGPASSWORD, PGPASSWORD before the file', () => {
    const userHome = inFile('*:*:*:*:file');
    expect(passwordsOf(address, { env: { PGPASSWORD: 'env' }, userHome, inUrl: 'url' })('h', 1)).toBe('url');
    expect(passwordsOf(address, { env: { PGPASSWORD: 'env' }, userHome, inUrl: null })('h', 1)).toBe('env');
    expect(passwordsOf(address, { env: {}, userHome, inUrl: null })('h', 1)).toBe('file');
    expect(passwordsOf(address, { env: {}, userHome: '', inUrl: null })('h', 1)).toBeNull();
  });
  test.each([
    ['the line that fits', 'other:5432:fleet:aip:no\ndb.example.com:5432:fleet:aip:yes\n', 'yes'],
    ['stars fit all', '*:*:*:aip:yes', 'yes'],
    ['the first that fits', '*:*:fleet:*:first\n*:*:*:*:second', 'first'],
    ['colons and backslashes in it', 'db.example.com:*:*:*:a\\:b\\\\c', 'a:b\\c'],
    ['a colon in the password needs no backslash', '*:*:*:*:a:b', 'a:b'],
    ['comments and rubbish are passed over', '# *:*:*:*:no\nrubbish\n*:*:*:*:yes', 'yes'],
    ['lines of Windows', 'db.example.com:5432:fleet:aip:yes\r\n', 'yes'],
    ['another user', '*:*:*:somebody:no', null],
    ['another database', '*:*:mesh:aip:no', null],
    ['another port', '*:6432:*:aip:no', null],
    ['a name that only begins alike', 'db.example:*:*:*:no', null],
    ['an empty file', '', null],
  ])('%s', (_, text, password) => {
    expect(of(text)).toBe(password);
  });
  test('an address of version 6 is written with backslashes', () => {
    expect(of('\\:\\:1:5433:fleet:aip:yes', '::1', 5433)).toBe('yes');
  });
  test('a socket is localhost in it', () => {
    expect(of('localhost:5432:fleet:aip:yes', '/var/run/postgresql')).toBe('yes');
  });
  test('a file that others may read is refused, one that is named and not there is not passed over', () => {
    const open = inFile('*:*:*:*:s3cr3t', 0o644);
    const failure = failureOf(() => passwordsOf(address, { env: {}, userHome: open, inUrl: null }));
    expect(failure).toMatchObject({ code: 'KEYSTORE_DENIED', hint: expect.stringContaining('chmod 600') as string });
    expect(failure.message).not.toContain('s3cr3t');
    const env = { PGPASSFILE: join(open, 'missing') };
    expect(failureOf(() => passwordsOf(address, { env, userHome: '', inUrl: null })).code).toBe('NOT_FOUND');
  });
});

function failureOf(work: () => unknown): Failure {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
