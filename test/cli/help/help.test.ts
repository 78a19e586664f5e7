import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { COMMANDS, HIDDEN } from '../../../src/cli/registry.js';
import { KEY_NAMES } from '../../../src/cli/config/keys.js';
import { flagOf } from '../../../src/cli/input/flags.js';
import { parse } from '../../../src/cli/shell/parse.js';
import { route } from '../../../src/cli/shell/route.js';
import { GLOBAL_OPTIONS } from '../../../src/cli/spec.js';
import { TOPICS } from '../../../src/cli/help/topics.js';
import { world } from '../../kit/world.js';

const SHOWN = COMMANDS.filter((command) => !HIDDEN.includes(command));
const NAMES = SHOWN.map((command) => command.path.join(' '));
const commandOf = async (name: string) => {
  const listing = COMMANDS.find((one) => one.path.join(' ') === name)!;
  return { listing, command: (await listing.load()).command };
};

/** These say that somebody was not reached, and go on. */
const OUTLIVES_THE_NETWORK = ['approvals watch', 'demo', 'doctor', 'mesh follow', 'mesh leave', 'monitor'];

describe('bare aip', () => {
  test('shows how to start, in at most six lines of commands that exist', async () => {
    const { code, out, err } = await world().run();
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = out.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(6);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    for (const line of lines.slice(1)) {
      const words = / {2,}aip (.+)$/.exec(line)![1]!.replace(/ >.*$/, '').split(' ');
      expect(route(words).kind).toBe('command');
    }
  });
  test('--help is the overview, as is aip help', async () => {
    const { out } = await world().run('--help');
    for (const name of [...NAMES, ...TOPICS.map((topic) => topic.name)]) expect(out).toContain(`  ${name} `);
    expect(out).not.toContain('__complete');
    expect((await world().run('help')).out).toBe(out);
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });
});

