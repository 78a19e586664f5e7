/**
 * Requests for approval through the mesh: what this machine asks is handed in, what persons elsewhere answer is brought here. The mesh
 * only carries; each answer is judged by this machine's own pins.
 */
import {
  readActionApproval,
  type ActionApproval,
  type ActionApprovalDocument,
} from '../../protocol/approvals/approval.js';
import { isRequestId } from '../../protocol/approvals/approval.js';
import { jsonObjectIn, readOrNull } from '../../protocol/json/shape.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { MAX_APPROVAL_REQUEST_BYTES, MOST_ANSWERS } from '../../mesh/approvals/kept.js';
import type { MeshCall, MeshEndpoint } from '../ports/mesh.js';
import type { Clock, MeshRequest, State, ToldMesh } from '../ports/state.js';
import { Breaker } from '../verification/hooks/breaker.js';
import { keepAnswer } from './keep.js';

/** What a relay stands on. */
export interface RelayDeps {
  /** Lines to the mesh, in the order in which they are tried; empty where this machine cannot speak with it. */
  readonly lines: () => Promise<readonly MeshEndpoint[]>;
  readonly state: Pick<State, 'transact' | 'look' | 'pins' | 'standingNow'>;
  readonly clock: Clock;
  /** This machine's public key as a verifier: it looks for answers to its own requests alone. */
  readonly verifier: () => string;
  /** Told in one sentence of what persons elsewhere will not see. */
  readonly notice: (sentence: string) => void;
}

/** The way to persons elsewhere. Nothing here rejects for what the network does. */
export interface ApprovalRelay {
  /** The answers that the mesh has to these requests, where it says so in time; those that count here are kept as well. */
  answersTo(ids: readonly string[]): Promise<readonly ActionApproval[]>;
  /** Requests were raised or ended: the mesh is told in the background. */
  tell(): void;
  /** Resolves when the mesh has been told, or was not heard. */
  settled(): Promise<void>;
  /** Tells the mesh, and looks for answers to everything that waits here. */
  sweep(): Promise<void>;
  /** Sweeps when it is time to again, in the background. Call it with every proof that the mesh is there. */
  proven(): void;
  /** The stream told of a request: what concerns this machine is looked at. `data` is the frame's. */
  heard(data: string): void;
}

/** Longest that a decision waits for the mesh, in ms. */
const FETCH_MS = 300;
/** The same id is not asked about more often than this, in ms: a decision must not be a way to load the mesh. */
const AGAIN_MS = 200;
const TELL_MS = 2_000;
const AT_ONCE = 4;
const CIRCUIT = 'mesh';
/** What the stream did not tell is found this late, in ms. */
const SWEEP_MS = 10_000;

/** Refusals that a later try will not mend. */
const FINAL: ReadonlySet<string> = new Set([
  'APPROVAL_INVALID',
  'APPROVAL_ENDED',
  'FORBIDDEN',
  'TOO_LARGE',
  'NOT_FOUND',
]);

/**
 * Refusals of a request's answers after which it is handed in anew: a region that took the place of home, or a backup that was put back, has the log and
 * no requests; and what came under the API key that this machine had before is no other key's.
 */
const HAND_IN_AGAIN: ReadonlySet<string> = new Set(['NOT_FOUND', 'FORBIDDEN']);

