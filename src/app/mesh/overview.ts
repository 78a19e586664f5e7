/** The mesh as a whole: its head, and who listens. */
import { readCheckpoint } from '../../mesh/log/checkpoint.js';
import { signatureHolds, type SignatureCheck } from '../../mesh/log/signing.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { isObject } from '../../protocol/json/values.js';
import { askMesh, malformed, Members } from './answers.js';
import { Failure } from '../failure.js';
import { absentIn, type AbsentVerifier } from './orders.js';
import type { MeshEndpoint } from '../ports/mesh.js';

/** A client that follows the mesh now. */
export interface Listener {
  /** Null for one that does not report what it applies. */
  readonly verifier: string | null;
  readonly keyId: string;
  readonly mode: string;
  /** seq that it has applied; of one that does not report, what was sent to it. */
  readonly seq: number;
  readonly reports: boolean;
  readonly lastSeenMs: number;
  /** What people call it; null of one that only looks. */
  readonly label: string | null;
  /** Version of its program; null of the first one. */
  readonly program: string | null;
  readonly onStale: string | null;
  readonly maxAgeMs: number | null;
  /** True where its own key was stopped: it listens, and what it confirms is not believed. */
  readonly keyDenied: boolean;
}

/** What the last drill found. */
export interface LastDrill {
  /** RFC 3339. */
  readonly at: string;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  readonly can_halt: string;
  readonly ok: boolean;
}

/** A mesh as its server describes it. `time` is RFC 3339, by the server's clock. */
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
  /** How many verifiers should listen. */
  readonly roster: number;
  /** Those of them that do not. */
  readonly absent: readonly AbsentVerifier[];
  /** Labels of verifiers of the first version: they do not hear of passports. */
  readonly older: readonly string[];
  readonly lastDrill: LastDrill | null;
}

const TIMEOUT_MS = 5_000;

/** Fails with NETWORK when it cannot be reached, and when it is another mesh than the one whose key is pinned. */
export async function meshOverview(line: MeshEndpoint, check: SignatureCheck): Promise<Overview> {
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
      label: one.textOrNull('label'),
      program: one.textOrNull('program'),
      onStale: one.textOrNull('on_stale'),
      maxAgeMs: one.numberOrNull('max_age_ms'),
      keyDenied: one.flagOr('key_denied', false),
    })),
    roster: read.number('roster'),
    absent: read.list('absent').map(absentIn),
    older: read.list('older').map((one) => one.text('label')),
    lastDrill: drillIn(read.objectOrNull('last_drill')),
  };
}

/** The last signed word of every verifier on the roster that answers `challenge`. */
export async function answersTo(line: MeshEndpoint, challenge: string): Promise<readonly JsonObject[]> {
  const answers: JsonObject[] = [];
  for (let next: string | null = null; ;) {
    const target = `/v1/mesh/roster${next === null ? '' : `?after=${encodeURIComponent(next)}`}`;
    const page = new Members(line, await askMesh(line, { method: 'GET', target, timeoutMs: TIMEOUT_MS }));
    for (const one of page.list('verifiers')) {
      const applied = one.objectOrNull('applied')?.value;
      if (applied?.challenge === challenge) answers.push(applied);
    }
    const after = page.textOrNull('next');
    if (after === null || after === next) return answers;
    next = after;
  }
}

function drillIn(read: Members | null): LastDrill | null {
  if (read === null) return null;
  return {
    at: read.text('at'),
    p50_ms: read.numberOrNull('p50_ms'),
    p99_ms: read.numberOrNull('p99_ms'),
    can_halt: read.text('can_halt'),
    ok: read.flag('ok'),
  };
}

function requireGenuine(line: MeshEndpoint, answer: JsonObject, check: SignatureCheck): void {
  if (answer.checkpoint === null) {
    const { sealed_by_term: sealed, follows } = answer;
    const why =
      typeof sealed === 'number'
        ? `it is sealed: the mesh has gone on elsewhere, in term ${sealed}`
        : isObject(follows)
          ? `it follows ${String(follows.home)}, which does not answer`
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
