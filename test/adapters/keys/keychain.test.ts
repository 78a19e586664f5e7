import { readdirSync, readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { addonPaths } from '../../../src/adapters/keys/keychain/addon.js';
import CHILD_PROGRAM from 'built:keychain-child';
import { keychainEnvironment } from '../../../src/adapters/keys/keychain/child.js';
import { CHILD_TIMEOUT_MS } from '../../../src/adapters/keys/keychain/child-messages.js';
import { DIAGNOSIS_TIMEOUT_MS, keychain } from '../../../src/adapters/keys/keychain/store.js';
import { lockFile } from '../../../src/adapters/sqlite/file/lock.js';
import { formatSeed } from '../../../src/protocol/identity/keys.js';
import { expectFailure, failureOf, KEY_ID, keyStoreContract, seedOf, wordsOf } from '../../contract/key-store.js';
import { addonLoads, FakeBus, type Env } from '../../kit/keyring/ring.js';

/** The keychain without a keychain: what is missing, silent, or answers something else. No ring is needed here. */

const OPS = ['read', 'create', 'delete'] as const;
const PATH = process.env['PATH']!;
/** An address of a kind that cannot be asked for the condition of its ring. */
const ELSEWHERE = 'tcp:host=127.0.0.1,port=1';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aip-keychain-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(store: ReturnType<typeof keychain>, op: (typeof OPS)[number]): Promise<unknown> {
  return op === 'create' ? store.create(KEY_ID, seedOf(7)) : store[op](KEY_ID);
}

/** A stand-in for keytar's addon; `body` is JavaScript. */
function addon(body: string): string {
  const path = join(folder, `addon-${readdirSync(folder).length}.cjs`);
  writeFileSync(path, body);
  return path;
}

/** A keychain kept in a file beside the addon, so that it outlives the child. */
function working(extra = ''): string {
  return addon(`
    const fs = require('node:fs'), file = __filename + '.json';
    const load = () => fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : {};
    const save = (items) => fs.writeFileSync(file, JSON.stringify(items));
    exports.getPassword = async (s, a) => load()[s + '/' + a] ?? null;
    exports.setPassword = async (s, a, p) => save({ ...load(), [s + '/' + a]: p });
    exports.deletePassword = async (s, a) => { const i = load(), k = s + '/' + a, had = k in i; delete i[k]; save(i); return had; };
    ${extra}`);
}

function open(path: string | string[], env: Env = {}): ReturnType<typeof keychain> {
  return keychain({ env: { PATH, DBUS_SESSION_BUS_ADDRESS: ELSEWHERE, ...env }, folder, addons: [path].flat() });
}

keyStoreContract(() => {
  const path = working();
  return { store: open(path), reopened: open(path), strayRef: 'nobody#key-1', holdsMany: true };
});

describe.each(OPS)('%s fails with its own message', (op) => {
  test('without keytar', async () => {
    const failure = await expectFailure(run(keychain({ env: { PATH }, folder, addons: [] }), op), 'KEYSTORE_MISSING');
    expect(failure.message).toContain('keytar is not installed');
    expect(failure.hint).toMatch(/--key-store file.*--key-store env/);
    expect(failure.exitCode).toBe(4);
  });

  test('with a keytar that has no build for this system', async () => {
    const failure = await expectFailure(run(open(join(folder, 'nothing.node')), op), 'KEYSTORE_MISSING');
    expect(failure.message).toContain('no build for this system');
  });

  test('without libsecret', async () => {
    const words = 'libsecret-1.so.0: cannot open shared object file: No such file or directory';
    const failure = await expectFailure(
      run(open(addon(`throw new Error(${JSON.stringify(words)})`)), op),
      'KEYSTORE_MISSING',
    );
    expect(failure.message).toContain('library libsecret-1.so.0 is not installed');
  });

  test.skipIf(process.platform !== 'linux')('without a bus, and starts none', async () => {
    const failure = await expectFailure(
      run(keychain({ env: { PATH, XDG_RUNTIME_DIR: folder, DISPLAY: ':99' }, folder }), op),
      'KEYSTORE_MISSING',
    );
    expect(failure.message).toContain('no D-Bus session bus');
  });

  test.skipIf(process.platform !== 'linux')('with a bus address that leads nowhere', async () => {
    const env = { PATH, DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(folder, 'nothing')}` };
    await expectFailure(run(keychain({ env, folder }), op), 'KEYSTORE_MISSING');
  });

  test.each([
    ['User interaction is not allowed.', 'KEYSTORE_LOCKED'],
    ['User canceled the operation.', 'KEYSTORE_LOCKED'],
    ['A default keychain could not be found.', 'KEYSTORE_MISSING'],
    ['A specified logon session does not exist. It may already have been terminated.', 'KEYSTORE_MISSING'],
    ['Access is denied.', 'KEYSTORE_DENIED'],
    ['The user name or passphrase you entered is not correct.', 'KEYSTORE_DENIED'],
    ['', 'KEYSTORE_DENIED'],
  ] as const)('when the system says %j', async (words, code) => {
    const says = `async () => { throw new Error(${JSON.stringify(words)}) }`;
    const path = addon(`exports.getPassword = exports.setPassword = exports.deletePassword = ${says}`);
    await expectFailure(run(open(path), op), code);
  });

  test.each([
    ['crashes', 'process.kill(process.pid, "SIGSEGV")'],
    ['exits', 'process.exit(0)'],
    ['writes something else', 'process.stdout.write("hello "); return null'],
    ['writes without end', 'for (;;) require("node:fs").writeSync(1, "x".repeat(65536))'],
  ])('when the addon %s', async (_, body) => {
    const path = addon(`exports.getPassword = exports.setPassword = exports.deletePassword = async () => { ${body} }`);
    await expectFailure(run(open(path), op), 'KEYSTORE_DENIED');
  });
});

describe('a keychain that is not to be trusted with keys', () => {
  test.each([
    ['drops what is stored', 'exports.setPassword = async () => {};'],
    [
      'changes what is stored',
      'const set = exports.setPassword; exports.setPassword = (s, a, p) => set(s, a, p.slice(1));',
    ],
  ])('that %s is found out', async (_, extra) => {
    const failure = await expectFailure(open(working(extra)).create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
    expect(wordsOf(failure)).not.toContain('070707');
  });

  test('that quotes keys or terminal codes in its errors is not repeated', async () => {
    const path = addon(`exports.getPassword = async () => null;
      exports.setPassword = async (s, a, p) => { throw new Error('bad \\u001b[31m password\\n' + p) }`);
    const failure = await expectFailure(open(path).create(KEY_ID, seedOf(7)), 'KEYSTORE_DENIED');
    expect(wordsOf(failure)).not.toContain('070707');
    expect(failure.message).not.toMatch(/[\x00-\x1f]/);
    expect(failure.message).toContain('bad [31m password');
  });

  test.each(['', 'secret', 'ed25519:', `ed25519:${'07'.repeat(31)}`])(
    'an item that is no key (%j) is UNREADABLE',
    async (item) => {
      const failure = await expectFailure(
        open(addon(`exports.getPassword = async () => ${JSON.stringify(item)}`)).read(KEY_ID),
        'UNREADABLE',
      );
      expect(wordsOf(failure)).not.toContain('070707');
    },
  );
});

describe('the search for the addon', () => {
  test('prefers the built one, and then the ones that were shipped for this system', () => {
    const paths = addonPaths().map((path) => path.replaceAll('\\', '/'));
    expect(paths[0]).toMatch(/\/build\/Release\/keytar\.node$/);
    expect(paths[1]).toContain(`/prebuilds/${process.platform}-${process.arch}/keytar.node`);
  });

  test('goes on after one that does not load, and reports the first reason', async () => {
    const broken = addon('throw new Error("wrong ELF class")');
    const path = working();
    expect(await open([broken, join(folder, 'nothing.node'), path]).create(KEY_ID, seedOf(7))).toBe(KEY_ID);
    expect((await failureOf(open([broken, broken]).read(KEY_ID))).code).toBe('KEYSTORE_MISSING');
  });
});

const linux = process.platform === 'linux';
if (!linux) console.log('skipped: the tests against a silent D-Bus and /proc, which are for Linux');
const native = linux && addonPaths().some(addonLoads);
if (linux && !native) console.log('skipped: keytar against a bus that never answers: its addon does not load here');

describe.skipIf(!native)('a bus that never answers', () => {
  const bus = new FakeBus();

  test('is given up by every call', async () => {
    const env = { PATH, DBUS_SESSION_BUS_ADDRESS: await bus.listen() };
    const failures = await Promise.all(
      OPS.map((op) => expectFailure(run(keychain({ env, folder }), op), 'KEYSTORE_TIMEOUT')),
    );
    for (const failure of failures) {
      expect(failure.message).toContain('did not answer');
      expect(failure.hint).toContain('--key-store file');
      expect(failure.retryable).toBe(true);
      expect(wordsOf(failure)).not.toContain('070707');
    }
    // Only a creation leaves a doubt about what is stored now.
    expect(failures.map(({ message }) => message.includes('may or may not'))).toEqual([false, true, false]);
    await bus.close();
  }, 15_000);
});

test('a call and the question what went wrong end within 5 s together', () => {
  expect(CHILD_TIMEOUT_MS).toBe(3000);
  expect(CHILD_TIMEOUT_MS + DIAGNOSIS_TIMEOUT_MS).toBeLessThanOrEqual(4500);
});

test.skipIf(!linux)(
  'a creation that had to wait for its turn does not take longer',
  async () => {
    const bus = new FakeBus();
    const path = addon('exports.getPassword = () => new Promise(() => setInterval(() => {}, 1000))');
    const store = open(path, { DBUS_SESSION_BUS_ADDRESS: await bus.listen() });
    const leave = lockFile(join(folder, 'keychain.lock'));
    const began = performance.now();
    const failing = expectFailure(store.create(KEY_ID, seedOf(7)), 'KEYSTORE_TIMEOUT');
    await sleep(1800);
    leave();
    expect((await failing).message).toContain('The keychain did not answer');
    expect(performance.now() - began).toBeLessThan(5000);
    await bus.close();
  },
  15_000,
);

describe('the child', () => {
  test.skipIf(!linux)(
    'has the key neither in its arguments nor in its environment',
    async () => {
      const path = addon(`exports.getPassword = () => new Promise(() => setInterval(() => {}, 1000))`);
      const secretEnv = {
        AGENT_PRIVATE_KEY: formatSeed(seedOf(7)),
        AIP_KEY_PASSPHRASE: 'hunter2-passphrase',
        NODE_OPTIONS: '--no-warnings',
      };
      const call = failureOf(open(path, secretEnv).create(KEY_ID, seedOf(7)));
      let seen = '';
      for (let i = 0; i < 500 && !seen.includes('keytar') && !seen.includes('deletePassword'); i++) {
        await sleep(2);
        seen = childrenOf(process.pid)
          .map((pid) => proc(pid, 'cmdline') + proc(pid, 'environ'))
          .join('\n');
      }
      expect(seen).toContain('deletePassword');
      expect(seen).toContain(ELSEWHERE);
      expect(seen).not.toContain(formatSeed(seedOf(7)).slice(8));
      expect(seen).not.toContain('hunter2');
      expect(seen).not.toContain('NODE_OPTIONS');
      expect((await call).code).toBe('KEYSTORE_TIMEOUT');
      // The call is over when its child is killed; how soon the system then takes it away is not the call's to say.
      await vi.waitFor(
        () =>
          expect(childrenOf(process.pid).filter((pid) => proc(pid, 'cmdline').includes('deletePassword'))).toEqual([]),
        5_000,
      );
    },
    15_000,
  );

  test('keeps of the environment what a keychain needs', () => {
    const env = {
      PATH,
      HOME: '/h',
      DBUS_SESSION_BUS_ADDRESS: 'b',
      XDG_RUNTIME_DIR: 'r',
      LC_ALL: 'C',
      systemroot: 'w',
      X: undefined,
    };
    const kept = keychainEnvironment({
      ...env,
      NODE_OPTIONS: 'x',
      AGENT_PRIVATE_KEY: 'x',
      TOKEN: 'x',
      PATHOLOGY: 'x',
      LD_PRELOAD: 'x',
    });
    const { X: _, ...expected } = env;
    expect(kept).toEqual(expected);
  });

  test('is a program without anything of the caller in it', () => {
    expect(CHILD_PROGRAM).not.toContain(folder);
    expect(CHILD_PROGRAM).toContain('SIGKILL');
  });
});

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number {
  const stat = proc(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function proc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1').replaceAll('\0', '\n');
  } catch {
    return '';
  }
}
