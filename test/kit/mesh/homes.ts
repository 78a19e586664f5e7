/** Machines of a mesh as people have them: a home each, and processes of the command line. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { BINARY, FORMS, requireBuilt } from '../built/program.js';
import { expectCivil } from '../native/household.js';
import { scratch } from '../scratch.js';

const PATIENCE_MS = 30_000;

export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class Home {
  readonly folder = scratch();
  readonly env: Record<string, string>;

  constructor(env: Readonly<Record<string, string>> = {}) {
    const { PATH = '' } = process.env;
    const passphrase = 'correct horse battery staple';
    this.env = {
      PATH,
      HOME: this.folder,
      ...FORMS,
      AIP_HOME: join(this.folder, 'home'),
      CI: '1',
      AIP_KEY_PASSPHRASE: passphrase,
      // Confirmations are waited for, however busy this machine is.
      AIP_MESH_MAX_PROPAGATION_TIME_MS: '8000',
      ...env,
    };
  }

  at(path: string): string {
    return join(this.folder, path);
  }

  file(path: string, text: string, mode = 0o600): string {
    writeFileSync(this.at(path), text, { mode });
    return this.at(path);
  }

  config(): { mesh?: Record<string, string> } {
    return JSON.parse(readFileSync(join(this.env.AIP_HOME!, 'config.json'), 'utf8')) as {
      mesh?: Record<string, string>;
    };
  }

  /** Sets members of the user's config. */
  set(group: string, members: Readonly<Record<string, unknown>>): void {
    mkdirSync(this.env.AIP_HOME!, { recursive: true });
    let before: Record<string, object> = {};
    try {
      before = this.config();
    } catch {
      // None yet.
    }
    const content = { ...before, [group]: { ...before[group], ...members } };
    writeFileSync(join(this.env.AIP_HOME!, 'config.json'), JSON.stringify(content), { mode: 0o600 });
  }

  async run(
    argv: readonly string[],
    { stdin = '', env = {} }: { stdin?: string; env?: Record<string, string> } = {},
  ): Promise<Said> {
    const running = this.start(argv, env);
    running.child.stdin!.end(stdin);
    const said = await running.ended;
    if (said.code === null) throw new Error(`aip ${argv.join(' ')} did not end: ${said.err}`);
    expectCivil({ ...said, code: said.code });
    return said;
  }

  /** Runs it, expects that it is done, and gives the JSON it prints. */
  async json<T = Record<string, unknown>>(...argv: string[]): Promise<T> {
    const said = await this.run([...argv, '--json']);
    if (said.code !== 0) throw new Error(`aip ${argv.join(' ')} ended with ${said.code}: ${said.err}`);
    return JSON.parse(said.out) as T;
  }

  start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    requireBuilt();
    return new Running(
      // As the program's first line has it: node takes `--env-file` for its own otherwise.
      spawn(process.execPath, ['--', BINARY, ...argv], {
        cwd: this.folder,
        env: { ...this.env, ...env },
        stdio: 'pipe',
      }),
    );
  }

  /** `aip mesh serve --json` on a free port. */
  async serve(...flags: string[]): Promise<Served> {
    const running = this.start(['mesh', 'serve', '--listen', '127.0.0.1:0', '--json', ...flags]);
    const line = await running.says(/^\{.*\}\n/);
    const ready = JSON.parse(line) as { event: string; url: string; mesh_public_key: string };
    return { ...ready, running };
  }

  /** Joins with a new key of `role` that `admin` makes, and gives the key. */
  async join(admin: Home, role = 'verifier', ...flags: string[]): Promise<{ key: string; key_id: string }> {
    const made = await admin.json<{ key: string; key_id: string }>('mesh', 'key', 'create', '--role', role);
    const { url, public_key } = admin.config().mesh!;
    const path = this.file(`${role}.key`, `${made.key}\n`);
    await this.json('mesh', 'join', url!, '--mesh-key', public_key!, '--key-file', path, ...flags);
    return made;
  }

  /** `aip mesh follow`, once it is live. */
  async follow(): Promise<Running> {
    const running = this.start(['mesh', 'follow', '--json']);
    await running.notes(/live with/);
    return running;
  }

  /**
   * An agent made here; gives its id. Its key opens without a passphrase, which would cost half a second each time; one that is to be
   * rotated is in a `file`.
   */
  async agent(name = 'bot', store: 'env' | 'file' = 'env'): Promise<string> {
    const place = store === 'env' ? ['--env-file', this.at(`${name}.env`)] : [];
    const stores = ['--key-store', store, ...place, '--principal-key-store', 'file'];
    const flags = ['--domain', 'acme.com', '--action', 'send_email', ...stores];
    return (await this.json<{ agent_id: string }>('passport', 'create', name, ...flags)).agent_id;
  }

  /** A fresh intent of the agent, as the path of its file. */
  async intent(name = 'bot'): Promise<string> {
    const path = this.at(`intent-${Math.random().toString(16).slice(2)}.json`);
    const said = await this.run([
      'intent',
      'sign',
      '--passport',
      `${name}.passport.json`,
      '--action',
      'send_email',
      '-o',
      path,
      '--quiet',
    ]);
    if (said.code !== 0) throw new Error(said.err);
    return path;
  }

  async verify(intent: string, ...flags: string[]): Promise<Verdict> {
    const said = await this.run(['intent', 'verify', intent, '--json', ...flags]);
    return { code: said.code, ...(JSON.parse(said.out) as Omit<Verdict, 'code'>) };
  }
}

export interface Verdict {
  readonly code: number | null;
  readonly success: boolean;
  readonly error_code: string | null;
  readonly details: Readonly<Record<string, unknown>> | null;
  readonly revocation: { readonly status: string; readonly age_ms: number | null; readonly degraded: boolean };
}

export interface Served {
  readonly event: string;
  readonly url: string;
  readonly mesh_public_key: string;
  readonly running: Running;
}

export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Said>;
  out = '';
  err = '';
  readonly #changed = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.child = child;
    onTestFinished(() => void child.kill('SIGKILL'));
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS * 2);
    child.stdin!.on('error', () => undefined);
    const take = (name: 'out' | 'err') => (text: string) => {
      this[name] += text;
      for (const listener of this.#changed) listener();
    };
    child.stdout!.setEncoding('utf8').on('data', take('out'));
    child.stderr!.setEncoding('utf8').on('data', take('err'));
    this.ended = new Promise((resolve) =>
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve({ code, out: this.out, err: this.err });
        for (const listener of this.#changed) listener();
      }),
    );
  }

  /** Waits until stdout holds it. */
  says(pattern: RegExp): Promise<string> {
    return this.#until(() => pattern.exec(this.out)?.[0], pattern);
  }

  /** Waits until stderr holds it. */
  notes(pattern: RegExp): Promise<string> {
    return this.#until(() => pattern.exec(this.err)?.[0], pattern);
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Said> {
    this.child.kill(signal);
    return this.ended;
  }

  #until(look: () => string | undefined, what: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        this.#changed.delete(check);
      };
      const check = () => {
        const found = look();
        if (found !== undefined) {
          stop();
          resolve(found);
        } else if (this.child.exitCode !== null) {
          stop();
          reject(new Error(`it ended with ${this.child.exitCode} before ${what}: ${this.out} ${this.err}`));
        }
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`waited in vain for ${what}: ${this.out} ${this.err}`));
      }, PATIENCE_MS);
      this.#changed.add(check);
      check();
    });
  }
}
