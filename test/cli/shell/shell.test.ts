import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/app/failure.js';
import { reportError } from '../../../src/cli/render/errors.js';
import { Interruption, type Interrupted } from '../../../src/cli/shell/interruption.js';
import { run } from '../../../src/cli/main.js';
import { parse } from '../../../src/cli/shell/parse.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import { route } from '../../../src/cli/shell/route.js';
import { shellCli, type CommandLifetime } from '../../../src/cli/shell/context.js';
import type { Globals } from '../../../src/cli/globals.js';
import type { CommandSpec } from '../../../src/cli/spec.js';
import { durationMs, integer, momentOf, pairs } from '../../../src/cli/input/values.js';
import { VERSION } from '../../../src/cli/version.js';
import { parseJsonText } from '../../../src/protocol/json/parse.js';
import { world } from '../../kit/world.js';

const GLOBALS: Globals = {
  json: false,
  quiet: false,
  verbose: false,
  color: true,
  input: true,
  config: null,
  home: null,
  debug: false,
};

const SPEC: CommandSpec = {
  path: ['try'],
  summary: 'Try',
  args: [
    { name: 'file', description: 'a file' },
    { name: 'more', description: 'more files', required: false, variadic: true },
  ],
  options: [
    {
      title: 'Flags',
      options: [
        { flags: '-o, --out <file>', description: 'a file' },
        {
          flags: '--format <name>',
          description: 'a format',
          choices: ['human', 'json'],
          default: 'human',
          env: 'TRY_FORMAT',
        },
        { flags: '--limit <n>', description: 'a number', value: integer(-9, 9), env: 'TRY_LIMIT' },
        { flags: '--param <k=v>', description: 'a param', repeatable: true },
        { flags: '--action <name>', description: 'an action', repeatable: true, several: true },
        { flags: '--dry-run', description: 'do nothing' },
        { flags: '--no-log', description: 'no log' },
      ],
    },
  ],
  examples: [],
  touches: [],
  run: async () => 0,
};
const read = (tokens: readonly string[], env: Record<string, string> = {}) => parse(SPEC, tokens, env);

describe('the version', () => {
  test('is that of package.json', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(VERSION).toBe(manifest.version);
  });
  test('is printed alone, and as JSON', async () => {
    expect(await world().run('--version')).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
    const { out } = await world().run('--version', '--json');
    expect(JSON.parse(out)).toEqual({ version: VERSION, node: process.version });
  });
});

describe('finding the command', () => {
  test('global flags stand before or after its words', () => {
    const before = route(['--json', '--config', 'c.json', 'config', 'list', '--sources']);
    expect(before).toMatchObject({ kind: 'command', rest: ['--json', '--config', 'c.json', '--sources'] });
    expect(route(['config', '--json', 'list'])).toMatchObject({ kind: 'command', rest: ['--json'] });
    expect(route(['config', 'list', '--json'])).toMatchObject({ kind: 'command', rest: ['--json'] });
  });
  test('--version after a command prints the version, and the command is not run', async () => {
    const { code, out } = await world().run('principal', 'remove', 'did:web:acme.com', '--version');
    expect({ code, out }).toEqual({ code: 0, out: `${VERSION}\n` });
    expect(route(['exec', '-p', 'bot', '--', 'node', '--version']).kind).toBe('command');
  });
  test('short flags stand together before the command, too', () => {
    expect(route(['-qv', 'config', 'list'])).toMatchObject({ kind: 'command', rest: ['-qv'] });
    expect(() => route(['-qx', 'config', 'list'])).toThrow('unknown option before the command: -qx');
  });
  test('a global flag without its value is wrong use, also with no command', () => {
    expect(() => route(['--home'])).toThrow('--home needs a value');
    expect(() => route(['config', '--config'])).toThrow('--config needs a value');
  });
  test.each([
    ['--home', ['config', 'list', '--home', '']],
    ['--config', ['--config=', 'config', 'list']],
    ['--out', ['logs', 'export', '--out', '']],
  ])('an empty path after %s is not the current folder', async (flag, argv) => {
    const { code, err } = await world().run(...argv);
    expect(code).toBe(2);
    expect(err).toContain(flag);
    expect(err).toContain('It is empty');
  });
  test('a flag after -- is not a request for help', () => {
    expect(route(['help', '--', '--help'])).toMatchObject({ kind: 'command', help: false });
    expect(route(['help', '--help'])).toMatchObject({ kind: 'command', help: true });
  });
  test.each([
    [['confg', 'list'], 'unknown command: aip confg; did you mean config?'],
    [['config', 'lsit'], 'unknown command: aip config lsit; did you mean config list?'],
    [['config', ''], 'unknown command: aip config '],
    [['zzzzzz'], 'unknown command: aip zzzzzz'],
    [['--jsno', 'config', 'list'], 'unknown option before the command: --jsno; did you mean --json?'],
    [['--sources', 'config', 'list'], 'unknown option before the command: --sources; flags of a command go after it'],
    [['-x'], 'unknown option before the command: -x'],
    [['--', 'config', 'list'], 'unknown command: aip --'],
  ])('%j is wrong use', async (argv, message) => {
    const { code, out, err } = await world().run(...argv);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(`error: ${message}`.trimEnd());
    expect(err.trimEnd().split('\n').at(-1)).toMatch(/^hint: aip/);
  });
  test.each([['help'], ['help', 'json'], ['--help'], ['intent', '--help'], ['intent', 'sign', '--help'], []])(
    '%j with --json is a document as well',
    async (...argv) => {
      const { code, out } = await world({ tty: true, env: { FORCE_COLOR: '1' } }).run(...argv, '--json');
      expect(code).toBe(0);
      expect(JSON.parse(out)).toEqual({ help: expect.stringMatching(/^[^\u001b]*aip[^\u001b]*$/) as string });
    },
  );
  test('a group alone with --json: the error is JSON, as every other', async () => {
    const { code, out, err } = await world().run('passport', '--json');
    expect([code, out]).toEqual([2, '']);
    expect(JSON.parse(err)).toMatchObject({ code: 'USAGE', hint: 'aip passport --help', exit_code: 2 });
  });
  test('a group alone did nothing: its help goes to stderr with exit 2', async () => {
    const { code, out, err } = await world().run('config');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('config list');
    const asked = await world().run('config', '--help');
    expect(asked).toMatchObject({ code: 0, err: '' });
    expect(asked.out).toContain('config trust');
  });
});

