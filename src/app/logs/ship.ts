/** Ships this machine's log to its mesh: in batches, each entry once, from wherever the mesh says that it stands. */
import type { Link } from '../../protocol/log/chain.js';
import { formatTime } from '../../protocol/time.js';
import type { LogRecord } from '../../protocol/log/entry.js';
import { reconnectDelay } from '../../mesh/client/reconnect.js';
import type { LogArchive } from '../ports/log.js';
import { statementIn } from './checkpoint.js';
import { isSignedBy } from './statements.js';
import type { MeshEndpoint } from '../ports/mesh.js';
import type { State } from '../ports/state.js';

/** What is read of the log, and where the mesh's countersignatures are kept. */
export interface ShippedLog extends Pick<State, 'records' | 'logId' | 'verifier'> {
  bounds(): { readonly after: Link; readonly head: Link };
  readonly archive: Pick<LogArchive, 'addCheckpoint'>;
}

/** How far shipping is. */
export type ShippingState =
  /** The mesh holds everything up to `seq`. */
  | { readonly kind: 'current'; readonly seq: number }
  | { readonly kind: 'shipping'; readonly behind: number }
  /** Nothing is lost: it goes on from the mesh's own answer. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly ms: number };

/** Why shipping ended by itself: going on would hide something, or is not allowed. */
export interface ShippingEnd {
  readonly kind: 'log_cut' | 'log_changed' | 'log_pruned' | 'refused' | 'distrusted';
  readonly message: string;
}

/** What shipping a log to the mesh needs. */
export interface ShippingDeps {
  readonly log: ShippedLog;
  /** The mesh's home. */
  readonly line: MeshEndpoint;
  /** The mesh's pinned key, raw: only its word on what it holds is believed. */
  readonly meshKey: Uint8Array;
  /** ms since the epoch. */
  readonly clock: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Resolves after `ms`, or at once when `signal` says so. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told when it changes. */
  readonly onState: (state: ShippingState) => void;
  /** Has the mesh cosign the tree over the log, once the mesh holds all of it. */
  readonly witness?: () => Promise<Witnessing>;
}

/** How a cosignature of the tree was come by: it may be asked for again soon or with the next one that is due, or the log must not go on. */
export type Witnessing = 'done' | 'again' | ShippingEnd;

/** Small, so that taking them in holds up no revocation. */
const BATCH_ENTRIES = 100;
const BATCH_BYTES = 96 * 1024;
/** How soon an entry that was committed here is on its way, ms. */
const LOOK_MS = 250;
const TIMEOUT_MS = 15_000;
/** The mesh's countersignature is kept this often while entries flow, ms. */
const KEEP_MS = 600_000;
/** A cosignature that was not given is asked for again after this at first, and after twice as long each time, ms. */
const AGAIN_MS = 10_000;

/** Ships until `signal` says so (null), or until it must not go on. Never rejects for what the network does. */
export async function shipLogs(deps: ShippingDeps, signal: AbortSignal): Promise<ShippingEnd | null> {
  const { log, random, pause, onState, clock } = deps;
  let held: Link | null = null;
  let unkept: { readonly seq: number; readonly text: string } | null = null;
  let keptAt = -Infinity;
  let failures = 0;
  let current = -1;
  let [witnessAt, againMs] = [-Infinity, AGAIN_MS];
  const keep = (): void => {
    if (unkept !== null) log.archive.addCheckpoint(unkept.seq, unkept.text);
    unkept = null;
    keptAt = clock();
  };
  while (!signal.aborted) {
    const batch = held === null ? [] : batchAfter(log, held.seq);
    if (held !== null && batch.length === 0) {
      if (current !== held.seq) onState({ kind: 'current', seq: held.seq });
      current = held.seq;
      if (clock() - keptAt >= KEEP_MS) keep();
      if (deps.witness !== undefined && clock() >= witnessAt) {
        const seen = await deps.witness();
        if (typeof seen !== 'string') return seen;
        witnessAt = clock() + (seen === 'done' ? KEEP_MS : againMs);
        againMs = seen === 'done' ? AGAIN_MS : Math.min(KEEP_MS, 2 * againMs);
      }
      await pause(LOOK_MS, signal);
      continue;
    }
    if (held !== null && batch.length > 1) onState({ kind: 'shipping', behind: log.bounds().head.seq - held.seq });
    const told = await send(deps, batch);
    if (told.kind === 'end') return told.end;
    if (told.kind === 'later') {
      failures += 1;
      // What the mesh took of it is unknown, so it is asked again.
      held = null;
      const ms = reconnectDelay(failures, random());
      onState({ kind: 'waiting', reason: told.reason, ms });
      current = -1;
      await pause(ms, signal);
      continue;
    }
    failures = 0;
    const problem = contradiction(log, told.held, held !== null);
    if (problem !== null) return problem;
    if (told.checkpoint !== null && batch.length > 0) unkept = { seq: told.held!.seq, text: told.checkpoint };
    held = told.held ?? log.bounds().after;
  }
  keep();
  return null;
}

type Told =
  | { readonly kind: 'held'; readonly held: Link | null; readonly checkpoint: string | null }
  | { readonly kind: 'later'; readonly reason: string }
  | { readonly kind: 'end'; readonly end: ShippingEnd };

