import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SCRIPTS, SHELLS } from '../../../src/cli/completion/scripts.js';
import { complete, type LocalValues } from '../../../src/cli/completion/complete.js';
import { commandsOf } from '../../../src/cli/help/pages.js';
import { SECTIONS } from '../../../src/cli/registry.js';
import { TOPICS } from '../../../src/cli/help/topics.js';
import { household, inFiles, PASSPHRASE } from '../../kit/native/household.js';
import { world } from '../../kit/world.js';
import { scratch } from '../../kit/scratch.js';

const VISIBLE = commandsOf(SECTIONS);
const local: LocalValues = async (source) =>
  source === 'agent'
    ? [
        { value: 'bot', why: 'did:web:acme.com:agents:bot' },
        { value: 'other', why: '' },
      ]
    : [];
const offered = async (...words: string[]) => {
  const { candidates, files } = await complete(VISIBLE, words, local, {} as never);
  return { values: candidates.map((one) => one.value), files };
};

describe('what could come next', () => {
  test.each([
    [['conf'], ['conformance', 'config']],
    [
      ['config', ''],
      ['list', 'trust'],
    ],
    [['config', 'l'], ['list']],
    [['--json', 'config', 't'], ['trust']],
    [['--config', 'some.json', 'config', 't'], ['trust']],
    [['config', 'list', '--s'], ['--sources']],
    [
      ['config', 'list', '--no-'],
      ['--no-color', '--no-input'],
    ],
    [['completion', ''], [...SHELLS]],
    [['completion', '--json', 'z'], ['zsh']],
    [['completion', 'bash', ''], []],
    // A command and a group by one name.
    [['hook', 'in'], ['install']],
    [
      ['hook', 'c'],
      ['claude', 'codex', 'cursor', 'copilot'],
    ],
    [
      ['hook', 'install', 'c'],
      ['claude', 'codex', 'cursor', 'copilot'],
    ],
    [
      ['hook', 'install', 'claude', '--scope', ''],
      ['user', 'project', 'managed'],
    ],
    [['hook', 'claude', ''], []],
    [
      ['help', 'mesh', 'key', ''],
      ['create', 'list', 'revoke'],
    ],
    [['help', 'constraints', ''], []],
    [['--j'], ['--json']],
    [['nope', ''], []],
    [['config', 'nope', ''], []],
    [['config', 'list', '--', '--s'], []],
    [['__comp'], []],
    [[], undefined],
  ] as const)('%j: %j', async (words, expected) => {
    const { values } = await offered(...words);
    if (expected === undefined) expect(values).toContain('config');
    else expect(values).toEqual(expected);
  });
  test('a group is told by its commands', async () => {
    const { candidates } = await complete(VISIBLE, ['conf'], local, {} as never);
    expect(candidates.find(({ value }) => value === 'config')?.why).toBe('list, trust');
  });
  test('choices of a flag, apart and after =', async () => {
    expect((await offered('passport', 'create', '--key-store', '')).values).toEqual(['keychain', 'file', 'env']);
    expect((await offered('passport', 'create', '--key-store', 'k')).values).toEqual(['keychain']);
    expect((await offered('passport', 'create', '--key-store=f')).values).toEqual(['--key-store=file']);
  });
  test('agents of this machine, and files where a file may be meant', async () => {
    expect(await offered('passport', 'show', 'b')).toEqual({ values: ['bot'], files: true });
    expect(await offered('passport', 'show', 'did:web:a')).toEqual({
      values: ['did:web:acme.com:agents:bot'],
      files: true,
    });
    expect((await offered('passport', 'show', 'did:web:b')).values).toEqual([]);
    expect(await offered('passport', 'lint', '')).toEqual({
      values: ['bot', 'other'],
      files: true,
    });
    expect(await offered('config', 'list', '--config', '')).toEqual({ values: [], files: true });
  });
});

