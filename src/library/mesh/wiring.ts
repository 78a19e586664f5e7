/** Builds what a workspace speaks with its mesh through; loaded only where there is one, or an agent is revoked. */
import { MeshFollow, refreshOnce } from '../../adapters/mesh/follow.js';
import { MeshHttp, meshLine } from '../../adapters/http/mesh-client.js';
import { openLocalCopy, type LocalCopy } from '../../adapters/mesh/local-copy.js';
import { checkOf } from '../../adapters/mesh/mesh-key.js';
import { hostLabel, verifierKey } from '../../adapters/mesh/verifier-key.js';
import type { OnStale } from '../../mesh/roster/member.js';
import type { MeshLine } from '../../app/ports/mesh.js';
import { usage } from '../options/given.js';
import type { World } from '../wiring.js';

export interface Connection {
  readonly copy: LocalCopy;
  readonly lines: readonly MeshLine[];
  /** Asks the mesh once; true when the copy was proven current in time. */
  readonly refresh: (timeoutMs: number) => Promise<boolean>;
  readonly close: () => void;
}

/** Opens the copy, and follows the mesh for as long as the program has its own reason to run. */
export function connectMesh(
  { stateFile, random, notice }: World,
  mesh: {
    endpoints: readonly string[];
    key: string | null;
    publicKey: string;
    ca: string | null;
    maxAgeMs: number;
    onStale: OnStale;
  } | null,
): Connection {
  const check = mesh === null ? null : checkOf(mesh.publicKey);
  if (mesh !== null && check === null) throw usage('The public key of the mesh is not an acceptable Ed25519 key.');
  const copy = openLocalCopy(stateFile(), mesh?.publicKey ?? null, random);
  if (mesh === null || mesh.key === null || check === null)
    return { copy, lines: [], refresh: async () => false, close: () => copy.close() };
  const { endpoints, ca, maxAgeMs, onStale } = mesh;
  const key = mesh.key;
  const https = endpoints.map((url) => new MeshHttp(url, key, { ca }));
  const following = new MeshFollow({
    endpoints,
    ca,
    key,
    check,
    maxAgeMs,
    copy,
    verifier: { key: verifierKey(stateFile()), label: hostLabel(), program: 'library', onStale, maxAgeMs },
    background: true,
    onAlarm: (kind, message) => notice(`The mesh (${kind}): ${message}.`),
    onFailure: (error) => notice(`The mesh is not followed any more: ${String(error).slice(0, 200)}`),
  });
  following.start();
  return {
    copy,
    lines: https.map((http, i) => meshLine(endpoints[i]!, http)),
    refresh: (timeoutMs) => refreshOnce({ endpoints, ca, key, check, verifier: null, maxAgeMs, copy }, timeoutMs),
    close: () => {
      following.stop();
      for (const http of https) http.close();
      copy.close();
    },
  };
}
