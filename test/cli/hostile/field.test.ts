/** Situations met in the field, as data: what lies in the way of a search, odd environments, and words that people type. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { household } from '../../kit/native/household.js';

interface Thing {
  readonly path: string;
  readonly text?: string;
  readonly link?: string;
  readonly folder?: boolean;
}
interface Odd {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly code?: number;
  readonly says?: string;
  readonly noFile?: string;
}
const VECTORS = JSON.parse(readFileSync(new URL('../../vectors/field.json', import.meta.url), 'utf8')) as {
  readonly inTheWay: readonly { readonly name: string; readonly make: readonly Thing[]; readonly warns: boolean }[];
  readonly environment: readonly Odd[];
  readonly manners: readonly { readonly argv: readonly string[]; readonly says: string }[];
};

function make(folder: string, { path, text, link, folder: isFolder }: Thing): void {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true });
  if (isFolder === true) mkdirSync(full);
  else if (link !== undefined) symlinkSync(link, full);
  else writeFileSync(full, text ?? '');
}

describe.each(VECTORS.inTheWay)('in the way of a search for config: $name', ({ make: things, warns }) => {
  const agent = 'did:web:acme.com:agents:bot';
  const commands: readonly (readonly [readonly string[], readonly number[]])[] = [
    [['revoke', agent, '--reason', 'x', '--yes', '--unseen'], [0]],
    [['suspend', agent, '--for', '30m', '--reason', 'x', '--unseen'], [0]],
    [['status', agent], [0]],
    [['intent', 'verify', 'i.json'], [10]],
    [['exec', '-p', 'nobody', '-a', 'x', '--', 'true'], [3]],
    [['health'], [0]],
    [['config', 'list'], [0]],
  ];
  test('no command fails for it, and each says it once or not at all', async () => {
    const machine = household();
    for (const thing of things) make(machine.cwd, thing);
    writeFileSync(machine.at('i.json'), '{}');
    for (const [argv, codes] of commands) {
      const { code, err } = await machine.run(...argv.map((word) => (word === 'i.json' ? machine.at(word) : word)));
      expect([argv.join(' '), codes.includes(code)], err).toEqual([argv.join(' '), true]);
      const warnings = (err.match(/\[config_/g) ?? []).length;
      // What fails before it asks for the config has nothing to warn of.
      const asked = argv[0] !== 'exec' && warns;
      expect([argv.join(' '), warnings], err).toEqual([argv.join(' '), asked ? 1 : 0]);
    }
  });
});

test.each(VECTORS.environment)('an environment with $name', async ({ env, argv, code, says, noFile }) => {
  const machine = household({ env });
  const done = await machine.run(...argv);
  if (code !== undefined) expect(done.code, done.err).toBe(code);
  if (says !== undefined) expect(done.out + done.err).toContain(says);
  expect(done.out + done.err).not.toContain('hunter2');
  if (noFile !== undefined) expect(existsSync(machine.at(noFile))).toBe(false);
});

test.each(VECTORS.manners)('aip $argv leads on to $says', async ({ argv, says }) => {
  const { code, err } = await household().run(...argv);
  expect([code, err]).toEqual([2, expect.stringContaining(says)]);
});