describe.each(NAMES)('aip %s', (name) => {
  test('is listed as it declares itself', async () => {
    const { listing, command } = await commandOf(name);
    expect({ path: command.path, summary: command.summary }).toEqual({ path: listing.path, summary: listing.summary });
    expect(command.summary).toMatch(/^[A-Z][^.]*$/);
  });
  test('--help and aip help agree, go to stdout, and name every flag, value and exit code', async () => {
    const { command } = await commandOf(name);
    const { code, out, err } = await world().run(...command.path, '--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect((await world().run('help', ...command.path)).out).toBe(out);
    for (const option of (command.options ?? []).flatMap((group) => group.options)) {
      if (option.hidden === true) continue;
      expect(out).toContain(flagOf(option).long);
      for (const choice of option.choices ?? []) expect(out.replace(/\s+/g, ' ')).toContain(choice);
    }
    for (const exit of Object.keys(command.exits ?? {})) expect(out).toMatch(new RegExp(`^  ${exit} `, 'm'));
    expect(out).toContain('Touches  ');
    // Examples first, then flags.
    expect(out.indexOf('\nExamples\n')).toBeLessThan(out.indexOf(`\n${GLOBAL_OPTIONS.title}\n`));
  });
  test('lists the exit codes of what it touches and takes', async () => {
    const { exits = {}, touches, args = [] } = (await commandOf(name)).command;
    if (name === 'hook') return expect(exits).toEqual({ 2: expect.any(String) as string });
    if (touches.includes('keychain')) expect(exits).toHaveProperty('4');
    if (touches.includes('network') && !OUTLIVES_THE_NETWORK.includes(name)) expect(exits).toHaveProperty('5');
    if (
      args.some(({ values }) => values === 'file' || values === 'agent' || values === 'subject' || values === 'request')
    )
      expect(exits).toHaveProperty('3');
  });
  test('fits a screen', async () => {
    const { out } = await world({ tty: true, columns: 100 }).run('help', ...name.split(' '));
    expect(out.split('\n').length).toBeLessThanOrEqual(72);
  });
  test.each([
    ['a pipe', undefined, 80],
    ['a terminal of 80 columns', { tty: true, columns: 80 }, 80],
    ['a terminal without a size', { tty: true, columns: 0 }, 80],
    ['a wide terminal', { tty: true, columns: 300 }, 100],
  ] as const)('fits %s', async (_where, io, width) => {
    const { out } = await world(io).run(...name.split(' '), '--help', '--no-color');
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(width);
    expect(out).not.toContain('[object');
    // One default a flag, and said once.
    for (const flag of out.split(/\n +(?=-)/))
      expect(flag.match(/[([;,] ?default/g)?.length ?? 0, flag).toBeLessThan(2);
  });
  test('shows examples that stay one command when a narrow page breaks them', async () => {
    const { command } = await commandOf(name);
    const { out } = await world({ tty: true, columns: 44 }).run(...name.split(' '), '--help', '--no-color');
    const pasted = out.replace(/ \\\n +/g, ' ');
    for (const { run } of command.examples) expect(pasted).toContain(`\n  ${run}\n`);
  });
  test('has examples that parse', async () => {
    const { command } = await commandOf(name);
    expect(command.examples.length).toBeGreaterThan(0);
    for (const { run } of command.examples) {
      const start = run.indexOf(`aip ${name}`);
      expect(start, `${run} shows aip ${name}`).toBeGreaterThanOrEqual(0);
      // Up to the end of this command: a pipe, a redirection, another command, the end of a substitution.
      const [mine] = run.slice(start + 'aip '.length).split(/ [|<>;]| && |\)/);
      const words = shellWords(mine!);
      const found = route(words);
      if (found.kind !== 'command') throw new Error(`${run} is no command`);
      expect(() => parse(command, found.rest, {}), run).not.toThrow();
    }
  });
  test('refers to topics that exist', async () => {
    const { command } = await commandOf(name);
    for (const topic of command.topics ?? []) expect(TOPICS.map((one) => one.name)).toContain(topic);
  });
  test('declares flags that commander, completion and people can tell apart', async () => {
    const { command } = await commandOf(name);
    const options = [...(command.options ?? []), GLOBAL_OPTIONS].flatMap((group) => group.options);
    const names = options.flatMap((option) => flagOf(option).names);
    expect(new Set(names).size).toBe(names.length);
    for (const option of options) {
      expect(option.flags).not.toContain('...');
      expect(option.flags).toMatch(/^(-[a-zA-Z], )?--[a-z0-9][a-z0-9-]*( <[^>]+>)?$/);
    }
    const args = command.args ?? [];
    for (const arg of args.slice(0, -1)) expect(arg.variadic).not.toBe(true);
    const required = args.map((arg) => arg.required !== false);
    expect(required).toEqual([...required].sort((a, b) => Number(b) - Number(a)));
  });
});

describe('topics', () => {
  test.each([
    [['CI'], 'ci'],
    [['JSON'], 'json'],
    [['exit codes'], 'exit-codes'],
    [['Red', 'Team'], 'red-team'],
  ])('%j is %s', async (words, name) => {
    expect((await world().run('help', ...words)).out).toBe((await world().run('help', name)).out);
  });

  test('are all listed by help topics', async () => {
    const { code, out } = await world().run('help', 'topics');
    expect(code).toBe(0);
    for (const { name } of TOPICS) expect(out).toContain(`  ${name.padEnd(12)}  `);
  });

  test.each(TOPICS.map((topic) => topic.name))('%s fits its columns and is reached by name', async (name) => {
    const { code, out } = await world().run('help', name);
    expect(code).toBe(0);
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(out).not.toMatch(/^#/m);
    expect(out).not.toContain('undefined');
  });
  test.each(TOPICS.map((topic) => topic.name))(
    '%s breaks no command that a shell would not join again',
    async (name) => {
      const commands = (text: string) => text.replace(/ \\\n +/g, ' ').match(/^ {2}([A-Z_]+=.* )?aip .*$/gm) ?? [];
      const narrow = commands((await world({ tty: true, columns: 64 }).run('help', name, '--no-color')).out);
      const wide = commands((await world({ tty: true, columns: 100 }).run('help', name, '--no-color')).out);
      const command = (line: string) => line.trim().split(/ {2,}/)[0];
      expect(narrow.map(command)).toEqual(wide.map(command));
    },
  );
  test('the columns of a table stand under each other where a row is too long for the page', async () => {
    const columns = async (topic: string, heads: RegExp) => {
      const { out } = await world({ tty: true, columns: 80 }).run('help', topic, '--no-color');
      return new Set([...out.matchAll(heads)].map((match) => match[1]!.length));
    };
    expect(await columns('verification', /^( {2}\d {2}\w+ +E\d.*? {2,})\S/gm)).toEqual(new Set([43]));
    expect(await columns('constraints', /^( {2}\S.*? {2,}E\d{3} +)\S/gm)).toEqual(new Set([33]));
  });
  test('prose follows a narrow terminal', async () => {
    const { out } = await world({ tty: true, columns: 60 }).run('help', 'security', '--no-color');
    for (const line of out.split('\n').filter((one) => !one.startsWith(' ')))
      expect(line.length).toBeLessThanOrEqual(60);
    expect(out).not.toBe((await world().run('help', 'security')).out);
  });
  test.each(TOPICS.map((topic) => topic.name))('%s shows commands that exist', async (name) => {
    const { out } = await world().run('help', name);
    for (const match of out.matchAll(/(?<![\\/])\baip ([a-z][a-z-]*(?: [a-z][a-z-]*){0,2})/g)) {
      const words = match[1]!.split(' ');
      const known = COMMANDS.some(
        (one) => one.path.length <= words.length && one.path.every((word, i) => word === words[i]),
      );
      const group = COMMANDS.some((one) => one.path.length > 1 && one.path[0] === words[0]);
      expect(known || (group && words.length === 1), `aip ${match[1]} in the topic ${name}`).toBe(true);
    }
  });
  test('config names every key', async () => {
    const { out } = await world().run('help', 'config');
    for (const name of KEY_NAMES) expect(out).toContain(name);
  });
  test('verification names the nine steps of the protocol in order', async () => {
    const { out } = await world().run('help', 'verification');
    const steps = [...out.matchAll(/^ {2}\d {2}(\w+)/gm)].map((match) => match[1]);
    expect(steps).toEqual([
      'passport',
      'signature',
      'nonce',
      'timestamp',
      'action',
      'constraints',
      'hooks',
      'revocation',
      'trust',
    ]);
  });
  test('aip help constraints has a row for every form of the grammar', async () => {
    const { out } = await world().run('help', 'constraints');
    const rows = [...out.matchAll(/^ {2}(\S.*?) {2,}E2\d\d/gm)].flatMap(([, forms]) => forms!.split(', '));
    const shown = rows.map((form) => new RegExp(`^${form.replaceAll(/<\w+>/g, '\\w+')}$`));
    const vectors = JSON.parse(
      readFileSync(new URL('../../vectors/constraints-grammar.json', import.meta.url), 'utf8'),
    ) as readonly { readonly name: string; readonly constraints: object }[];
    const every = Object.keys(vectors.find(({ name }) => name === 'every form')!.constraints);
    expect(every.filter((name) => !shown.some((form) => form.test(name)))).toEqual([]);
    expect(rows.length).toBeGreaterThan(12);
  });
  test.each([
    [['help', 'constrants'], 'did you mean constraints?'],
    [['help', 'confg', 'list'], 'did you mean config list?'],
    [['help', 'zzzz'], 'no help for "zzzz"'],
    [['help', '\u001b[31mred'], 'no help for "red"'],
  ])('%j is wrong use', async (argv, message) => {
    const { code, out, err } = await world().run(...argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });
  test('help of a group lists its commands', async () => {
    expect((await world().run('help', 'config')).out).toContain('Config');
    expect((await world().run('help', 'passport')).out).toContain('passport create');
  });
});

test('a flag that several commands have says what it does in each', async () => {
  const { run } = world();
  expect((await run('mesh', 'log', 'drop', '--help')).out).not.toContain('find the agent stopped');
  // Without it the key of this verifier signs, whatever the config says.
  expect((await run('logs', 'checkpoint', '--help')).out).not.toContain('the one of config');
});

test('what hints and messages name are commands that exist', () => {
  const root = fileURLToPath(new URL('../../../src/', import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  const strange = files.flatMap((path) =>
    commandLines(readFileSync(join(root, path), 'utf8')).flatMap((words) =>
      exists(words) ? [] : [`${path}: ${words.join(' ')}`],
    ),
  );
  expect(files.length).toBeGreaterThan(300);
  expect(strange).toEqual([]);
  const wrong = commandLines("x({ hint: 'set it, or: aip config set hook.passport <agent>' });\n// aip config get\n");
  expect(wrong).toEqual([['config', 'set', 'hook']]);
  expect(exists(wrong[0]!)).toBe(false);
});

/** The words behind `aip` in source text, without comments and what is plainly a sentence about the program. */
function commandLines(source: string): string[][] {
  const lines = source.split('\n').filter((line) => !/^\s*(?:\/?\*|\/\/)/.test(line));
  return lines.flatMap((line) =>
    [
      ...line.matchAll(
        /(?<=^ *|['"`:;,(|] ?|\b(?:or|and|with|by|run|of) )aip ((?:[a-z][a-z0-9-]*)(?: [a-z][a-z0-9-]*){0,2})/g,
      ),
    ]
      .map(([, words]) => words!.split(' '))
      .filter(([first]) => !PROSE.has(first!)),
  );
}

const PROSE = new Set(['aip-cli', 'and', 'gives', 'has', 'on', 'values', 'verification']);

/** Whether the words begin with those of a command, or are those of a group and no more. */
function exists(words: readonly string[]): boolean {
  const of = (path: readonly string[]) => path.every((word, i) => word === words[i]);
  return COMMANDS.some(({ path }) => of(path) || (words.length === 1 && path[0] === words[0]));
}

/** Splits as a shell would: quotes group, a backslash joins lines. */
function shellWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|((?:[^\s"'\\]|\\.)+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3]!,
  );
}
