/** A mesh server that follows another one, and how such a server becomes home. */
import { listen } from '../../adapters/mesh/server/http-server.js';
import { checkOf, verifyOperator } from '../../adapters/mesh/mesh-key.js';
import { HomeLine } from '../../adapters/mesh/region/home-line.js';
import { openRegionFolder, type Returned } from '../../adapters/mesh/region/region-folder.js';
import { OtherHistory } from '../../adapters/mesh/region/copying.js';
import { promote, type Promoted } from '../../adapters/mesh/region/promotion.js';
import { Reports } from '../../adapters/mesh/region/reports.js';
import { Failure } from '../../app/failure.js';
import { GOODBYE_SPREAD_MS } from '../../mesh/limits.js';
import { MeshServer } from '../../mesh/server/mesh-server.js';
import { frame } from '../../protocol/framing/sse.js';
import type { KeyAddressText } from '../../protocol/identity/key-address.js';
import { toHex } from '../../protocol/hex.js';
import { askedKeys } from '../keys.js';
import { openedStore } from './migration.js';
import type { World } from '../world.js';

export type { Promoted, Returned };

/** How a region is served. */
export interface FollowingOptions {
  readonly data: string;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Where home is. */
  readonly home: string;
  /** API key of role region. */
  readonly key: string;
  /** The mesh's public key, `ed25519:<64 hex>`, pinned. */
  readonly publicKey: string;
  /** File of the certificate authorities of home (PEM); null for Node's own. */
  readonly ca: string | null;
  /** The key may go to home without TLS. */
  readonly insecureHttp?: boolean;
  readonly onBug: (error: unknown) => void;
  /** Home cannot be reached, or says something that cannot be believed; said once until it is well again. */
  readonly onTrouble: (message: string) => void;
  /** It is well again: what is held here is served with home's proof. */
  readonly onRecovered: () => void;
}

/** A region that runs. */
export interface Following {
  readonly url: string;
  readonly publicKey: string;
  /** True when everything that home had was copied at the start. */
  readonly current: boolean;
  /** What this server had written itself and home does not tell; null where there is nothing. */
  readonly returned: Returned | null;
  /** True where the mesh's private key lies in the folder, which a follower has no use for. */
  readonly holdsKey: boolean;
  /** True where a home's key lies there without its store: what that holds beyond a fork is not told. */
  readonly lacksStore: boolean;
  /** Rejects when the store fails, or home tells another history. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/** Serves a copy of the mesh that another server is home of. @throws Failure STATE, USAGE, NETWORK */
export async function serveRegion(
  { random, clock, ticks, nextTurn, env }: Pick<World, 'random' | 'clock' | 'ticks' | 'nextTurn' | 'env'>,
  options: FollowingOptions,
): Promise<Following> {
  const { data, home, key, ca, insecureHttp, publicKey, onTrouble, onRecovered } = options;
  const check = checkOf(publicKey);
  if (check === null)
    throw new Failure('USAGE', 'The --mesh-key is no Ed25519 public key.', { hint: 'ed25519:<64 hex>' });
  const randomHex = (n: number): string => toHex(random(n));
  const line = new HomeLine({ url: home, key, check, folder: data, randomHex, now: clock, ca, env, insecureHttp });
  const folder = await openRegionFolder({ folder: data, line, publicKey, check, randomHex, now: clock });
  const { store, copier } = folder;
  try {
    let onFatal: (error: unknown) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => (onFatal = reject));
    // The serving command races it; until then it must not count as unhandled.
    failed.catch(() => undefined);
    const mesh = await MeshServer.start({
      store,
      clock: { wall: clock, up: () => ticks() / 1000 },
      randomHex,
      // Nothing on this path asks for a signature: every command is home's.
      sign: () => {
        throw new Error('a region signs nothing');
      },
      publicKey,
      verify: verifyOperator,
      soon: nextTurn,
      upstream: line,
      onFatal,
    });
    const reports = new Reports(line.http, (verifier) => mesh.hub.closeVerifier(verifier));
    line.onWord = (verifier, word) => reports.heard(verifier, word);
    const { host, port, tls, onBug } = options;
    const listening = await listen(mesh, { host, port, tls, onBug });
    reports.start();
    const goodbye = Buffer.from(frame('goodbye', null, JSON.stringify({ spread_ms: GOODBYE_SPREAD_MS })));
    const running = copier
      .run({
        stored: () => mesh.pump(),
        proven: (proof, restarted) => {
          // The heartbeats of two processes of home prove nothing together.
          if (restarted) mesh.hub.closeAll(goodbye);
          else if (mesh.prover.sealed === null) mesh.hub.heartbeat(proof);
        },
        // Parsed and written again: a frame has one line a notice.
        approval: (notice) => mesh.hub.announce('approval', JSON.stringify(JSON.parse(notice))),
        trouble: onTrouble,
        recovered: onRecovered,
      })
      .catch((error: unknown) => {
        onFatal(error instanceof OtherHistory ? elsewhere(error, home) : error);
      });
    // What clients need when home is lost is fetched while it is there.
    void line.snapshot(2, mesh.head).catch(() => undefined);
    return {
      ...{ url: listening.url, publicKey, failed },
      ...{ current: folder.current, returned: folder.returned },
      ...{ holdsKey: folder.holdsKey, lacksStore: folder.lacksStore },
      close: async () => {
        reports.stop();
        copier.stop();
        line.close();
        await listening.close();
        await running;
        await store.close();
      },
    };
  } catch (error) {
    line.close();
    await store.close();
    throw error;
  }
}

function elsewhere({ message, term }: OtherHistory, home: string): Failure {
  const under = term === null ? '' : `, under term ${term}`;
  return new Failure('STATE', `${home}: ${message}${under}. This server ends.`, {
    hint: 'start it again: it copies what home tells, and gives home the denies that lie beyond the fork',
  });
}

/** Makes the mesh of a folder, or of a database, home. @throws Failure NOT_FOUND, USAGE, STATE, NETWORK */
export async function promoteMesh(
  { random, clock, env, userHome = '' }: Pick<World, 'random' | 'clock' | 'env'> & Partial<Pick<World, 'userHome'>>,
  options: Omit<Parameters<typeof promote>[0], 'env' | 'now' | 'randomHex' | 'store' | 'key' | 'find'> & {
    readonly store?: string | null;
    readonly key?: KeyAddressText | null;
  },
): Promise<Promoted> {
  const { store: url = null, key = null } = options;
  const find = askedKeys({ env, clock });
  const store = url === null ? null : await openedStore({ env, userHome, random }, url, null);
  return promote({ ...options, key, find, store, env, now: clock, randomHex: (n) => toHex(random(n)) });
}
