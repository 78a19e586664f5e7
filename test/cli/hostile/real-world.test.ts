/**
 * The world as operators have it, with the system's own tools: a mount that may only be read, a limit on the size of files, a clock that is
 * fast or slow. Where a tool is missing the test says so and is left out.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/verify/decision.js';
import { BINARY } from '../../kit/built/program.js';
import { aip, place, type Place } from '../../kit/built/binary.js';
import { PASSPHRASE, type Answer } from '../../kit/native/household.js';

/** Null where the tool does its work here; else why not, which is printed, or fails where the tools are to be there. */
function missing(what: string, command: readonly string[], env: Record<string, string> = {}): string | null {
  const [program, ...args] = command;
  const { status, stderr, error } = spawnSync(program!, args, { env: { ...process.env, ...env }, encoding: 'utf8' });
  if (status === 0) return null;
  const why = `skipped: ${what} does not work here (${error?.message ?? stderr.trim()})`;
  if (process.env['AIP_TEST_WORLD'] === '1') throw new Error(why);
  console.warn(why);
  return why;
}

const AGENT = 'did:web:acme.com:agents:bot';

/** A home with an agent whose key and whose principal's key lie in files. */
function furnished(): Place {
  const bare = place();
  const where = { ...bare, env: { ...bare.env, AIP_KEY_PASSPHRASE: PASSPHRASE } };
  const create = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'ping', '--rate-limit', '3/hour'];
  const made = aip(where, [...create, '--key-store', 'file', '--principal-key-store', 'file']);
  expect(made.code, made.err).toBe(0);
  return where;
}

/** The program behind other programs, which set the world for it. */
function behind(before: readonly string[], { folder, env }: Place, argv: readonly string[]): Answer {
  const [program, ...args] = [...before, process.execPath, BINARY, ...argv];
  const options = { cwd: folder, env, encoding: 'utf8' as const, timeout: 60_000 };
  const { status, stdout, stderr } = spawnSync(program!, args, options);
  expect(status, stderr).not.toBe(1);
  expect(stderr).not.toContain('a bug');
  return { code: status!, out: stdout, err: stderr };
}

function sign(where: Place, name: string, before: readonly string[] = []): string {
  const path = join(where.folder, name);
  const { code, err } = behind(before, where, ['intent', 'sign', '-p', 'bot', '-a', 'ping', '-o', path]);
  expect(code, err).toBe(0);
  return path;
}

const MOUNT = 'mount --bind "$AIP_HOME" "$AIP_HOME" && mount -o remount,ro,bind "$AIP_HOME" && exec "$@"';
const READ_ONLY = ['unshare', '--mount', '--map-root-user', 'sh', '-c', MOUNT, 'sh'];
const noMounts = missing('a mount of its own (unshare, util-linux)', [...READ_ONLY, 'true'], { AIP_HOME: '/tmp' });

