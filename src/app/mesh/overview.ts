/** The mesh as a whole: its head, and who listens. */
import { readCheckpoint } from '../../mesh/log/checkpoint.js';
import { signatureHolds, type SignatureCheck } from '../../mesh/log/signing.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { askMesh, malformed, Members } from './answers.js';
import { Failure } from '../failure.js';
import type { MeshLine } from '../ports/mesh.js';

export interface Listener {
  /** Null for one that does not report what it applies. */
  readonly verifier: string | null;
  readonly keyId: string;
  readonly mode: string;
  /** seq that it has applied; of one that does not report, what was sent to it. */
  readonly seq: number;
  readonly reports: boolean;
  readonly lastSeenMs: number;
}

export interface Overview {
  readonly url: string;
  readonly logId: string;
  readonly head: number;
  readonly time: string;
  /** The server's own clock, in ms since it started. */
  readonly upMs: number;
  readonly requireSignedCommands: boolean;
  readonly connected: number;
  readonly listeners: readonly Listener[];
  /** Listeners beyond those listed. */
  readonly more: number;
}

const TIMEOUT_MS = 5_000;

/** Fails with NETWORK when it cannot be reached, and when it is another mesh than the one whose key is pinned. */
export async function overview(line: MeshLine, check: SignatureCheck): Promise<Overview> {
  const answer = await askMesh(line, { method: 'GET', target: '/v1/mesh/status', timeoutMs: TIMEOUT_MS });
  requireGenuine(line, answer, check);
  const read = new Members(line, answer);
  return {
    url: line.url,
    logId: read.text('log_id'),
    head: read.number('head'),
    time: read.text('time'),
    upMs: read.number('up_ms'),
    requireSignedCommands: read.flag('require_signed_commands'),
    connected: read.number('connected'),
    more: read.number('more'),
    listeners: read.list('verifiers').map((one) => ({
      verifier: one.textOrNull('verifier'),
      keyId: one.text('key_id'),
      mode: one.text('mode'),
      seq: one.number('seq'),
      reports: one.flag('confirmed'),
      lastSeenMs: one.number('last_seen_ms'),
    })),
  };
}

function requireGenuine(line: MeshLine, answer: JsonObject, check: SignatureCheck): void {
  if (answer.checkpoint === null) {
    const sealed = answer.sealed_by_term;
    const why =
      typeof sealed === 'number'
        ? `it is sealed: the mesh has gone on elsewhere, in term ${sealed}`
        : 'its store does not answer';
    throw new Failure('NETWORK', `${line.url} proves nothing now: ${why}.`, {
      hint:
        typeof sealed === 'number'
          ? 'point mesh.url at the server that was promoted: aip config list --sources'
          : `curl ${line.url}/healthz`,
      retryable: typeof sealed !== 'number',
    });
  }
  try {
    const checkpoint = readCheckpoint(answer.checkpoint);
    if (signatureHolds(checkpoint as unknown as JsonObject, check)) return;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw malformed(line, error.reason);
  }
  throw new Failure(
    'NETWORK',
    `${line.url} does not sign with the pinned key of the mesh: it is another mesh, or an impostor.`,
    {
      hint: 'compare the key that aip mesh serve printed with mesh.public_key: aip config list',
    },
  );
}