describe('reading flags and arguments', () => {
  test('names, values, lists and defaults', () => {
    const { input } = read([
      'a.json',
      '-o',
      'x',
      '--limit',
      '-3',
      '--param',
      'k=v',
      '--param=l=--m',
      '--dry-run',
      '--no-log',
      '-',
    ]);
    expect(input.args).toEqual(['a.json', '-']);
    expect(input.options).toEqual({
      out: 'x',
      format: 'human',
      limit: -3,
      param: ['k=v', 'l=--m'],
      action: [],
      dryRun: true,
      log: false,
    });
  });
  test('a flag not given is false, absent or empty', () => {
    expect(read(['a']).input.options).toEqual({ format: 'human', param: [], action: [], dryRun: false, log: true });
  });
  test('everything after -- is an argument', () => {
    expect(read(['--dry-run', 'a', '--', '--format', '-x']).input.args).toEqual(['a', '--format', '-x']);
  });
  test('several values after one flag, and the flag again', () => {
    const { input } = read(['a', '--action', 'one', 'two', '--action', 'three', '--dry-run', 'b']);
    expect(input.options).toMatchObject({ action: ['one', 'two', 'three'] });
    expect(input.args).toEqual(['a', 'b']);
  });
  test('a variable stands in for its flag, and the flag wins', () => {
    expect(read(['a'], { TRY_FORMAT: 'json', TRY_LIMIT: '4' }).input.options).toMatchObject({
      format: 'json',
      limit: 4,
    });
    expect(read(['a', '--format', 'human'], { TRY_FORMAT: 'json' }).input.options).toMatchObject({ format: 'human' });
    expect(read(['a'], { TRY_FORMAT: '' }).input.options).toMatchObject({ format: 'human' });
  });
  test('global options are read apart', () => {
    const { globals, input } = read([
      'a',
      '--json',
      '-q',
      '--no-color',
      '--no-input',
      '--config',
      'c',
      '--home=h',
      '--debug',
    ]);
    expect(globals).toEqual({
      json: true,
      quiet: true,
      verbose: false,
      color: false,
      input: false,
      config: 'c',
      home: 'h',
      debug: true,
    });
    expect(input.options).not.toHaveProperty('json');
    expect(read(['a'], { AIP_HOME: '/h' }).globals.home).toBe('/h');
    expect(read(['a', '--home', '/i'], { AIP_HOME: '/h' }).globals.home).toBe('/i');
  });
  test.each([
    [[], {}, "missing required argument 'file'"],
    [['a', '--formt', 'json'], {}, "unknown option '--formt'; did you mean --format?"],
    [['a', '-z'], {}, "unknown option '-z'"],
    [['a', '--format', 'xml'], {}, 'Allowed choices are human, json'],
    [['a', '--format'], {}, "option '--format <name>' argument missing"],
    [['a', '--limit', '99'], {}, 'Expected a whole number from -9 to 9'],
    [['a', '--limit', '0x5'], {}, 'Expected a whole number'],
    [['a', '--out', '--json'], {}, '--out needs a value, and --json is a flag'],
    [['a', '--out', '--format=json'], {}, '--out needs a value, and --format=json is a flag'],
    [['a', '--out', '--'], {}, '--out needs a value, and -- is a flag'],
    [['a'], { TRY_FORMAT: 'xml' }, 'TRY_FORMAT is not valid for --format'],
    [['a'], { TRY_LIMIT: 'many' }, 'TRY_LIMIT is not valid for --limit: Expected a whole number'],
  ] as const)('%j with %j is wrong use', (tokens, env, message) => {
    const caught = failureOf(() => read(tokens, env));
    expect(caught.exitCode).toBe(2);
    expect(caught.message).toContain(message);
    expect(caught.message).not.toContain('\n');
    expect(caught.hint).toBe('aip try --help');
  });
  test('an argument too many is wrong use', () => {
    const bare: CommandSpec = { ...SPEC, args: [] };
    expect(failureOf(() => parse(bare, ['x'], {})).exitCode).toBe(2);
  });
});

