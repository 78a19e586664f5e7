/** A mesh server in this process: its data folder, its keys, its socket. */
import { listen } from '../../adapters/mesh/server/http-server.js';
import { ensureAdmin, folderStore, openDataFolder } from '../../adapters/mesh/server/data-folder.js';
import { requireNewLog } from '../../adapters/mesh/server/first-start.js';
import { verifyOperator } from '../../adapters/mesh/mesh-key.js';
import { Failure } from '../../app/failure.js';
import { fleetConduct } from '../../app/conduct/fleet-conduct.js';
import type { KeptRequest } from '../../mesh/approvals/kept.js';
import { MeshServer } from '../../mesh/server/mesh-server.js';
import type { Replication } from '../../mesh/server/regions/registry.js';
import type { KeyAddressText } from '../../protocol/identity/key-address.js';
import type { TrustRules } from '../../trust/rules.js';
import { toHex } from '../../protocol/hex.js';
import { StoreTrouble, type MeshStore } from '../../mesh/log/store.js';
import { askedKeys } from '../keys.js';
import type { SystemWorld, World } from '../world.js';

export { plainTextProblem } from '../../adapters/mesh/server/http-server.js';

/** How a mesh is served. */
export interface ServingOptions {
  readonly data: string;
  /** URL of the PostgreSQL database that holds the log; the embedded store of `data` unless given. */
  readonly store?: string;
  /** A log may begin under a key that lies in `data` already; false unless given. */
  readonly newLog?: boolean;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly requireSignedCommands: boolean;
  /** Most bytes of shipped logs; 1 GiB unless given. */
  readonly logQuota?: number;
  /** How long shipped logs are kept after they arrived, in ms; for as long as there is room unless given. */
  readonly logRetentionMs?: number;
  /** The public key registered for the first admin's API key; null registers none. */
  readonly operatorKey: string | null;
  /** The first admin's API key is lost: another takes its place, and it counts no more. False unless given. */
  readonly newAdminKey?: boolean;
  /** Told of every request for approval that is handed in here. */
  readonly onRequest?: (request: KeptRequest) => void;
  /** How commands reach the regions; asynchronously unless given. */
  readonly replication?: Replication;
  /** The name of this server's own region. */
  readonly region?: string;
  /** Where the mesh's own key lives, from now on; what the data folder says unless given. */
  readonly keyAddress?: KeyAddressText;
  /** The key that is asked gives no signature; told once until it does again. */
  readonly onKeyTrouble?: (message: string) => void;
  /** While it runs, the mesh has gone on elsewhere, in this term. */
  readonly onSealed?: (term: number) => void;
  /** How the dashboard computes scores; the guide's rules unless given. */
  readonly trust?: TrustRules;
  /** A bug showed itself in one request; the server goes on. */
  readonly onBug: (error: unknown) => void;
}

/** A mesh that runs. */
export interface Serving {
  /** Where it listens. */
  readonly url: string;
  /** `ed25519:<64 hex>`. */
  readonly publicKey: string;
  /** Where the mesh's key is asked; null where the data folder holds it. */
  readonly keyAddress: string | null;
  readonly adminKeyFile: string;
  /** False where that file is on the machine on which the mesh began. */
  readonly holdsAdminKey: boolean;
  /** The first admin's API key when it was made just now. */
  readonly newAdminKey: string | null;
  /** True where a signing key is registered for some API key: where signatures are required, nobody else gives a command. */
  readonly operatorsSign: boolean;
  /** True where `operatorKey` is not what signs with the first admin's API key. */
  readonly otherSigner: boolean;
  /** The term in which the mesh has gone on elsewhere; null while it has not. */
  readonly sealedBy: number | null;
  /** Why the store proves nothing now, and so takes no command; null where it does, and of a mesh that is sealed. */
  readonly unproven: string | null;
  /** Rejects when the store fails: nothing that this process says is durable any more, so it must end. */
  readonly failed: Promise<never>;
  /** Stops accepting, finishes what was accepted, and resolves within 5 s. */
  close(): Promise<void>;
}

