import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Scene {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** What the person waits for, and what they type then. */
  readonly steps: readonly { readonly expect: string; readonly send: string }[];
}

export interface Played {
  readonly output: string;
  readonly code: number;
  /** Texts that never came. */
  readonly missed: readonly string[];
}

/** Why there is no terminal to test on, or null. */
export function noPty(): string | null {
  const { status } = spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode']);
  return status === 0 ? null : 'python3 (3.9 or later, with pty) is not installed';
}

export function play(scene: Scene): Played {
  const { stdout, stderr } = spawnSync('python3', [fileURLToPath(new URL('terminal.py', import.meta.url))], {
    input: JSON.stringify({ ...scene, timeout: 20 }),
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (stdout === '') throw new Error(`the terminal did not play: ${stderr}`);
  return JSON.parse(stdout) as Played;
}
