/** A machine for the command line: a world whose every word is kept, and searched for private keys when the test is over. */
import { setMaxListeners } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { decodePem } from '../../../src/adapters/keys/file/pem.js';
import type { Decision } from '../../../src/verify/decision.js';
import { world, type World, type WorldOptions } from '../world.js';
import { publicKeyText, seedOf, PRINCIPAL, type Signer } from './parts.js';
import { fixture } from './vectors.js';

export const PASSPHRASE = 'correct horse battery staple';
const SIGNERS: readonly Signer[] = ['principal', 'agent', 'agent key 2', 'agent key 3', 'stranger'];
/** The guide's agent, as `passport create` takes it; where the keys go is for the test to say. */
export const GUIDE_FLAGS =
  '--domain acme.com --action send_email --action issue_refund --monetary-limit 100.00 --allowed-domain acme.com --rate-limit 10/hour'.split(
    ' ',
  );

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Household extends Omit<World, 'run'> {
  /** The state file; there is none before something was kept. */
  readonly state: string;
  /** A path in the folder the command runs in. */
  at(path: string): string;
  run(...argv: string[]): Promise<Answer>;
  /** An agent of acme.com that may `refund`, with its key in a file; its passport is `<name>.json`. */
  agent(name: string): Promise<void>;
  /** `run --json`, and the one document it printed. */
  json<T = Decision>(...argv: string[]): Promise<Answer & { readonly value: T }>;
  /** What `--json` says on stderr when a command fails. */
  failure(...argv: string[]): Promise<{ code: string; message: string; hint: string | null; exit_code: number }>;
}

/** A world with a passphrase in its environment. Files go below `at`, whatever folder the test process is in. */
export function household(options: WorldOptions = {}): Household {
  const w = world({ ...options, env: { AIP_KEY_PASSPHRASE: PASSPHRASE, ...options.env } });
  // Many commands in one world, each of which listens to it.
  setMaxListeners(0, w.io.interruption.signal, w.io.stdout, w.io.stderr);
  let said = '';
  const run = async (...argv: string[]): Promise<Answer> => {
    const answer = await w.run(...argv);
    said += answer.out + answer.err;
    expectCivil(answer);
    return answer;
  };
  onTestFinished(() => expectNoPrivateKey(w.io.userHome, said));
  return {
    ...w,
    state: join(w.io.userHome, '.local', 'state', 'aip', 'state.db'),
    at: (path) => join(w.cwd, path),
    run,
    agent: async (name) => {
      const flags = ['--domain', 'acme.com', '-a', 'refund', '--key-store', 'file'];
      const made = await run('passport', 'create', name, ...flags, '--out', join(w.cwd, `${name}.json`));
      expect(made.code, made.err).toBe(0);
    },
    json: async <T>(...argv: string[]) => {
      const answer = await run(...argv, '--json');
      return { ...answer, value: JSON.parse(answer.out) as T };
    },
    failure: async (...argv) => {
      const { out, err } = await run(...argv, '--json');
      expect(out).toBe('');
      return JSON.parse(err.trimEnd().split('\n').at(-1)!) as Awaited<ReturnType<Household['failure']>>;
    },
  };
}

/** A household that knows a fixture's passport and its principal, and holds the agent's key in its environment. */
export async function settled(options: WorldOptions & { passport?: string; signer?: Signer } = {}): Promise<Household> {
  const { passport = 'passport-support-agent.json', signer = 'agent', ...rest } = options;
  const seed = Buffer.from(seedOf(signer)).toString('hex');
  const home = household({ ...rest, env: { AGENT_PRIVATE_KEY: `ed25519:${seed}`, ...rest.env } });
  expect(await home.run('principal', 'add', PRINCIPAL, '--public-key', publicKeyText('principal'))).toMatchObject({
    code: 0,
  });
  expect(await home.run('passport', 'import', fixture(passport))).toMatchObject({ code: 0 });
  return home;
}

/** No stack, no bug of ours, and on failure a sentence that says so. */
export function expectCivil({ code, out, err }: Answer): void {
  expect(out + err).not.toMatch(/^ {4}at /m);
  expect(err).not.toContain('this is a bug in aip');
  expect(code).not.toBe(1);
  if (code !== 0) expect(out + err).not.toBe('');
}

/** Private keys are nowhere but in the file that the user named for one, and there only the agent's. */
function expectNoPrivateKey(folder: string, said: string): void {
  const files = filesIn(folder);
  const seeds = SIGNERS.map(seedOf);
  for (const path of files) {
    const text = readFileSync(path, 'latin1');
    const written = /AGENT_PRIVATE_KEY=ed25519:([0-9a-f]{64})/.exec(text);
    if (written !== null) seeds.push(Buffer.from(written[1]!, 'hex'));
    if (text.startsWith('-----BEGIN ENCRYPTED PRIVATE KEY-----')) seeds.push(decodePem(text, PASSPHRASE));
  }
  for (const seed of seeds) {
    for (const spelling of spellings(seed)) {
      expect(said).not.toContain(spelling);
      for (const path of files) {
        const content = readFileSync(path, 'latin1');
        if (content.includes(`AGENT_PRIVATE_KEY=ed25519:${spelling}`)) continue;
        expect(content.includes(spelling), `a private key in ${path}`).toBe(false);
      }
    }
  }
}

function spellings(seed: Uint8Array): string[] {
  const bytes = Buffer.from(seed);
  const hex = bytes.toString('hex');
  return [hex, hex.toUpperCase(), bytes.toString('base64url'), bytes.toString('base64'), bytes.toString('latin1')];
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The agent's key in an env file, its principal's in an encrypted file: no keychain is needed. */
export const inFiles = (machine: Household, env = '.env') => [
  ...['--key-store', 'env', '--env-file', machine.at(env), '--principal-key-store', 'file'],
];

/** The guide's agent, made here: its key in .env, its principal's in an encrypted file. */
export async function made(machine: Household, flags: readonly string[] = []): Promise<string> {
  const given = [...GUIDE_FLAGS, ...inFiles(machine), ...flags];
  const { code } = await machine.run('passport', 'create', 'support-agent-v1', ...given);
  expect(code).toBe(0);
  return machine.at('support-agent-v1.passport.json');
}

/** Path of a mail that the agent signed with the key in the env file. */
export async function signed(
  machine: Household,
  path: string,
  env: string,
  name: string,
  ...more: string[]
): Promise<string> {
  const flags = ['-a', 'send_email', '--param', 'to=user@acme.com', '--env-file', machine.at(env), ...more];
  const out = machine.at(name);
  expect((await machine.run('intent', 'sign', '-p', path, ...flags, '-o', out)).code).toBe(0);
  return out;
}
