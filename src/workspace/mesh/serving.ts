/** A mesh server in this process: its data folder, its keys, its socket. */
import { listen } from '../../adapters/mesh/server/http-server.js';
import { ensureAdmin, openDataFolder } from '../../adapters/mesh/server/data-folder.js';
import { verifyOperator } from '../../adapters/mesh/mesh-key.js';
import { Failure } from '../../app/failure.js';
import { fleetConduct } from '../../app/conduct/fleet-conduct.js';
import type { KeptRequest } from '../../mesh/approvals/kept.js';
import { MeshServer } from '../../mesh/server/mesh-server.js';
import type { Replication } from '../../mesh/server/regions/registry.js';
import type { TrustRules } from '../../trust/rules.js';
import { toHex } from '../../protocol/hex.js';
import type { SystemWorld } from '../world.js';

export { plainTextProblem } from '../../adapters/mesh/server/http-server.js';

/** How a mesh is served. */
export interface ServingOptions {
  readonly data: string;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly requireSignedCommands: boolean;
  /** Most bytes of shipped logs; 1 GiB unless given. */
  readonly logQuota?: number;
  /** The public key registered for the first admin's API key; null registers none. */
  readonly operatorKey: string | null;
  /** Told of every request for approval that is handed in here. */
  readonly onRequest?: (request: KeptRequest) => void;
  /** How commands reach the regions; asynchronously unless given. */
  readonly replication?: Replication;
  /** The name of this server's own region. */
  readonly region?: string;
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
  readonly adminKeyFile: string;
  /** The first admin's API key when it was made just now. */
  readonly newAdminKey: string | null;
  /** Rejects when the store fails: nothing that this process says is durable any more, so it must end. */
  readonly failed: Promise<never>;
  /** Stops accepting, finishes what was accepted, and resolves within 5 s. */
  close(): Promise<void>;
}

/** Serves a mesh from its data folder. @throws Failure STATE (another server has it, its key is gone), USAGE, NETWORK */
export async function serveMesh(
  { random, clock, ticks, nextTurn }: SystemWorld,
  options: ServingOptions,
): Promise<Serving> {
  const folder = await openDataFolder(options.data, random, options.logQuota);
  const { store, sign, publicKey } = folder;
  try {
    const newAdminKey = await ensureAdmin(folder, random, clock(), options.operatorKey);
    let onFatal: (error: unknown) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => (onFatal = (error) => reject(storeFailure(options.data, error))));
    // The serving command races it; until then it must not count as unhandled.
    failed.catch(() => undefined);
    const mesh = await MeshServer.start({
      store,
      clock: { wall: clock, up: () => ticks() / 1000 },
      randomHex: (n) => toHex(random(n)),
      sign,
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
      onFatal,
    });
    const { host, port, tls, onBug } = options;
    const listening = await listen(mesh, { host, port, tls, onBug });
    return {
      url: listening.url,
      publicKey,
      adminKeyFile: folder.adminKeyFile,
      newAdminKey,
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

function storeFailure(folder: string, error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error);
  return new Failure(
    'STATE',
    `The mesh store in ${folder} failed: ${why} Commands that were answered are kept; this server ends, because nothing after a failed write can be relied on.`,
    { hint: 'check the disk (df, dmesg), then start it again', cause: error },
  );
}
