/** The mesh as a whole: its head, who listens, and whether its endpoints tell one log. */
import { partOf } from '../../mesh/document.js';
import { readCheckpoint, type Checkpoint } from '../../mesh/log/checkpoint.js';
import { hashOf, readEvent, type MeshEvent } from '../../mesh/log/event.js';
import type { Head } from '../../mesh/log/head.js';
import { signatureHolds, type SignatureCheck } from '../../mesh/log/signing.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { askMesh, everyPage, malformed } from './answers.js';
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
  /** What it signed of the end of its log. */
  readonly signed: Head;
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
    const { log_id: logId, term, head: seq, hash } = requireGenuine(line, answer, check);
    return { url: line.url, signed: { logId, term, seq, hash }, ...overviewIn(answer) };
  });
}

const MEMBERS = [
  ...(['log_id', 'head', 'time', 'up_ms', 'require_signed_commands', 'connected', 'more'] as const),
  ...(['verifiers', 'roster', 'absent', 'older', 'last_drill'] as const),
];

function overviewIn(answer: JsonObject): Omit<Overview, 'url' | 'signed'> {
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

function requireGenuine(line: MeshEndpoint, answer: JsonObject, check: SignatureCheck): Checkpoint {
  if (answer.checkpoint === null) {
    const told = partOf('MeshStatus', answer, [], ['sealed_by_term', 'follows']);
    const { sealed_by_term: sealed = null, follows = null } = told;
    const why =
      sealed !== null
        ? `it is sealed: the mesh has gone on elsewhere, in term ${sealed}`
        : follows !== null
          ? `it follows ${follows.home}, which gives it no proof`
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
  const checkpoint = readCheckpoint(answer.checkpoint);
  if (signatureHolds(checkpoint as unknown as JsonObject, check)) return checkpoint;
  throw new OtherKey(line);
}

/** An endpoint whose answer another key signed than the mesh's. */
class OtherKey extends Failure {
  constructor({ url }: MeshEndpoint) {
    super('NETWORK', `${url} does not sign with the pinned key of the mesh: it is another mesh, or an impostor.`, {
      hint: 'compare the key that aip mesh serve printed with mesh.public_key (aip config list), or with --mesh-key of aip mesh join',
    });
  }
}

/** The events of a page, each signed by the mesh's key. @throws ShapeError; Failure NETWORK for one that is forged */
export function eventsIn(line: MeshEndpoint, answer: JsonObject, check: SignatureCheck): MeshEvent[] {
  return partOf('Events', answer, ['events']).events.map((value) => {
    const event = readEvent(value);
    if (hashOf(event) === event.hash && signatureHolds(event as unknown as JsonObject, check)) return event;
    throw new Failure('NETWORK', `${line.url} sent event ${event.seq}, which the mesh did not sign: it is forged.`, {
      hint: 'ask the operator of the mesh, over another channel',
    });
  });
}

/** The event `seq`, signed by the mesh's key; null where the mesh does not tell it any more. @throws Failure NETWORK */
async function eventAt(line: MeshEndpoint, check: SignatureCheck, seq: number): Promise<MeshEvent | null> {
  const target = `/v1/mesh/events?after=${seq - 1}&wait=0s&v=2`;
  const call = { method: 'GET', target, timeoutMs: TIMEOUT_MS } as const;
  const page = await askMesh(line, call, (answer) => eventsIn(line, answer, check));
  return page.find((event) => event.seq === seq) ?? null;
}

/** How an endpoint of the mesh stands to the one that is shown. */
export interface EndpointView {
  readonly url: string;
  /**
   * `agrees`: it tells the same log, perhaps not as far. `differs`: another one, under the mesh's key. `foreign`: under another key.
   * `silent`: it proves nothing now.
   */
  readonly state: 'agrees' | 'differs' | 'foreign' | 'silent';
  readonly term: number | null;
  readonly head: number | null;
  /** Null where it agrees. */
  readonly reason: string | null;
}

/** A mesh as the first endpoint that proves something shows it, and how all stand to that one, in their order. */
export interface MeshSurvey {
  readonly line: MeshEndpoint;
  readonly seen: Overview;
  readonly endpoints: readonly EndpointView[];
}

/** Asks all endpoints at once: two homes beside each other are found in no answer of one. @throws Failure as the first one's, where none proves anything */
export async function surveyMesh(lines: readonly MeshEndpoint[], check: SignatureCheck): Promise<MeshSurvey> {
  const heard = await Promise.all(lines.map((line) => heardOf(line, check)));
  const shown = heard.find((one) => one.seen !== null);
  if (shown === undefined) throw heard.find((one) => one.seen === null)!.failure;
  const endpoints = await Promise.all(heard.map((one) => viewOf(one, shown, check)));
  return { line: shown.line, seen: shown.seen, endpoints };
}

interface Proven {
  readonly line: MeshEndpoint;
  readonly seen: Overview;
}

type Heard = Proven | { readonly line: MeshEndpoint; readonly seen: null; readonly failure: Failure };

async function heardOf(line: MeshEndpoint, check: SignatureCheck): Promise<Heard> {
  try {
    return { line, seen: await meshOverview(line, check) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { line, seen: null, failure: error };
  }
}

async function viewOf(one: Heard, shown: Proven, check: SignatureCheck): Promise<EndpointView> {
  const { url } = one.line;
  if (one.seen === null) {
    const state = one.failure instanceof OtherKey ? 'foreign' : 'silent';
    return { url, state, term: null, head: null, reason: one.failure.message };
  }
  const { term, seq: head } = one.seen.signed;
  try {
    const reason = await differenceOf(one, shown, check);
    return { url, state: reason === null ? 'agrees' : 'differs', term, head, reason };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { url, state: 'silent', term, head, reason: error.message };
  }
}

/** What shows that two endpoints do not tell one log; null where one only is not as far. @throws Failure NETWORK: they cannot be compared */
async function differenceOf(one: Proven, other: Proven, check: SignatureCheck): Promise<string | null> {
  const [a, b] = [one.seen.signed, other.seen.signed];
  if (a.logId !== b.logId) return `its log is ${a.logId}, and that of ${other.line.url} is ${b.logId}`;
  if (a.term !== b.term) return `it is in term ${a.term}, and ${other.line.url} in term ${b.term}`;
  const [near, far] = a.seq <= b.seq ? [a, other] : [b, one];
  if (near.seq === 0) return null;
  const there = near.seq === far.seen.signed.seq ? far.seen.signed : await eventAt(far.line, check, near.seq);
  if (there === null) throw malformed(far.line, `it does not tell event ${near.seq} any more`);
  return there.hash === near.hash ? null : `event ${near.seq} is another one there than at ${other.line.url}`;
}
