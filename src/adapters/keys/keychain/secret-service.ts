import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BusClient, BusRefusal, BusSilent, BusUnreachable, socketPaths } from './dbus-client.js';
import { Writer, type Message, type MethodCall } from './dbus-wire.js';

/**
 * The condition of the secret service (freedesktop.org Secret Service API 0.2) behind a keychain call that brought nothing.
 * libsecret answers a lookup in a locked ring with "not there" and a deletion with "nothing deleted", so keytar alone cannot
 * tell a locked ring from a missing key.
 */
export type RingState =
  | 'unreachable' // the bus address leads nowhere
  | 'silent' // the bus or the service does not answer
  | 'absent' // a bus, but no secret service on it
  | 'empty' // a service without a default ring
  | 'locked' // the default ring, or the one with the item, is locked
  | 'open'
  | 'unknown'; // a bus address of a kind that cannot be asked

/** The session bus as libsecret would find it, without starting one; null when there is none. */
export function sessionBus(env: Readonly<Record<string, string | undefined>>): string | null {
  const named = env['DBUS_SESSION_BUS_ADDRESS'];
  // `disabled:` says that there is to be none, and `autolaunch:` would start one that outlives the command.
  if (named)
    return (
      named
        .split(';')
        .filter((entry) => entry !== '' && !/^(?:disabled|autolaunch):/.test(entry))
        .join(';') || null
    );
  const runtime = env['XDG_RUNTIME_DIR'];
  return runtime && existsSync(join(runtime, 'bus')) ? `unix:path=${join(runtime, 'bus')}` : null;
}

/** Asks the secret service at `address` about itself and one item; unlocks, prompts and changes nothing. */
export async function ringState(
  address: string,
  service: string,
  account: string,
  timeoutMs: number,
): Promise<RingState> {
  const paths = socketPaths(address);
  if (paths.length === 0) return 'unknown';
  let state: RingState = 'unreachable';
  for (const path of paths) {
    state = await stateBehind(path, service, account, Math.ceil(timeoutMs / paths.length));
    if (state !== 'unreachable') break;
  }
  return state;
}

async function stateBehind(path: string, service: string, account: string, timeoutMs: number): Promise<RingState> {
  let bus;
  try {
    bus = await BusClient.open(path, process.getuid?.() ?? 0, timeoutMs);
    return await ask(bus, service, account);
  } catch (cause) {
    if (cause instanceof BusUnreachable) return 'unreachable';
    if (cause instanceof BusSilent) return 'silent';
    if (cause instanceof BusRefusal) return meaning(cause.message);
    // A reply that ends too early.
    if (cause instanceof RangeError) return 'unknown';
    throw cause;
  } finally {
    bus?.close();
  }
}

function meaning(errorName: string): RingState {
  const error = errorName.replace('org.freedesktop.DBus.Error.', '');
  if (error === 'ServiceUnknown' || error === 'NameHasNoOwner' || error.startsWith('Spawn.')) return 'absent';
  return error === 'NoReply' || error === 'Timeout' || error === 'TimedOut' ? 'silent' : 'unknown';
}

async function ask(bus: BusClient, service: string, account: string): Promise<RingState> {
  const attributes = new Writer().array(8, (items) => {
    items.align(8).string('service').string(service);
    items.align(8).string('account').string(account);
  });
  const root = '/org/freedesktop/secrets';
  const face = { path: root, interface: 'org.freedesktop.Secret.Service' };
  const found = await secrets(bus, { ...face, member: 'SearchItems', signature: 'a{ss}', body: attributes });
  // Two arrays of object paths: unlocked items, then locked ones.
  const unlockedBytes = found.body.u32();
  const lockedBytes = found.body.skip(unlockedBytes).u32();
  if (lockedBytes > 0) return 'locked';

  const alias = new Writer().string('default');
  const read = await secrets(bus, { ...face, member: 'ReadAlias', signature: 's', body: alias });
  const ring = read.body.string();
  if (ring === '/') return 'empty';

  const property = new Writer().string('org.freedesktop.Secret.Collection').string('Locked');
  const properties = { path: ring, interface: 'org.freedesktop.DBus.Properties' };
  const locked = (await secrets(bus, { ...properties, member: 'Get', signature: 'ss', body: property })).body;
  if (locked.signature() !== 'b') return 'unknown';
  return locked.u32() === 0 ? 'open' : 'locked';
}

type ServiceCall = Omit<MethodCall, 'destination' | 'body'> & { readonly body: Writer };

function secrets(bus: BusClient, call: ServiceCall): Promise<Message> {
  return bus.call({ ...call, destination: 'org.freedesktop.secrets', body: call.body.done() });
}