describe.runIf(noMounts === null)('a home that is mounted to be read only', () => {
  test('answers what reads, says that it is read only, and refuses the rest before it is done', () => {
    const where = furnished();
    const intent = sign(where, 'intent.json');
    const before = readFileSync(join(where.env['AIP_HOME']!, 'state.db'));
    for (const argv of [
      ['passport', 'list'],
      ['status'],
      ['health'],
      ['logs', 'tail'],
      ['logs', 'verify'],
      ['trust', 'bot'],
    ])
      expect([argv.join(' '), behind(READ_ONLY, where, argv).code]).toEqual([argv.join(' '), 0]);
    const doctor = behind(READ_ONLY, where, ['doctor']);
    expect(doctor.out.replace(/\s+/g, ' ')).toContain('may only be read here');
    expect(doctor.out).toContain('findmnt -T');
    for (const argv of [
      ['intent', 'verify', intent],
      ['revoke', AGENT, '--reason', 'x', '--yes'],
      ['suspend', AGENT, '--for', '30m', '--reason', 'x'],
      ['principal', 'remove', 'did:web:acme.com', '--yes'],
      ['logs', 'prune', '--older-than', '1d', '--yes'],
    ]) {
      const { code, err } = behind(READ_ONLY, where, argv);
      expect([argv.join(' '), code, err]).toEqual([argv.join(' '), 3, expect.stringContaining('read only')]);
      expect(err).toMatch(/^hint: findmnt -T /m);
    }
    for (const argv of [
      ['passport', 'create', 'other', '--domain', 'acme.com', '-a', 'ping', '--key-store', 'file'],
      ['passport', 'rotate', 'bot', '--yes'],
      ['init', '--domain', 'other.com', '--key-store', 'file'],
    ]) {
      const { code, err } = behind(READ_ONLY, where, argv);
      expect([argv.join(' '), [3, 4].includes(code)], err).toEqual([argv.join(' '), true]);
      expect(err).toMatch(/^hint: /m);
    }
    expect(readFileSync(join(where.env['AIP_HOME']!, 'state.db'))).toEqual(before);
    expect(existsSync(join(where.folder, 'other.passport.json'))).toBe(false);
    expect(aip(where, ['intent', 'verify', intent]).code).toBe(0);
  });
});

/** The home in a memory of its own that is full. */
const FILLED = `cp -a "$AIP_HOME" "$AIP_HOME.kept" && mount -t tmpfs -o size=1m,mode=700 tmpfs "$AIP_HOME" &&
  cp -a "$AIP_HOME.kept/." "$AIP_HOME" && { cat /dev/zero > "$AIP_HOME/filling" 2>/dev/null; exec "$@"; }`;

describe.runIf(noMounts === null)('a disk that is full', () => {
  test('is said by what would write, and by doctor', () => {
    const where = furnished();
    const intent = sign(where, 'intent.json');
    const full = ['unshare', '--mount', '--map-root-user', 'sh', '-c', FILLED, 'sh'];
    const doctor = behind(full, where, ['doctor', '--json']);
    const findings = JSON.parse(doctor.out) as { check: string; status: string; message: string; hint: string }[];
    expect(findings.filter(({ check }) => check === 'state')).toMatchObject([
      { status: 'failed', message: expect.stringContaining('room for 0 KiB'), hint: expect.stringMatching(/^df -h /) },
    ]);
    expect(doctor.code).toBe(3);
    const again = { ...where, env: { ...where.env, AIP_HOME: `${where.env['AIP_HOME']}.kept` } };
    expect(behind(full, again, ['intent', 'verify', intent])).toMatchObject({
      ...{ code: 3, err: expect.stringContaining('Nothing was decided or changed.') },
    });
    expect(aip(where, ['intent', 'verify', intent]).code).toBe(0);
  });
});

describe.runIf(process.platform !== 'win32')('a limit on the size of files', () => {
  const limited = (blocks: number) => ['sh', '-c', `ulimit -f ${blocks}; exec "$@"`, 'sh'];
  test.each([1, 8, 64])('of %i blocks is said, and nothing is half done', (blocks) => {
    const where = furnished();
    const intent = sign(where, 'intent.json');
    const { code, err } = behind(limited(blocks), where, ['intent', 'verify', intent]);
    if (code !== 0) {
      expect([code, err]).toEqual([3, expect.stringMatching(/^hint: /m)]);
      expect(aip(where, ['logs', 'verify']).code).toBe(0);
      expect(aip(where, ['intent', 'verify', intent]).code).toBe(0);
    } else expect(aip(where, ['intent', 'verify', intent]).code).toBe(11);
  });

  test('a report that does not fit leaves the old one where it was', () => {
    const where = furnished();
    const report = join(where.folder, 'log.jsonl');
    for (let i = 0; i < 3; i++) aip(where, ['intent', 'verify', sign(where, `${i}.json`)]);
    writeFileSync(report, 'the old one\n');
    const { code, err } = behind(limited(1), where, ['logs', 'export', '--out', report]);
    expect([code, err]).toEqual([3, expect.stringContaining('ulimit -f')]);
    expect(readFileSync(report, 'utf8')).toBe('the old one\n');
  });

  test('a key that does not fit into an env file leaves no half of it there', () => {
    const where = furnished();
    const file = join(where.folder, 'agent.env');
    const before = `FILLED=${'x'.repeat(1200 * 512 - 48)}\n`;
    writeFileSync(file, before);
    const flags = ['--domain', 'acme.com', '-a', 'look', '-e', file, '-o', join(where.folder, 'second.json')];
    const { code, err } = behind(limited(1200), where, ['passport', 'create', 'second', ...flags]);
    expect([code, err]).toEqual([3, expect.stringContaining('ulimit -f')]);
    expect(err).toContain(file);
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(aip(where, ['passport', 'create', 'second', ...flags]).code).toBe(0);
  });
});

