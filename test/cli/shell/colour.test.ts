import { describe, expect, test } from 'vitest';
import { paints, wantsColour } from '../../../src/cli/shell/colour.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import { world } from '../../kit/world.js';

describe('whether a stream gets colour', () => {
  test.each([
    // the terminal alone
    [{}, true, true, true],
    [{}, false, true, false],
    // --no-color wins over everything
    [{ FORCE_COLOR: '1' }, true, false, false],
    // NO_COLOR, unless it is empty
    [{ NO_COLOR: '1' }, true, true, false],
    [{ NO_COLOR: '0' }, true, true, false],
    [{ NO_COLOR: '' }, true, true, true],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, true, false],
    // FORCE_COLOR both ways
    [{ FORCE_COLOR: '1' }, false, true, true],
    [{ FORCE_COLOR: '' }, false, true, true],
    [{ FORCE_COLOR: '3' }, false, true, true],
    [{ FORCE_COLOR: '0' }, true, true, false],
    [{ FORCE_COLOR: 'false' }, true, true, false],
    [{ FORCE_COLOR: '1', TERM: 'dumb' }, false, true, true],
    // CLICOLOR
    [{ CLICOLOR_FORCE: '1' }, false, true, true],
    [{ CLICOLOR_FORCE: '0' }, false, true, false],
    [{ CLICOLOR: '0' }, true, true, false],
    [{ CLICOLOR: '1' }, false, true, false],
    [{ CLICOLOR: '1' }, true, true, true],
    // a terminal that cannot
    [{ TERM: 'dumb' }, true, true, false],
  ] as const)('%j, terminal %s, allowed %s: %s', (env, isTTY, allowed, expected) => {
    expect(wantsColour({ isTTY }, env, allowed)).toBe(expected);
  });

  test('each stream is judged by itself', async () => {
    const { out, err } = await paints(world({ tty: { stderr: true } }).io, true);
    expect(out).toBe(plain);
    expect(err.red('x')).toBe('\u001b[31mx\u001b[39m');
  });
  test('the level does not follow the real terminal of this process', async () => {
    const { out } = await paints(world({ env: { FORCE_COLOR: '3' } }).io, true);
    expect(out.green('x')).toBe('\u001b[32mx\u001b[39m');
  });
  test.each([
    [['help', '--no-color'], {}],
    [['help'], { NO_COLOR: '1' }],
    [['--no-color', 'nope'], {}],
  ])('%j with %j writes no escape', async (argv, env) => {
    const { out, err } = await world({ tty: true, env }).run(...argv);
    expect(out + err).not.toContain('\u001b');
    expect(out + err).not.toBe('');
  });
  test('a terminal gets colour in help and errors', async () => {
    expect((await world({ tty: true }).run('help')).out).toContain('\u001b[1mUsage');
    expect((await world({ tty: true }).run('nope')).err).toContain('\u001b[31merror:');
  });
});
