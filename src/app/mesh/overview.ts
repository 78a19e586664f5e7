/** The mesh as a whole: its head, and who listens. */
import { partOf } from '../../mesh/document.js';
import { readCheckpoint } from '../../mesh/log/checkpoint.js';
import { signatureHolds, type SignatureCheck } from '../../mesh/log/signing.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { askMesh, everyPage } from './answers.js';
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
  /** Those of them that do not, as far as the mesh names them. */
  readonly absent: readonly AbsentVerifier[];
  readonly absentTotal: number;
  /** Labels of verifiers of the first version: they do not hear of passports. */
  readonly older: readonly string[];
  readonly lastDrill: LastDrill | null;
}

const TIMEOUT_MS = 5_000;

/** Fails with NETWORK when it cannot be reached, and when it is another mesh than the one whose key is pinned. */
export async function meshOverview(line: MeshEndpoint, check: SignatureCheck): Promise<Overview> {
  const call = { method: 'GET', target: '/v1/mesh/status', timeoutMs: TIMEOUT_MS } as const;
  return askMesh(line, call, (answer) => {
    requireGenuine(line, answer, check);
    return { url: line.url, ...overviewIn(answer) };
  });
}

const MEMBERS = [
  ...(['log_id', 'head', 'time', 'up_ms', 'require_signed_commands', 'connected', 'more'] as const),
  ...(['verifiers', 'roster', 'absent', 'older', 'last_drill'] as const),
];

function overviewIn(answer: JsonObject): Omit<Overview, 'url'> {
  const told = partOf('MeshStatus', answer, MEMBERS, ['absent_total']);
  const { head, time, connected, more, roster, absent_total: absentTotal = told.absent.length } = told;
  return {
    ...{ logId: told.log_id, head, time, upMs: told.up_ms, requireSignedCommands: told.require_signed_commands },
    ...{ connected, more, listeners: told.verifiers.map(listenerIn), roster },
    ...{ absent: told.absent.map(absentIn), absentTotal },
    older: told.older.map(({ label }) => label),
    lastDrill: told.last_drill === null ? null : drillIn(told.last_drill),
  };
}

const LISTENER = [
  ...(['verifier', 'key_id', 'mode', 'seq', 'confirmed', 'last_seen_ms'] as const),
  ...(['label', 'program', 'on_stale', 'max_age_ms'] as const),
];

function listenerIn(value: JsonObject): Listener {
  const told = partOf('Listener', value, LISTENER, ['key_denied']);
  const { verifier, mode, seq, label, program, key_denied = false } = told;
  return {
    ...{ verifier, keyId: told.key_id, mode, seq, reports: told.confirmed, lastSeenMs: told.last_seen_ms },
    ...{ label, program, onStale: told.on_stale, maxAgeMs: told.max_age_ms, keyDenied: key_denied },
  };
}

function drillIn(value: JsonObject): LastDrill {
  return partOf('DrillKept', value, ['at', 'p50_ms', 'p99_ms', 'can_halt', 'ok']);
}

/** The last signed word of every verifier on the roster that answers `challenge`. */
export async function answersTo(line: MeshEndpoint, challenge: string): Promise<readonly JsonObject[]> {
  const answers = await everyPage(line, (after) => {
    const target = `/v1/mesh/roster${after === null ? '' : `?after=${encodeURIComponent(after)}`}`;
    return askMesh(line, { method: 'GET', target, timeoutMs: TIMEOUT_MS }, (answer) => {
      const { verifiers, next } = partOf('Roster', answer, ['verifiers', 'next']);
      return { items: verifiers.map((each) => partOf('RosterMember', each, ['applied']).applied), next };
    });
  });
  return answers.filter((applied): applied is JsonObject => applied?.challenge === challenge);
}

function requireGenuine(line: MeshEndpoint, answer: JsonObject, check: SignatureCheck): void {
  if (answer.checkpoint === null) {
    const told = partOf('MeshStatus', answer, [], ['sealed_by_term', 'follows']);
    const { sealed_by_term: sealed = null, follows = null } = told;
    const why =
      sealed !== null
        ? `it is sealed: the mesh has gone on elsewhere, in term ${sealed}`
        : follows !== null
          ? `it follows ${follows.home}, which does not answer`
          : 'its store does not answer';
    throw new Failure('NETWORK', `${line.url} proves nothing now: ${why}.`, {
      hint:
        sealed !== null
          ? 'point mesh.url at the server that was promoted: aip config list --sources'
          : follows !== null
            ? `curl ${follows.home}/healthz; where home is lost: aip help growing`
            : `curl ${line.url}/healthz`,
      retryable: sealed === null,
    });
  }
  if (signatureHolds(readCheckpoint(answer.checkpoint) as unknown as JsonObject, check)) return;
  throw new Failure(
    'NETWORK',
    `${line.url} does not sign with the pinned key of the mesh: it is another mesh, or an impostor.`,
    {
      hint: 'compare the key that aip mesh serve printed with mesh.public_key (aip config list), or with --mesh-key of aip mesh join',
    },
  );
}
