/** Manners at a terminal: what was meant is suggested, and what is said fits. */
import { describe, expect, test } from 'vitest';
import { wrapped } from '../../../src/cli/render/terminal/text.js';
import { world } from '../../kit/world.js';

test.each([
  ['verify', 'aip intent verify', 'aip intent verify --help'],
  ['sign', 'aip intent sign', 'aip intent sign --help'],
  ['inspect', 'aip intent inspect', 'aip intent inspect --help'],
  ['lint', 'aip passport lint', 'aip passport lint --help'],
  ['rotate', 'aip passport rotate', 'aip passport rotate --help'],
  ['tail', 'aip logs tail', 'aip logs tail --help'],
  ['list', 'aip passport list', 'aip passport list --help'],
  ['version', 'aip --version', 'aip --version'],
])('aip %s means %s', async (word, meant, hint) => {
  const { code, err } = await world().run(word, 'intent.json');
  expect(code).toBe(2);
  expect(err).toContain(`did you mean ${meant}?`);
  expect(err).toContain(`hint: ${hint}\n`);
});

describe('a terminal of 40 columns', () => {
  const at = () => world({ tty: true, columns: 40 });
  test('gets errors that fit, and a hint that can be pasted', async () => {
    const { err } = await at().run('logs', 'tail', '--file', 'a-file-that-is-not-here.jsonl');
    const lines = err
      .trimEnd()
      .replace(/\u001b\[[0-9;]*m/g, '')
      .split('\n');
    const message = lines.slice(
      0,
      lines.findIndex((line) => line.startsWith('hint:')),
    );
    expect(message.length).toBeGreaterThan(1);
    for (const line of message) expect(line.length).toBeLessThanOrEqual(40);
    expect(lines.at(-1)).toBe('hint: name a file that exists, or - for stdin');
  });

  test('and a pipe gets one line', async () => {
    const { err } = await world().run('logs', 'tail', '--file', 'a-file-that-is-not-here.jsonl');
    expect(err.split('\n')).toHaveLength(3);
  });
});

test.each([
  ['short', 20, 'short'],
  ['one two three four', 10, 'one\n  two\n  three four'],
])('%j in %i columns', (text, columns, expected) => {
  const shown = wrapped(text, columns, 6);
  expect(shown.replace(/\s+/g, ' ')).toBe(expected.replace(/\s+/g, ' '));
  shown
    .split('\n')
    .forEach((line, i) => expect(line.length + (i === 0 ? 6 : 0)).toBeLessThanOrEqual(Math.max(columns, 22)));
  expect(wrapped(text, null)).toBe(text);
});
