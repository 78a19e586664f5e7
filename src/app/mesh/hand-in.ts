/** Requests that change something at a mesh: signed by the operator, tried at every endpoint, carried out once. */
import { signRequest } from '../../mesh/access/http-signature.js';
import { MAX_CONFIRM_WAIT_MS } from '../../mesh/limits.js';
import { toHex } from '../../protocol/hex.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { MeshEndpoint } from '../ports/mesh.js';
import type { Clock, Random } from '../ports/state.js';
import type { Replicating } from './regions.js';
import { resultOf, unheard } from './answers.js';

/** The operator's own key: a public key `ed25519:<64 hex>`, and how it signs. */
export interface OperatorSigner {
  readonly publicKey: string;
  readonly sign: (text: string) => Promise<string>;
}

/** What handing in takes. */
export interface OrderDeps {
  /** Endpoints of the mesh, in the order in which they are tried. */
  readonly lines: readonly MeshEndpoint[];
  readonly clock: Clock;
  readonly random: Random;
  /** Null: the command is not signed by the operator. */
  readonly signer: OperatorSigner | null;
  /** How long the mesh waits for the verifiers' confirmations, in ms. */
  readonly waitMs: number;
  /** What is wanted of the regions; left to home where it is not said. */
  readonly replicating?: Replicating;
}

/** What is handed in. */
export interface Handing {
  /** Below the mesh's URL. */
  readonly path: string;
  /** Holds the `cmd_id` by which the mesh carries it out once, however often it arrives. */
  readonly body: object;
  /** What the query says beside how long to wait: from `&` on. Takes that time in ms. */
  readonly query?: (waitMs: number) => string;
  /** What to do where it may have arrived and no endpoint says so. */
  readonly unsure: string;
}

/** How long an endpoint may take beyond what it waits for the verifiers, in ms. */
const ANSWER_MS = 5_000;

/**
 * Hands it in, and gives what `read` makes of the answer. Every endpoint is tried, and the first one twice: an answer may have been lost
 * on the way.
 * @throws Failure NETWORK where no endpoint takes it, or the refusal of the first that refuses
 */
export async function handIn<T>(deps: OrderDeps, handing: Handing, read: (answer: JsonObject) => T): Promise<T> {
  const { lines, clock, random, signer, waitMs } = deps;
  const { path } = handing;
  const body = Buffer.from(JSON.stringify(handing.body));
  const wait = Math.min(waitMs, MAX_CONFIRM_WAIT_MS);
  const target = `${path}?wait=${wait}ms${handing.query?.(wait) ?? ''}`;
  let what = '';
  let unsure = false;
  for (const line of [...lines, lines[0]!]) {
    // Each try has a nonce of its own: the one before may have arrived.
    const params = { created: Math.floor(clock() / 1000), nonce: toHex(random(16)), keyId: signer?.publicKey ?? '' };
    const headers =
      signer === null ? {} : { ...(await signRequest({ method: 'POST', path, body }, params, signer.sign)) };
    const reply = await line.ask({ method: 'POST', target, headers, body, timeoutMs: wait + ANSWER_MS });
    const result = resultOf(line, reply, read);
    if (result.kind === 'done') return result.value;
    // One that refuses does not speak for one that may have carried it out.
    if (result.kind === 'refused' && !unsure) throw result.failure;
    if (result.kind === 'refused') continue;
    what = result.what;
    unsure ||= result.unsure;
  }
  throw unheard(lines[0]!, what, unsure ? handing.unsure : null);
}
