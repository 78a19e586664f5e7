/** Claims and answers as `settle` reads and writes them. What comes back is read strictly: a database is another program. */
import type {
  FleetClaim,
  KeptClaim,
  Obstacle,
  RaisedRequest,
  Release,
  SettledClaim,
  SharedAnswer,
  SharedRequest,
  UnloggedCall,
} from '../../../app/ports/fleet-memory.js';
import { sha256Hex } from '../../../protocol/hash.js';
import { toHex } from '../../../protocol/hex.js';
import { MAX_SHARED_REQUEST } from './version.js';

/** Another answer than `settle` of this version gives. */
export class UnknownAnswer extends Error {
  constructor(what: string) {
    super(`the answer of the database cannot be read: ${what}`);
    this.name = 'UnknownAnswer';
  }
}

/** A claim as JSON. */
export function claimToJson(id: Uint8Array, claim: FleetClaim): object {
  const { agentId, nonce, intentHash, keepUntil, keepMs, since, at, obstacles, free, raises, looks } = claim;
  const usage = free?.usage ?? null;
  const release = free?.release ?? null;
  return {
    id: toHex(id),
    agent: agentId,
    key: sha256Hex(`${agentId}\n${nonce}`).slice(0, 32),
    intent: intentHash,
    keep: Math.ceil(keepUntil),
    keep_ms: Math.ceil(keepMs),
    since: since === null ? null : Math.floor(since),
    at,
    writes: !looks && (free !== null || raises !== null || obstacles.some(({ spendsAs }) => spendsAs !== null)),
    // One that is too long stays on the machine that raised it.
    raises:
      raises === null || looks || raises.text.length > MAX_SHARED_REQUEST
        ? null
        : {
            id: raises.id,
            verifier: raises.verifier,
            action: raises.actionHash,
            ttl: Math.floor(raises.ttlMs),
            document: raises.text,
          },
    obstacles: obstacles.map(obstacleToJson),
    free:
      free === null
        ? null
        : {
            as: free.spendsAs,
            request: free.request,
            release: release === null ? null : { token: sha256Hex(release.token), most: String(release.mostMinor) },
            usage:
              usage === null
                ? null
                : {
                    action: usage.action,
                    currency: usage.currency,
                    amount: usage.amountMinor === null ? null : String(usage.amountMinor),
                    ...usage.traits,
                  },
          },
  };
}

/** What is handed in beside claims, as JSON. */
export function askedToJson({ requests = [], answers = [], release = null, verifier = null }: AskedBeside): object {
  return {
    requests,
    answers: answers.map(({ requestId, text, until }) => ({
      request: requestId,
      digest: sha256Hex(text),
      document: text,
      until: until === null ? null : Math.ceil(until),
    })),
    release,
    key: verifier,
  };
}

/** What is asked of the memory beside the settling of claims. */
export interface AskedBeside {
  /** Ids of requests for approval that are wanted. */
  readonly requests?: readonly string[];
  readonly answers?: readonly SharedAnswer[];
  /** The outcome token of what is to be given back. */
  readonly release?: string | null;
  /** A public key to look for among the enrolled verifiers. */
  readonly verifier?: string | null;
}

function obstacleToJson(obstacle: Obstacle): object {
  const as = obstacle.spendsAs;
  if (obstacle.kind === 'request') return { kind: 'request', id: obstacle.id, as };
  const { meter } = obstacle;
  const { windowMs: window, limit } = meter;
  return meter.kind === 'sum'
    ? { kind: 'sum', currency: meter.currency, window, asked: String(meter.asked), limit: String(limit), as }
    : { kind: 'count', actions: meter.actions, word: meter.word, window, limit, as };
}

/** What `settle` answered. */
export interface SettleAnswer {
  readonly now: number;
  readonly schema: number;
  readonly claims: readonly SettledClaim[];
  readonly open: readonly (UnloggedCall & { readonly id: OpenId })[];
  readonly requests: readonly SharedRequest[];
  /** Null where nothing was to be given back, or the schema is older and gives nothing back. */
  readonly released: Release | null;
  /** Whether the verifier that was asked about is enrolled. */
  readonly enrolled: boolean;
}

/** Process, slot and call of what is open. */
export type OpenId = readonly [process: string, slot: number, call: string];

