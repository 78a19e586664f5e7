/** The installed Python package: AIP_TEST_PYTHON names a Python that has `aip-protocol`. Nothing is fetched here. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Undefined where there is none; the tests that need it say so. */
export const python = process.env.AIP_TEST_PYTHON || undefined;
if (python === undefined) console.log('skipped: AIP_TEST_PYTHON names no Python with aip-protocol installed');

/** Benchmarks are compiled into another folder. */
export function pythonScript(name: string): string {
  const root = process.env.AIP_BENCH_ROOT ?? fileURLToPath(new URL('../../..', import.meta.url));
  return join(root, 'test/kit/python', name);
}

/** What a script of this folder prints, as JSON. */
export function runPython<T>(
  script: string,
  args: readonly string[] = [],
  input: unknown = null,
  env: Readonly<Record<string, string>> = {},
): T {
  const { status, stdout, stderr } = spawnSync(python!, [pythonScript(script), ...args], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** What `sign.py` prints. */
export interface SignedByPython {
  /** base64url. */
  readonly public_key: string;
  readonly hmac_key: string;
  readonly agent_id: string;
  readonly cases: readonly { readonly name: string; readonly envelope: string; readonly signed: string }[];
}