describe('values', () => {
  test('durations, instants and numbers', () => {
    expect(durationMs('90d')).toBe(7_776_000_000);
    expect(momentOf('now', 5)).toBe(5);
  });
  test.each(['', '5', '-5s', '5 s', '1e3s', 's'])('%j is no duration', (text) => {
    expect(() => durationMs(text)).toThrow('Expected a duration');
  });
  test.each(['', '1.5', '1e1', ' 1', '0x1', 'NaN', 'Infinity'])('%j is no whole number', (text) => {
    expect(() => integer(0, 100)(text)).toThrow('Expected a whole number');
  });
  test('pairs are text with =, JSON with :=', () => {
    const read = pairs(
      ['a=1', 'b:=1', 'c==x', 'd:={"e":[true]}', 'url=http://x/?q=1', '__proto__=p', 'empty='],
      parseJsonText,
    );
    expect('toString' in read).toBe(false);
    expect({ ...read, ['__proto__']: read['__proto__'] }).toEqual(
      Object.fromEntries([
        ['a', '1'],
        ['b', 1],
        ['c', '=x'],
        ['d', Object.assign(Object.create(null), { e: [true] })],
        ['url', 'http://x/?q=1'],
        ['__proto__', 'p'],
        ['empty', ''],
      ]),
    );
  });
  test.each([['novalue'], ['=x'], [':=1'], ['a=1', 'a=2'], ['a:={"b":1,"b":2}'], ['a:=nope'], ['a:='], ['a:=1 2']])(
    '%j is not a pair',
    (...texts) => {
      expect(() => pairs(texts, parseJsonText)).toThrow();
    },
  );
});

describe('errors', () => {
  const show = (error: unknown, look: { json?: boolean; debug?: boolean } = {}) => {
    const place = world();
    const code = reportError(error, place.io, { json: look.json ?? false, debug: look.debug ?? false, paint: plain });
    return { code, err: place.err() };
  };
  test('a failure: what, code, and the hint last', () => {
    const { code, err } = show(new Failure('KEYSTORE_LOCKED', 'the keychain is locked', { hint: 'unlock it' }));
    expect(code).toBe(4);
    expect(err).toBe('error: the keychain is locked [KEYSTORE_LOCKED]\nhint: unlock it\n');
  });
  test('as JSON with the documented members', () => {
    const { err } = show(new Failure('NETWORK', 'no answer', { retryable: true }), { json: true });
    expect(JSON.parse(err)).toEqual({
      code: 'NETWORK',
      message: 'no answer',
      hint: null,
      retryable: true,
      exit_code: 5,
    });
  });
  test('wrong use with --json is JSON too', async () => {
    const { code, out, err } = await world().run('config', 'list', '--nope', '--json');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(JSON.parse(err)).toMatchObject({ code: 'USAGE', retryable: false, exit_code: 2 });
  });
  test('a bug says so in one line, and shows its stack only with --debug', () => {
    const bug = new TypeError('x is not a function');
    expect(show(bug)).toEqual({
      code: 1,
      err: expect.stringMatching(/^error: this is a bug in aip \(TypeError: x is not a function\).*\n$/),
    });
    expect(show(bug, { debug: true }).err).toContain('shell.test.ts');
    expect(JSON.parse(show(bug, { json: true }).err)).toMatchObject({ code: 'BUG', exit_code: 1 });
  });
  test('an unexpected error cannot print a key', () => {
    const { err } = show(new Error(`cannot parse ed25519:${'ab'.repeat(32)}`));
    expect(err).not.toContain('abab');
  });
  test.each([
    ['ENOENT', 3],
    ['EACCES', 3],
    ['ECONNREFUSED', 5],
    ['EEXIST', 2],
  ])('a system error nobody translated (%s) is not a bug', (errno, exit) => {
    const error = Object.assign(new Error(`${errno}: open 'p'`), { code: errno, syscall: 'open', path: 'p\u001b[31m' });
    const { code, err } = show(error);
    expect(code).toBe(exit);
    expect(err).toMatch(/^error: open p: /);
  });
  test('escape sequences in a message never reach the terminal', () => {
    expect(show(new Failure('NOT_FOUND', 'no \u001b]0;x\u0007file\nhint: run evil')).err).toBe(
      'error: no file hint: run evil [NOT_FOUND]\n',
    );
  });
});

