/** A world for `run(argv, io)`: streams that remember, a folder of its own, a clock that stands. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { Interrupted, Interruption } from '../../src/cli/shell/interruption.js';
import type { Io } from '../../src/cli/io.js';
import { run } from '../../src/cli/main.js';
import { scratch } from './scratch.js';

export interface World {
  readonly io: Io;
  readonly cwd: string;
  /** What was written so far. */
  readonly out: () => string;
  readonly err: () => string;
  readonly type: (text: string) => void;
  readonly interrupt: (code: 130 | 143) => void;
  file(path: string, text: string): string;
  run(...argv: string[]): Promise<{ code: number; out: string; err: string }>;
}

export interface WorldOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly tty?: boolean | { readonly stdin?: boolean; readonly stdout?: boolean; readonly stderr?: boolean };
  readonly columns?: number;
  /** Folder below the world's own; the home folder is the world's own. */
  readonly cwd?: string;
  readonly uid?: number | null;
  readonly platform?: NodeJS.Platform;
}

export function world(options: WorldOptions = {}): World {
  const home = scratch();
  const cwd = join(home, options.cwd ?? 'project');
  mkdirSync(cwd, { recursive: true });
  const tty =
    typeof options.tty === 'object' ? options.tty : { stdin: options.tty, stdout: options.tty, stderr: options.tty };
  const interruption = new Interruption();
  const stdin = new PassThrough();
  if (options.stdin !== undefined) stdin.end(options.stdin);
  const written = { out: '', err: '' };
  const sink = (name: 'out' | 'err', isTTY: boolean | undefined): Writable =>
    Object.assign(
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          written[name] += chunk.toString();
          done();
        },
      }),
      // As process.stdout and process.stderr, these are not ended by what is piped into them.
      { isTTY: isTTY === true, columns: options.columns, end: () => undefined },
    );
  const io: Io = {
    stdin: Object.assign(stdin, { isTTY: tty.stdin === true }),
    stdout: sink('out', tty.stdout),
    stderr: sink('err', tty.stderr),
    env: { TERM: 'xterm', ...options.env },
    cwd,
    userHome: home,
    platform: options.platform ?? 'linux',
    uid: options.uid === undefined ? (process.getuid?.() ?? null) : options.uid,
    importModule: (href) => import(href),
    startup: null,
    now: () => Date.parse('2026-02-18T14:23:45Z'),
    interruption,
  };
  return {
    io,
    cwd,
    out: () => written.out,
    err: () => written.err,
    type: (text) => void stdin.write(text),
    interrupt: (code) => interruption.tell(new Interrupted(code)),
    file: (path, text) => {
      const full = join(cwd, path);
      mkdirSync(dirname(full), { recursive: true });
      // As a careful user does: what holds secrets is refused when others may read it.
      writeFileSync(full, text, { mode: 0o600 });
      return full;
    },
    run: async (...argv) => {
      written.out = '';
      written.err = '';
      const code = await run(argv, io);
      return { code, out: written.out, err: written.err };
    },
  };
}