describe('aip __complete', () => {
  test('offers the actions of the agent that a flag names, and of all where none is named', async () => {
    const place = world({ env: { AIP_KEY_PASSPHRASE: 'correct horse battery' } });
    const create = async (name: string, ...actions: string[]) =>
      place.run(
        ...['passport', 'create', name, '--domain', 'acme.com', '--home', 'h', '--key-store', 'file'],
        ...actions.flatMap((action) => ['--action', action]),
      );
    for (const made of [await create('bot', 'read_file', 'shell'), await create('other', 'send_email')])
      expect(made).toMatchObject({ code: 0 });
    const offers = async (...words: string[]) => {
      const { out } = await place.run('__complete', '--home', 'h', '--', ...words);
      return out.split('\n').flatMap((line) => line.split('\t')[0] || []);
    };
    for (const agent of ['bot', 'bot@acme.com', 'did:web:acme.com:agents:bot', 'bot.passport.json'])
      expect(await offers('intent', 'sign', '-p', agent, '-a', '')).toEqual(['read_file', 'shell']);
    expect(await offers('exec', '--passport=other', '--action=')).toEqual(['--action=send_email']);
    expect(await offers('logs', 'tail', '--agent', 'bot', '--action', 's')).toEqual(['shell']);
    expect(await offers('intent', 'sign', '-a', 's')).toEqual(['shell', 'send_email']);
    expect(await offers('intent', 'sign', '-p', 'nobody', '-a', '')).toEqual([]);
  });

  test('offers principals where one may be named, and the requests that wait for a person', async () => {
    const machine = household({ env: { AIP_KEY_PASSPHRASE: PASSPHRASE } });
    const rule = ['--constraint', 'require_approval:=true'];
    const create = ['passport', 'create', 'bot', '--domain', 'acme.com', '-a', 'deploy', ...rule];
    expect((await machine.run(...create, ...inFiles(machine))).code).toBe(0);
    const file = machine.at('i.json');
    await machine.run('intent', 'sign', '-p', 'bot', '-a', 'deploy', '-e', machine.at('.env'), '-o', file);
    expect((await machine.run('intent', 'verify', file)).code).toBe(14);
    const offers = async (...words: string[]) => (await machine.run('__complete', '--', ...words)).out;
    for (const command of ['revoke', 'status', 'key show'])
      expect(await offers(...command.split(' '), 'did:')).toContain('did:web:acme.com\tpinned\n');
    const { out } = await machine.run('approvals', 'list', '--json');
    const [{ request_id: id }] = JSON.parse(out) as [{ request_id: string }];
    for (const words of ['approvals show', 'approvals approve', 'approvals deny', 'approve'])
      expect(await offers(...words.split(' '), '')).toBe(`${id}\tasked by did:web:acme.com:agents:bot\n:file\n`);
    expect(await offers('intent', 'sign', '--approval-request', '')).toContain(`${id}\t`);
  });

  test('offers what parts a command of another program from flags, and files behind it', async () => {
    const offers = async (...words: string[]) => (await world().run('__complete', '--', ...words)).out;
    for (const words of [
      ['exec', '-p', 'bot', '-a', 'deploy'],
      ['mcp', 'guard', '-p', 'bot'],
      ['mcp', 'init'],
    ]) {
      expect(await offers(...words, '')).toMatch(/^--\t/);
      expect(await offers(...words, '--', '')).toBe(':file\n');
      expect(await offers(...words, '--', 'node', './se')).toBe(':file\n');
    }
  });

  test('prints a value and why, a line each', async () => {
    const { code, out } = await world().run('__complete', '--', 'config', '');
    expect(code).toBe(0);
    expect(out).toBe(
      "list\tShow every config key, its value, and where it came from\ntrust\tLet this folder's config file count, as it is now\n",
    );
  });
  test('--new-word stands for an empty last word', async () => {
    const { out } = await world().run('__complete', '--new-word', '--', 'help');
    expect(out).toContain(`${TOPICS[0]!.name}\t`);
  });
  test('a machine without state offers nothing, and none is made by asking', async () => {
    const place = world();
    const { code, out } = await place.run('__complete', '--home', 'h', '--', 'passport', 'show', '');
    expect({ code, out }).toEqual({ code: 0, out: ':file\n' });
  });
  test('never fails: a person is typing', async () => {
    const place = world();
    place.file('h/state.db', 'not a database at all');
    const { code, out, err } = await place.run('__complete', '--home', 'h', '--', 'passport', 'show', '');
    expect({ code, out, err }).toEqual({ code: 0, out: '', err: '' });
  });
});