describe('the streams', () => {
  const cliOf = (place = world(), globals: Partial<Globals> = {}) => {
    const life: CommandLifetime = { interrupt: [], afterwards: [], output: { closed: false } };
    return { cli: shellCli(place.io, { ...GLOBALS, ...globals }, { out: plain, err: plain }, life), life, place };
  };
  test('the answer is on stdout, remarks on stderr', () => {
    const { cli, place } = cliOf();
    cli.out('answer');
    cli.note('remark');
    cli.detail('more');
    cli.warn('careful\u202e', 'W1');
    expect(place.out()).toBe('answer\n');
    expect(place.err()).toBe('remark\nwarning: careful [W1]\n');
  });
  test('--quiet silences remarks and keeps warnings', () => {
    const { cli, place } = cliOf(world(), { quiet: true });
    cli.note('remark');
    cli.warn('careful');
    expect(place.err()).toBe('warning: careful\n');
  });
  test('with --json a warning is JSON', () => {
    const { cli, place } = cliOf(world(), { json: true });
    cli.warn('careful', 'W1');
    expect(JSON.parse(place.err())).toEqual({ warning: 'careful', code: 'W1' });
  });
  test('JSON is one line for a pipe and indented for a person', () => {
    const pipe = cliOf();
    pipe.cli.json({ a: [1] });
    expect(pipe.place.out()).toBe('{"a":[1]}\n');
    const terminal = cliOf(world({ tty: true }));
    terminal.cli.json({ a: 1 });
    expect(terminal.place.out()).toBe('{\n  "a": 1\n}\n');
  });
  test('once nobody reads, nothing more is written', () => {
    const { cli, life, place } = cliOf();
    life.output.closed = true;
    expect(() => cli.out('x')).toThrow('stdout is closed');
    expect(place.out()).toBe('');
  });
});

describe('ending early', () => {
  const brokenOut = (code: string): { io: ReturnType<typeof world>['io']; err: () => string } => {
    const place = world();
    const stdout = Object.assign(
      new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) }),
      { isTTY: false },
    );
    return { io: { ...place.io, stdout }, err: place.err };
  };
  test('a reader that went away is no error', async () => {
    const { io, err } = brokenOut('EPIPE');
    expect(await run(['help'], io)).toBe(0);
    expect(err()).toBe('');
  });
  test('a disk that is full is one: a lost answer is not a yes', async () => {
    const { io, err } = brokenOut('ENOSPC');
    const code = await run(['help'], io);
    expect(code).not.toBe(0);
    expect(err()).toContain('error:');
  });
  test.each([130, 143] as const)('a signal ends with %i', async (code) => {
    const place = world();
    place.interrupt(code);
    expect(await run(['config', 'list'], place.io)).toBe(code);
  });
  test('many command lines of one program leave no listeners behind', async () => {
    let watching = 0;
    class Counted extends Interruption {
      override watch(watcher: (reason: Interrupted) => void): () => void {
        watching += 1;
        const unwatch = super.watch(watcher);
        return () => {
          watching -= 1;
          unwatch();
        };
      }
    }
    const io = { ...world().io, interruption: new Counted() };
    const listeners = () => [watching, io.stdout.listenerCount('error'), io.stderr.listenerCount('error')];
    await run(['help'], io);
    const after = listeners();
    for (let i = 0; i < 3; i++) await run(['help'], io);
    expect([after[0], listeners()]).toEqual([0, after]);
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
