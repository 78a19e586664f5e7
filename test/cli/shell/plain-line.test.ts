import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/registry.js';
import { parse } from '../../../src/cli/shell/parse.js';
import { plainLine } from '../../../src/cli/shell/plain-line.js';
import type { CommandSpec } from '../../../src/cli/spec.js';

const LINES = [
  [],
  ['a.json'],
  ['a', 'b'],
  ['a', 'b', 'c'],
  ['-'],
  ['-', '-'],
  [''],
  ['a b', 'help'],
  ['ü', '=x'],
  ['1', '0.5'],
];
const WORLDS: readonly Record<string, string>[] = [{}, { AIP_HOME: '/elsewhere', NO_COLOR: '1' }, { AIP_HOME: '' }];

/** What a parser makes of a line, or says of it. */
function made(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return { failed: String(error), hint: (error as { hint?: unknown }).hint };
  }
}

/** Environments in which each variable that stands in for a flag is set, well and badly. */
function worldsOf(spec: CommandSpec): readonly Record<string, string>[] {
  const names = (spec.options ?? []).flatMap(({ options }) => options.flatMap(({ env }) => env ?? []));
  return [...WORLDS, ...names.flatMap((name) => ['1', '0', 'x', ' '].map((value) => ({ [name]: value })))];
}

describe('a line without flags', () => {
  test('is for every command what the parser makes of it, or is left to the parser', async () => {
    let plain = 0;
    for (const { load } of COMMANDS) {
      const { command } = await load();
      for (const line of LINES) {
        for (const env of worldsOf(command)) {
          const ours = made(() => plainLine(command, line, env));
          if (ours === null) continue;
          plain += 1;
          expect(ours, `${command.path.join(' ')} ${JSON.stringify([line, env])}`).toEqual(
            made(() => parse(command, line, env)),
          );
        }
      }
    }
    expect(plain).toBeGreaterThan(COMMANDS.length * WORLDS.length);
  });

  test('is what most verifications are', async () => {
    const { command } = await COMMANDS.find(({ path }) => path.join(' ') === 'intent verify')!.load();
    expect(plainLine(command, ['intent.json'], {})?.input.args).toEqual(['intent.json']);
  });

  test.each([['--json'], ['-q'], ['--'], ['-x'], ['--passport=a'], ['-1'], ['--no-color']])(
    'with %s is left to the parser, wherever it stands',
    async (flag) => {
      for (const { load } of COMMANDS) {
        const { command } = await load();
        expect(plainLine(command, [flag, 'a'], {})).toBeNull();
        expect(plainLine(command, ['a', flag], {})).toBeNull();
      }
    },
  );
});