/** Reads an answer to these claims. @throws UnknownAnswer */
export function readAnswer(json: unknown, claims: readonly FleetClaim[]): SettleAnswer {
  const answer = object(json, 'an object');
  const list = array(answer['claims'], 'a list of claims');
  if (list.length !== claims.length) throw new UnknownAnswer('another number of claims');
  return {
    now: whole(answer['now']),
    schema: whole(answer['schema']),
    claims: list.map((each, i) => settledOf(each, claims[i]!)),
    open: array(answer['open'], 'a list of calls').map(openOf),
    // The schema of the first version knows neither.
    requests: array(answer['requests'] ?? [], 'a list of requests').map(requestOf),
    released: answer['released'] == null ? null : releaseOf(answer['released']),
    enrolled: answer['enrolled'] === true,
  };
}

function settledOf(json: unknown, { obstacles }: FleetClaim): SettledClaim {
  const found = object(json, 'a claim');
  const before = found['before'] === null ? null : array(found['before'], 'a judgement');
  const readings = array(found['readings'], 'readings');
  if (before === null && readings.length !== obstacles.length) throw new UnknownAnswer('another number of readings');
  return {
    spentAs: found['as'] === null ? null : text(found['as']),
    before: before === null ? null : { firstSeenAt: whole(before[0]), firstResult: text(before[1]) },
    forgottenUntil: whole(found['forgotten']),
    readings: readings.map((each, i) => readingOf(object(each, 'a reading'), obstacles[i]!)),
    raised: found['raised'] == null ? null : raisedOf(object(found['raised'], 'a request')),
  };
}

function raisedOf(found: Readonly<Record<string, unknown>>): RaisedRequest {
  if (found['kept'] === true) return { kind: 'kept' };
  if (found['found'] !== undefined) return { kind: 'found', request: requestOf(found['found']) };
  const [agent, all] = array(found['pending'], 'a number of requests');
  return { kind: 'full', agent: whole(agent), all: whole(all) };
}

function requestOf(json: unknown): SharedRequest {
  const found = object(json, 'a request');
  const spent = found['spent'] === null ? null : array(found['spent'], 'an end');
  return {
    id: text(found['id']),
    verifier: text(found['verifier']),
    text: text(found['document'], MAX_SHARED_REQUEST),
    spent: spent === null ? null : { at: whole(spent[0]), intentHash: spent[1] === null ? null : text(spent[1]) },
    deniedAt: found['denied'] === null ? null : whole(found['denied']),
    answers: array(found['answers'], 'a list of answers').map((each) => text(each, MAX_SHARED_REQUEST)),
  };
}

const RELEASES: readonly unknown[] = ['released', 'unknown', 'late', 'most'] satisfies Release[];

function releaseOf(value: unknown): Release {
  if (!RELEASES.includes(value)) throw new UnknownAnswer('a release');
  return value as Release;
}

function readingOf(found: Readonly<Record<string, unknown>>, obstacle: Obstacle): SettledClaim['readings'][number] {
  if (obstacle.kind === 'request') {
    if (typeof found['spent'] !== 'boolean') throw new UnknownAnswer('a request');
    return { kind: 'request', spent: found['spent'] };
  }
  const { meter } = obstacle;
  if (meter.kind === 'sum') return { kind: 'sum', spent: BigInt(digits(found['spent'])) };
  const used = whole(found['used']);
  const at = found['at'] === null ? null : whole(found['at']);
  return { kind: 'count', used, roomAt: used < meter.limit || at === null ? null : at + meter.windowMs };
}

function openOf(json: unknown): UnloggedCall & { readonly id: OpenId } {
  const [process, slot, call, at, claims] = array(json, 'a call');
  return { id: [text(process), whole(slot), text(call)], at: whole(at), claims: array(claims, 'claims').map(keptOf) };
}

function keptOf(json: unknown): KeptClaim {
  const [agentId, intentHash, spentAs] = array(json, 'a kept claim');
  return { agentId: text(agentId), intentHash: text(intentHash), spentAs: text(spentAs) };
}

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new UnknownAnswer(what);
  return value as Readonly<Record<string, unknown>>;
}

function array(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new UnknownAnswer(what);
  return value;
}

function whole(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new UnknownAnswer('a number');
  return value;
}

function text(value: unknown, most = 4096): string {
  if (typeof value !== 'string' || value.length > most) throw new UnknownAnswer('a text');
  return value;
}

function digits(value: unknown): string {
  const found = text(value);
  if (!/^\d{1,60}$/.test(found)) throw new UnknownAnswer('a sum');
  return found;
}
