import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { AGENT, guarded, served } from '../../kit/guard.js';

// A first `go run` compiles the standard library, which takes minutes on a busy machine.
const example = (file: string): string => fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));

/** Program, arguments before the amount, given the socket, the URL and the token. */
const EXAMPLES: readonly (readonly [
  string,
  string,
  (at: { socket: string; url: string; token: string }) => string[],
])[] = [
  ['python3', 'guard.py', ({ socket }) => [example('guard.py'), socket, AGENT]],
  ['curl', 'guard.sh', ({ socket }) => [example('guard.sh'), socket, AGENT]],
  ['go', 'guard.go', ({ socket }) => ['run', example('guard.go'), socket, AGENT]],
  ['java', 'Guard.java', ({ url, token }) => [example('Guard.java'), url, token, AGENT]],
];

test.for(EXAMPLES)(
  'the example for %s refunds 50 and not 10,000',
  { timeout: 400_000 },
  async ([tool, file, argv], context) => {
    expect(readFileSync(example(file), 'utf8').trim().split('\n').length).toBeLessThanOrEqual(16);
    if (spawnSync(tool, [tool === 'go' ? 'version' : '--version']).error !== undefined)
      context.skip(`there is no ${tool} here`);
    const place = await guarded();
    const token = join(place.folder, 'token');
    const socket = join(place.home, 'serve', 'aip.sock');
    const { url } = await served(
      place,
      '--as',
      'coder',
      '--socket',
      socket,
      '--listen',
      '127.0.0.1:0',
      '--token-file',
      token,
    );
    const program = tool === 'curl' ? '/bin/sh' : tool;
    const at = { socket, url: url!, token: readFileSync(token, 'utf8').trim() };
    const run = (amount: string): Promise<{ code: number; out: string; err: string }> =>
      new Promise((resolve) => {
        execFile(program, [...argv(at), amount], { encoding: 'utf8' }, (error, out, err) =>
          resolve({ code: error === null ? 0 : 1, out, err }),
        );
      });
    expect(await run('50')).toMatchObject({ code: 0, out: 'refunded\n' });
    const no = await run('10000');
    expect({ code: no.code, out: no.out }).toEqual({ code: 1, out: '' });
    expect(no.err).toContain('AIP-E202');
  },
);