async function send({ log, line, meshKey, clock }: ShippingDeps, entries: readonly LogRecord[]): Promise<Told> {
  const { logId, verifier } = log;
  // By it the mesh knows how far ahead this clock is, and with it the times of the entries.
  const headers = { 'Aip-Sent-At': formatTime(clock()) };
  const body = Buffer.from(JSON.stringify({ log_id: logId, verifier, entries }));
  const reply = await line.ask({ method: 'POST', target: '/v1/logs', headers, body, timeoutMs: TIMEOUT_MS });
  if (reply.kind === 'unreachable') return { kind: 'later', reason: reply.reason };
  const { status } = reply;
  const json = parsed(reply.body);
  const code = json?.['code'];
  // Neither a yes nor a no of a mesh: a proxy or a portal in between has answered. It goes, and the log must not have stopped for good.
  if (status === 200 ? json?.['checkpoint'] === undefined : typeof code !== 'string')
    return { kind: 'later', reason: `${line.url} answered ${status} with something that is no mesh's answer` };
  if (status === 200) {
    const checkpoint = json?.['checkpoint'];
    if (checkpoint === null && entries.length === 0) return { kind: 'held', held: null, checkpoint: null };
    const text = JSON.stringify(checkpoint) ?? '';
    const link = believed(text, logId, meshKey);
    if (link !== null) return { kind: 'held', held: link, checkpoint: text };
    return end('distrusted', 'What answers is not signed with the key of this mesh, so nothing more is sent to it.');
  }
  const said = typeof json?.['message'] === 'string' ? json['message'] : `the mesh answered ${status}`;
  // Gaps and forks are settled by asking where the mesh stands; that is then compared with the log here.
  if (code === 'LOG_FORK' || status >= 500 || status === 429) return { kind: 'later', reason: said };
  return end('refused', `The mesh does not take this log: ${said}`);
}

function end(kind: ShippingEnd['kind'], message: string): Told {
  return { kind: 'end', end: { kind, message } };
}

function believed(text: string, logId: string, meshKey: Uint8Array): Link | null {
  const signed = statementIn(Buffer.from(text));
  if (signed?.statement.type !== 'log-checkpoint' || signed.statement.log_id !== logId) return null;
  const { seq, hash } = signed.statement;
  return isSignedBy(signed, [meshKey]) ? { seq, hash } : null;
}

/** What a mesh says of a log: the countersigned place up to which it holds it, as JSON; null where it holds nothing of it. */
export type MeshWord =
  | { readonly kind: 'said'; readonly checkpoint: string | null }
  | { readonly kind: 'silent'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** Asks the mesh up to where it holds the log; nothing is sent. Only what is signed with the mesh's key is believed. */
export async function askHeld(
  { logId, verifier }: Pick<ShippedLog, 'logId' | 'verifier'>,
  line: MeshEndpoint,
  meshKey: Uint8Array,
  timeoutMs: number,
): Promise<MeshWord> {
  const body = Buffer.from(JSON.stringify({ log_id: logId, verifier, entries: [] }));
  const reply = await line.ask({ method: 'POST', target: '/v1/logs', body, timeoutMs });
  if (reply.kind === 'unreachable') return { kind: 'silent', reason: reply.reason };
  const json = parsed(reply.body);
  const said = typeof json?.['message'] === 'string' ? json['message'] : `it answered ${reply.status}`;
  if (reply.status !== 200) return { kind: reply.status >= 500 ? 'silent' : 'refused', reason: said };
  const checkpoint = json?.['checkpoint'];
  if (checkpoint === null) return { kind: 'said', checkpoint: null };
  const text = JSON.stringify(checkpoint) ?? '';
  if (believed(text, logId, meshKey) !== null) return { kind: 'said', checkpoint: text };
  return { kind: 'refused', reason: 'what answers is not signed with the key of this mesh' };
}

/** What the mesh holds against what is here. It remembers what a writer of the local file would like forgotten. */
function contradiction(log: ShippedLog, held: Link | null, sent: boolean): ShippingEnd | null {
  const { after, head } = log.bounds();
  if (held === null) return null;
  if (held.seq > head.seq) {
    const lost = `entries ${head.seq + 1} to ${held.seq}`;
    return {
      kind: 'log_cut',
      message: `The mesh holds ${lost} of this log, which are missing here: its end was cut off.`,
    };
  }
  if (held.seq < after.seq) {
    const lost = `${held.seq + 1} to ${after.seq}`;
    return { kind: 'log_pruned', message: `Entries ${lost} were pruned here before the mesh had them.` };
  }
  const here = held.seq === after.seq ? after.hash : hashAt(log, held.seq);
  if (here === held.hash) return null;
  // Pruned between the two looks.
  if (here === null && log.bounds().after.seq >= held.seq) return contradiction(log, held, sent);
  const when = sent ? 'while it was shipped' : 'after it was shipped';
  return {
    kind: 'log_changed',
    message: `Entry ${held.seq} of this log is not the one that the mesh holds: it was changed ${when}.`,
  };
}

function hashAt(log: ShippedLog, seq: number): string | null {
  for (const entry of log.records({ afterSeq: seq - 1 })) return entry.seq === seq ? entry.hash : null;
  return null;
}

function batchAfter(log: ShippedLog, seq: number): LogRecord[] {
  if (log.bounds().head.seq <= seq) return [];
  const batch: LogRecord[] = [];
  let bytes = 0;
  for (const entry of log.records({ afterSeq: seq })) {
    bytes += JSON.stringify(entry).length;
    if (batch.length > 0 && bytes > BATCH_BYTES) break;
    batch.push(entry);
    if (batch.length === BATCH_ENTRIES) break;
  }
  return batch;
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
