/** Claims and answers as `settle` reads and writes them. What comes back is read strictly: a database is another program. */
import { createHash } from 'node:crypto';
import type { FleetClaim, KeptClaim, Obstacle, UnloggedCall, SettledClaim } from '../../../app/ports/fleet-memory.js';
import { toHex } from '../../../protocol/hex.js';

/** Another answer than `settle` of this version gives. */
export class UnknownAnswer extends Error {
  constructor(what: string) {
    super(`the database answered ${what} that is none`);
    this.name = 'UnknownAnswer';
  }
}

/** A claim as JSON. */
export function claimToJson(id: Uint8Array, claim: FleetClaim): object {
  const { agentId, nonce, intentHash, keepUntil, keepMs, since, at, obstacles, free, looks } = claim;
  const usage = free?.usage ?? null;
  return {
    id: toHex(id),
    agent: agentId,
    key: createHash('sha256').update(`${agentId}\n${nonce}`).digest('hex').slice(0, 32),
    intent: intentHash,
    keep: Math.ceil(keepUntil),
    keep_ms: Math.ceil(keepMs),
    since: since === null ? null : Math.floor(since),
    at,
    writes: !looks && (free !== null || obstacles.some(({ spendsAs }) => spendsAs !== null)),
    obstacles: obstacles.map(obstacleToJson),
    free:
      free === null
        ? null
        : {
            as: free.spendsAs,
            request: free.request,
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
  };
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

function text(value: unknown): string {
  if (typeof value !== 'string' || value.length > 4096) throw new UnknownAnswer('a text');
  return value;
}

function digits(value: unknown): string {
  const found = text(value);
  if (!/^\d{1,60}$/.test(found)) throw new UnknownAnswer('a sum');
  return found;
}