/** The way between the requests of this machine and a mesh, over `deps`. */
export function approvalRelay(deps: RelayDeps): ApprovalRelay {
  const { state, clock, notice } = deps;
  const breaker = new Breaker();
  const asked = new Map<string, number>();
  let [telling, again]: [Promise<void> | null, boolean] = [null, false];
  let said = '';
  let sweptAt = 0;
  let sweeping: Promise<void> | null = null;

  const say = (sentence: string): void => {
    if (sentence !== said) notice((said = sentence));
  };

  const ask = async (call: MeshCall): Promise<{ readonly status: number; readonly json: JsonObject } | string> => {
    const now = clock();
    if (!breaker.admits(CIRCUIT, now)) return 'it did not answer just now';
    let trouble = 'this machine has no API key for it';
    for (const line of await deps.lines()) {
      const reply = await line.ask(call);
      const json = reply.kind === 'answered' ? jsonObjectIn(reply.body) : null;
      if (reply.kind === 'answered' && json !== null && reply.status < 500) {
        breaker.ended(CIRCUIT, true, now);
        return { status: reply.status, json };
      }
      trouble = reply.kind === 'answered' ? `it answered ${reply.status}` : reply.reason;
    }
    breaker.ended(CIRCUIT, false, now);
    return trouble;
  };

  /** The requests that the mesh has, and that wait for answers. */
  const waitingThere = (now: number): readonly string[] => {
    const requests = state.look((ledger) => ledger.requestsForMesh(now));
    return requests.filter(({ isNew, status }) => !isNew && status === 'open').map(({ id }) => id);
  };

  /** What became of one request at the mesh; null where it did not take it now, so that it is told again. */
  const tellOne = async ({ id, isNew, status, spentBy, text }: MeshRequest): Promise<ToldMesh | 'unheard' | null> => {
    const path = '/v1/mesh/approvals';
    if (isNew && Buffer.byteLength(text) > MAX_APPROVAL_REQUEST_BYTES) {
      say(`The request ${id} is too large for the mesh: it is answered on this machine.`);
      return 'refused';
    }
    const body = isNew ? text : JSON.stringify({ status, intent_hash: spentBy });
    const target = isNew ? path : `${path}/${id}/end`;
    const reply = await ask({ method: 'POST', target, body: Buffer.from(body), timeoutMs: TELL_MS });
    if (typeof reply === 'string') {
      say(`The mesh was not told of a request for approval: ${reply}. It is answered on this machine meanwhile.`);
      return 'unheard';
    }
    if (reply.status === 200 || reply.status === 201) return isNew ? 'sent' : 'ended';
    const code = String(reply.json.code);
    if (code === 'TOO_MANY_PENDING') {
      say(`The mesh takes no more requests for approval now: ${id} waits on this machine.`);
      return null;
    }
    if (!FINAL.has(code)) return null;
    if (isNew) say(`The mesh took the request ${id} not (${code}): it is answered on this machine.`);
    return isNew ? 'refused' : 'ended';
  };

  const tellAll = async (): Promise<void> => {
    do {
      again = false;
      const open = state.look((ledger) => ledger.requestsForMesh(clock()));
      for (const request of open) {
        if ((!request.isNew && request.status === 'open') || request.verifier !== deps.verifier()) continue;
        const stage = await tellOne(request);
        if (stage === 'unheard') return;
        if (stage !== null) state.transact((ledger) => ledger.toldMesh(request.id, stage));
      }
    } while (again);
  };

  const bring = async (id: string, timeoutMs: number): Promise<readonly ActionApproval[]> => {
    const reply = await ask({ method: 'GET', target: `/v1/mesh/approvals/${id}/answers`, timeoutMs });
    if (typeof reply === 'string') return [];
    if (HAND_IN_AGAIN.has(String(reply.json.code))) {
      state.transact((ledger) => ledger.toldMesh(id, 'lost'));
      relay.tell();
    }
    if (reply.status !== 200) return [];
    const answers = answersIn(reply.json, id);
    for (const { document } of answers) {
      const problem = keepAnswer(state, document, clock());
      if (problem !== null) say(`An answer of ${nameOf(document)} to the request ${id} was not kept: ${problem}.`);
    }
    return answers;
  };

  const told = async (): Promise<void> => {
    relay.tell();
    while (telling !== null) await telling;
  };

  const relay: ApprovalRelay = {
    async answersTo(ids) {
      const now = clock();
      const waiting = waitingThere(now);
      const isDue = (at: number): boolean => now - at >= AGAIN_MS || now < at;
      const due = [...new Set(ids)].filter((id) => waiting.includes(id) && isDue(asked.get(id) ?? 0));
      for (const id of due) asked.set(id, now);
      for (const [id, at] of asked) if (now - at > 60_000) asked.delete(id);
      return (await Promise.all(due.map((id) => bring(id, FETCH_MS)))).flat();
    },
    tell() {
      again = true;
      telling ??= tellAll()
        // A state that cannot be written is told of by what decides; the next request tries again.
        .catch((error: unknown) => say(`Requests for approval do not reach the mesh: ${String(error).slice(0, 200)}`))
        .finally(() => (telling = null));
    },
    settled: async () => {
      while (telling !== null || sweeping !== null) await (telling ?? sweeping);
    },
    proven() {
      const now = clock();
      if (sweeping !== null || (now - sweptAt < SWEEP_MS && now >= sweptAt)) return;
      sweptAt = now;
      sweeping = relay
        .sweep()
        .catch((error: unknown) => say(`Answers to requests for approval do not come: ${String(error).slice(0, 200)}`))
        .finally(() => (sweeping = null));
    },
    heard(data) {
      const frame = jsonObjectIn(data);
      if (frame === null || frame.verifier !== deps.verifier() || typeof frame.request_id !== 'string') return;
      if (!isRequestId(frame.request_id) || frame.approved === 0) return;
      void bring(frame.request_id, TELL_MS).catch((error: unknown) =>
        say(`Answers to requests for approval do not come: ${String(error).slice(0, 200)}`),
      );
    },
    async sweep() {
      await told();
      const ids = waitingThere(clock());
      for (let i = 0; i < ids.length; i += AT_ONCE)
        await Promise.all(ids.slice(i, i + AT_ONCE).map((id) => bring(id, TELL_MS)));
      // A denial that came in ends the request at the mesh as well.
      await told();
    },
  };
  return relay;
}

function answersIn({ request_id, answers }: JsonObject, id: string): readonly ActionApproval[] {
  if (request_id !== id || !Array.isArray(answers)) return [];
  return (answers as readonly Json[]).slice(0, MOST_ANSWERS).flatMap((each) => {
    const answer = readOrNull(() => readActionApproval(JSON.stringify(each)));
    return answer?.document.request_id === id ? [answer] : [];
  });
}

/** An id that somebody wrote, for a sentence on a terminal. */
function nameOf({ approver }: ActionApprovalDocument): string {
  return /^[\x21-\x7e]{1,200}$/.test(approver) ? approver : 'an approver';
}

/** The requests that documents name, so that the answers to them can be looked for before they are judged. */
export function requestsNamed(names: readonly (string | null | undefined)[]): readonly string[] {
  return names.filter((name): name is string => name != null && isRequestId(name));
}