/** Serves a mesh from its data folder. @throws Failure STATE (another server has it, its key is gone), USAGE, NETWORK */
export async function serveMesh(world: ServingWorld, options: ServingOptions): Promise<Serving> {
  const { random, clock, ticks, nextTurn } = world;
  const store = await storeOf(world, options);
  const { keyAddress = null, onKeyTrouble = () => undefined } = options;
  const find = askedKeys({ env: world.env ?? {}, clock });
  const folder = await openDataFolder(options.data, store, random, {
    address: keyAddress,
    find,
    onTrouble: onKeyTrouble,
  });
  const { sign, publicKey } = folder;
  try {
    const { operatorKey, newAdminKey = false } = options;
    const admin = await ensureAdmin(folder, random, clock(), { operatorKey, newKey: newAdminKey });
    let onFatal: (error: unknown) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => (onFatal = (error) => reject(storeFailure(options, error))));
    // The serving command races it; until then it must not count as unhandled.
    failed.catch(() => undefined);
    const mesh = await MeshServer.start({
      store,
      clock: { wall: clock, up: () => ticks() / 1000 },
      randomHex: (n) => toHex(random(n)),
      sign,
      keyIsAsked: folder.keyAddress !== null,
      publicKey,
      verify: verifyOperator,
      soon: nextTurn,
      conduct: fleetConduct({
        logs: store.logs,
        ...(options.trust === undefined ? {} : { rules: options.trust }),
        pause: () => new Promise(nextTurn),
      }),
      requireSignedCommands: options.requireSignedCommands,
      ...(options.onRequest === undefined ? {} : { onRequest: options.onRequest }),
      ...(options.replication === undefined ? {} : { replication: options.replication }),
      ...(options.region === undefined ? {} : { region: options.region }),
      ...(options.logRetentionMs === undefined ? {} : { logRetentionMs: options.logRetentionMs }),
      ...(options.onSealed === undefined ? {} : { onSealed: options.onSealed }),
      onFatal,
    });
    const unproven = mesh.prover.sealed === null ? await unprovenBy(store) : null;
    const { host, port, tls, onBug } = options;
    const listening = await listen(mesh, { host, port, tls, onBug });
    return {
      url: listening.url,
      publicKey,
      keyAddress: folder.keyAddress,
      adminKeyFile: folder.adminKeyFile,
      holdsAdminKey: admin.isHere,
      newAdminKey: admin.newKey,
      operatorsSign: admin.signs,
      otherSigner: admin.otherSigner,
      sealedBy: mesh.prover.sealed,
      unproven,
      failed,
      close: async () => {
        await listening.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** What a server needs of the world; the last two only for a database. */
type ServingWorld = SystemWorld & Partial<Pick<World, 'env' | 'userHome'>>;

async function storeOf({ random, env, userHome }: ServingWorld, options: ServingOptions): Promise<MeshStore> {
  const { data, store, newLog = false, logQuota } = options;
  if (store === undefined) return folderStore(data, random, newLog, logQuota);
  // Loaded where there is a database: it brings its client with it.
  const { openPostgresStore } = await import('../../adapters/postgres/mesh/connecting.js');
  const newLogId = (): string => {
    requireNewLog(data, newLog);
    return toHex(random(16));
  };
  return openPostgresStore(store, {
    ...{ env: env ?? {}, userHome: userHome ?? '' },
    ...{ newLogId, node: toHex(random(8)) },
    ...(logQuota === undefined ? {} : { logQuota }),
  });
}

/** Why the store proves nothing: after a failover it may do so in a moment, so its streams and what it knows are served meanwhile. */
async function unprovenBy(store: MeshStore): Promise<string | null> {
  try {
    await store.confirm();
    return null;
  } catch (error) {
    if (!(error instanceof StoreTrouble)) throw error;
    const { hint } = (error.cause ?? {}) as { readonly hint?: string | null };
    return `${error.message}${hint === undefined || hint === null ? '' : `; ${hint}`}`;
  }
}

function storeFailure({ data: folder, store }: ServingOptions, error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error);
  if (store !== undefined)
    return new Failure('STATE', `The store of the mesh failed: ${why} This server ends.`, {
      hint: (error instanceof Failure ? error.hint : null) ?? 'aip help growing',
      cause: error,
    });
  return new Failure(
    'STATE',
    `The mesh store in ${folder} failed: ${why} Commands that were answered are kept; this server ends, because nothing after a failed write can be relied on.`,
    { hint: 'check the disk (df, dmesg), then start it again', cause: error },
  );
}