const noClock = missing('another clock (faketime, libfaketime)', ['faketime', '-f', '+1h', 'date']);

describe.runIf(noClock === null)('a clock of its own', () => {
  const fast = ['faketime', '-f', '+2h'];
  const slow = ['faketime', '-f', '-2h'];
  const decided = (answer: Answer) => JSON.parse(answer.out) as Decision;

  test('that is slow or fast is found by what it refuses', () => {
    const where = furnished();
    const intent = sign(where, 'now.json');
    const dry = ['intent', 'verify', intent, '--dry-run', '--json'];
    expect(decided(behind(fast, where, dry)).error_code).toBe('AIP-E302');
    // By a clock two hours behind the passport itself is of the future.
    expect(decided(behind(slow, where, dry)).error_code).toBe('AIP-E104');
    expect(aip(where, ['intent', 'verify', intent]).code).toBe(0);
  });

  test('that was ahead leaves entries that doctor names and no report counts; its limits stay used, as a clock set back must open none', () => {
    const where = furnished();
    for (let i = 0; i < 3; i++) {
      const intent = sign(where, `ahead-${i}.json`, fast);
      expect(behind(fast, where, ['intent', 'verify', intent]).code).toBe(0);
    }
    const doctor = behind([], where, ['doctor']);
    expect(doctor.out.replace(/\s+/g, ' ')).toMatch(/clock.*ahead|ahead.*clock|future/i);
    const { successful } = JSON.parse(aip(where, ['health', 'bot', '--json']).out) as { successful: number };
    expect(successful).toBe(0);
    const { error_code, details } = decided(aip(where, ['intent', 'verify', sign(where, 'now.json'), '--json']));
    expect([error_code, details]).toEqual(['AIP-E205', expect.objectContaining({ used: 3, limit: 3 })]);
  });

  test('that is fast ends a suspension here, and says by which clock', () => {
    const where = furnished();
    expect(aip(where, ['suspend', AGENT, '--for', '30m', '--reason', 'x']).code).toBe(0);
    const { out } = behind([], where, ['status', AGENT]);
    expect(out).toContain('SUSPENDED');
    // Without a mesh there is no other clock than this machine's.
    expect(behind(fast, where, ['status', AGENT]).out).toContain('ACTIVE');
    expect(aip(where, ['status', AGENT]).out).toContain('SUSPENDED');
  });

  test('that goes back brings nothing back: a spent nonce stays spent', () => {
    const where = furnished();
    const intent = sign(where, 'now.json');
    expect(aip(where, ['intent', 'verify', intent]).code).toBe(0);
    for (const clock of [['faketime', '-f', '-20s'], ['faketime', '-f', '+20s'], []])
      expect(decided(behind(clock, where, ['intent', 'verify', intent, '--json'])).error_code).toBe('AIP-E301');
    expect(statSync(join(where.env['AIP_HOME']!, 'state.db')).mode & 0o777).toBe(0o600);
  });
});
