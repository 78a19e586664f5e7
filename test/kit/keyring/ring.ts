import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { BusClient, socketPaths } from '../../../src/adapters/keys/keychain/dbus-client.js';
import { Writer } from '../../../src/adapters/keys/keychain/dbus-wire.js';

/** Real keychains for tests: a D-Bus daemon and a gnome-keyring of their own, in a throwaway home. */

export type Env = Record<string, string>;

/** Why no real keyring can be had here; null when one can. With AIP_TEST_KEYRING=1 a missing one fails instead. */
export function whyNoRing(): string | null {
  const lacking = ['dbus-daemon', 'gnome-keyring-daemon'].filter((name) => spawnSync(name, ['--version']).status !== 0);
  const reason =
    process.platform !== 'linux'
      ? 'the keyring tests run on Linux only'
      : lacking.length > 0
        ? `not installed: ${lacking.join(', ')}`
        : null;
  if (reason !== null && process.env['AIP_TEST_KEYRING'] === '1') throw new Error(`AIP_TEST_KEYRING=1, but ${reason}`);
  return reason;
}

/** True where keytar's addon can be loaded: it needs libsecret. */
export function addonLoads(path: string): boolean {
  return spawnSync(process.execPath, ['-e', 'require(process.argv[1])', path]).status === 0;
}

export class Ring {
  readonly home = mkdtempSync(join(tmpdir(), 'aip-ring-'));
  #bus: ChildProcess | null = null;
  #daemon: ChildProcess | null = null;
  #address = '';

  constructor() {
    mkdirSync(join(this.home, 'run'), { mode: 0o700 });
  }

  /** What a program needs to use this ring. There is no display, so nothing can prompt. */
  get env(): Env {
    return {
      PATH: process.env['PATH']!,
      HOME: this.home,
      XDG_RUNTIME_DIR: join(this.home, 'run'),
      DBUS_SESSION_BUS_ADDRESS: this.#address,
    };
  }

  /** Starts the bus; `activation` lets it start services by name, as a desktop's does. */
  async startBus(activation: boolean): Promise<void> {
    const config = join(this.home, 'bus.conf');
    writeFileSync(
      config,
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
       "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig><type>session</type><listen>unix:path=${join(this.home, 'bus')}</listen>
      ${activation ? '<standard_session_servicedirs/>' : ''}
      <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
      </busconfig>`,
    );
    const bus = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork', '--print-address'], {
      env: this.env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#bus = bus;
    const [line] = (await once(createInterface(bus.stdout), 'line')) as [string];
    this.#address = line.trim();
  }

  /** Starts the keyring; with a password its login ring is made or unlocked, with null it stays as it is. */
  async startDaemon(password: string | null): Promise<void> {
    const unlock = password === null ? [] : ['--unlock'];
    const daemon = spawn('gnome-keyring-daemon', ['--foreground', '--components=secrets', ...unlock], {
      env: this.env,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#daemon = daemon;
    daemon.stdin.end(password ?? '');
    for (let i = 0; i < 200; i++) {
      if (await this.#owned('org.freedesktop.secrets')) return;
      await sleep(25);
    }
    throw new Error('gnome-keyring-daemon did not come up');
  }

  /** Stops the keyring in its tracks: it stays on the bus and answers nothing. */
  freezeDaemon(): void {
    this.#daemon?.kill('SIGSTOP');
  }

  async stopDaemon(): Promise<void> {
    await end(this.#daemon);
    this.#daemon = null;
    for (let i = 0; i < 200 && (await this.#owned('org.freedesktop.secrets')); i++) await sleep(25);
  }

  async stop(): Promise<void> {
    await end(this.#daemon);
    await end(this.#bus);
    rmSync(this.home, { recursive: true, force: true });
  }

  async #owned(name: string): Promise<boolean> {
    const bus = await BusClient.open(socketPaths(this.#address)[0]!, process.getuid!(), 2000);
    try {
      const reply = await bus.call({
        destination: 'org.freedesktop.DBus',
        path: '/org/freedesktop/DBus',
        interface: 'org.freedesktop.DBus',
        member: 'NameHasOwner',
        signature: 's',
        body: new Writer().string(name).done(),
      });
      return reply.body.u32() === 1;
    } finally {
      bus.close();
    }
  }
}

async function end(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** A bus address behind which `serve` answers, or nobody does: by default it takes connections and stays silent. */
export class FakeBus {
  readonly #folder = mkdtempSync(join(tmpdir(), 'aip-bus-'));
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly path = join(this.#folder, 'bus');

  constructor(serve: (socket: Socket) => void = () => {}) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      serve(socket);
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(this.path);
    await once(this.#server, 'listening');
    return `unix:path=${this.path}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (existsSync(this.path)) await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