describe('the scripts', () => {
  test.each(SHELLS)('%s asks aip __complete', async (shell) => {
    const { code, out } = await world().run('completion', shell);
    expect(code).toBe(0);
    expect(out).toBe(SCRIPTS[shell]);
    expect(out).toContain('aip __complete');
    // A script, which npm's aip is there, gets no bare one.
    if (shell === 'powershell') expect(out).not.toMatch(/ -- /);
  });
  test('with --json the script is a member', async () => {
    const { code, out } = await world().run('completion', 'bash', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ shell: 'bash', script: expect.stringContaining('aip __complete') as string });
  });
  test.each([['csh'], [''], []])('completion %s is wrong use', async (...argv) => {
    expect((await world().run('completion', ...argv)).code).toBe(2);
  });

  /** A shell that is not here; with AIP_TEST_SHELLS=1 that is an error. */
  const absent = (shell: string): boolean => {
    if (spawnSync(shell, ['-c', 'exit 0']).status === 0) return false;
    if (process.env['AIP_TEST_SHELLS'] === '1') throw new Error(`AIP_TEST_SHELLS=1, but ${shell} is not installed`);
    console.warn(`completion for ${shell} not tried: ${shell} is not installed`);
    return true;
  };

  const shells = { bash: 'bash -n', zsh: 'zsh -n', fish: 'fish -n' } as const;
  for (const [shell, check] of Object.entries(shells)) {
    const skip = absent(shell);
    test.skipIf(skip)(`${shell} can read its script${skip ? ` (skipped: ${shell} is not installed)` : ''}`, () => {
      const [program, flag] = check.split(' ') as [string, string];
      expect(
        spawnSync(program, [flag, script(SCRIPTS[shell as keyof typeof shells])], { encoding: 'utf8' }).stderr,
      ).toBe('');
    });
  }

  const noBash = absent('bash');
  describe.skipIf(noBash)(`in bash${noBash ? ' (skipped: bash is not installed)' : ''}`, () => {
    /** Types `line` and presses Tab, with `answer` as the answer of aip. */
    const tab = (line: string, answer: string) => {
      const program = `
        asked=$(mktemp)
        aip() { printf '[%s]' "$@" >"$asked"; printf '%s' '${answer}'; }
        source ${script(SCRIPTS.bash)}
        COMP_LINE='${line}' COMP_POINT=${line.length} _aip
        printf '%s\\n' "$(cat "$asked")" "\${COMPREPLY[@]}"
        rm "$asked"`;
      const { stdout, stderr } = spawnSync('bash', ['-c', program], { encoding: 'utf8' });
      expect(stderr).toBe('');
      const [asked, ...replies] = stdout.trimEnd().split('\n');
      return { asked, replies };
    };
    test('the words so far, an empty one after a space', () => {
      expect(tab('aip config ', 'list\tList\ntrust\tTrust\n')).toEqual({
        asked: '[__complete][--][config][]',
        replies: ['list', 'trust'],
      });
      expect(tab('aip conf', 'config\n').asked).toBe('[__complete][--][conf]');
    });
    test('DIDs and --flag=value, which bash splits itself', () => {
      expect(tab('aip passport show did:web:ac', 'did:web:acme.com\n').replies).toEqual(['acme.com']);
      expect(tab('aip passport create --key-store=f', '--key-store=file\n').replies).toEqual(['file']);
    });
    test(':file is not a candidate', () => {
      expect(tab('aip passport lint ', ':file\n').replies).toEqual([]);
    });
  });

  const noFish = absent('fish');
  describe.skipIf(noFish)(`in fish${noFish ? ' (skipped: fish is not installed)' : ''}`, () => {
    /** What aip was asked, and what fish offers after `line`, where `answer` is the answer of aip. */
    const tab = (line: string, answer: string, inHome?: string) => {
      const asked = script('');
      const program = `
        function aip; printf '[%s]' $argv > ${asked}; printf '%s' '${answer}'; end
        source ${script(SCRIPTS.fish)}
        complete -C '${line}'`;
      const home = scratch();
      if (inHome !== undefined) writeFileSync(join(home, inHome), '');
      const env = { PATH: process.env['PATH'], HOME: home };
      const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', program], { encoding: 'utf8', env });
      expect(stderr).toBe('');
      return { asked: readFileSync(asked, 'utf8'), offered: stdout.trimEnd().split('\n') };
    };
    test('the words so far, an empty one after a space', () => {
      expect(tab('aip config ', 'list\tList\ntrust\tTrust\n')).toEqual({
        asked: '[__complete][--][config][]',
        offered: ['list\tList', 'trust\tTrust'],
      });
      expect(tab('aip conf', 'config\n')).toEqual({ asked: '[__complete][--][conf]', offered: ['config'] });
      expect(tab('aip ', 'config\n')).toEqual({ asked: '[__complete][--][]', offered: ['config'] });
    });
    test('DIDs and --flag=value', () => {
      expect(tab('aip passport show did:web:ac', 'did:web:acme.com\n').offered).toEqual(['did:web:acme.com']);
      expect(tab('aip passport create --key-store=f', '--key-store=file\n').offered).toEqual(['--key-store=file']);
    });
    test('files where aip says so', () => {
      const file = script('');
      expect(tab(`aip passport lint ${file.slice(0, -1)}`, ':file\n').offered).toEqual([file]);
      expect(tab(`aip intent verify --passport=${file.slice(0, -1)}`, ':file\n').offered).toEqual([
        `--passport=${file}`,
      ]);
    });
    test('files below the home that a tilde names', () => {
      expect(tab('aip passport lint ~/bot', ':file\n', 'bot.passport.json').offered).toEqual(['~/bot.passport.json']);
    });
  });

  const noZsh = absent('zsh');
  describe.skipIf(noZsh)(`in zsh${noZsh ? ' (skipped: zsh is not installed)' : ''}`, () => {
    /** What aip was asked, and what is handed to zsh for the words of a line, where `answer` is the answer of aip. */
    const tab = (words: readonly string[], answer: string) => {
      const asked = script('');
      const program = `
        compdef() { :; }; _describe() { print -rl -- $values; }; _files() { print files; }
        compset() { [[ $1 = -P && $words[CURRENT] = $~2* ]] && print set apart: $2 }
        aip() { printf '[%s]' "$@" > ${asked}; printf '%s' '${answer}'; }
        source ${script(SCRIPTS.zsh)}
        words=(aip ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length + 1}
        _aip`;
      const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', program], { encoding: 'utf8' });
      expect(stderr).toBe('');
      return { asked: readFileSync(asked, 'utf8'), handed: stdout.trimEnd().split('\n') };
    };
    test('the words so far, an empty one after a space', () => {
      expect(tab(['config', ''], 'list\tList\ntrust\tTrust\n')).toEqual({
        asked: '[__complete][--][config][]',
        handed: ['list:List', 'trust:Trust'],
      });
    });
    test('DIDs, whose colons end no value', () => {
      expect(tab(['passport', 'show', 'did'], 'did:web:acme.com\tbot\n').handed).toEqual(['did\\:web\\:acme.com:bot']);
    });
    test('files where aip says so', () => {
      expect(tab(['passport', 'lint', ''], ':file\n').handed).toEqual(['files']);
      const behindFlag = tab(['intent', 'verify', '--passport=b'], '--passport=bot\tb\n:file\n').handed;
      expect(behindFlag).toEqual(['--passport=bot:b', 'set apart: --*=', 'files']);
    });
  });
});

function script(text: string): string {
  const folder = scratch();
  const path = join(folder, 'script');
  writeFileSync(path, text);
  return path;
}
