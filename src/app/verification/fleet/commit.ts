/**
 * Judges over a memory that a fleet shares: what a batch asks of it is found by a forecast, settled there in one trip, and judged here by
 * what was settled. The order is shared commit, local log, answer: a yes is counted in the fleet and logged here before it is given.
 */
import type { ActionApproval } from '../../../protocol/approvals/approval.js';
import { formatTime } from '../../../protocol/time.js';
import type { RequestRecord } from '../../../verify/approvals/approving.js';
import type { KnownTrust, StandingRecord } from '../../../verify/context.js';
import type { Judgement } from '../../../verify/judge.js';
import { approverPins, type ApproverPins } from '../../approvals/keep.js';
import { Failure } from '../../failure.js';
import type { FleetClaim, UnloggedCall, SettledBatch } from '../../ports/fleet-memory.js';
import type { Ledger, Memory, PassportFloor } from '../../ports/state.js';
import { refusesBeforeHooks } from '../settle.js';
import type { PreparedDocument, Sitting } from '../sitting.js';
import {
  judgeAndLog,
  sittingOn,
  type Fleet,
  type PreparedBatch,
  type VerifierDeps,
  type VerifyOptions,
} from '../verifier.js';
import { requestsNamed } from '../../approvals/relay.js';
import { claimOf } from './forecast.js';
import { NotSettled, SettledMemory, unasked, type SettledSetting } from './settled.js';
import { adopt, requestsShared, together } from './requests.js';

/** How often a document is asked about anew whose judgement changed on the way. */
const ATTEMPTS = 3;

/** A document with its claim; null for one that asks nothing of the fleet. */
interface Asked {
  /** Its place in the batch. */
  readonly place: number;
  readonly prepared: PreparedDocument;
  readonly claim: FleetClaim | null;
  /** The place of the claim among all that are settled at once. */
  readonly at: number;
}

/** What was known when the fleet was asked, so that the judgement after the trip goes by nothing that is kinder. */
interface Known {
  readonly wallNow: number;
  readonly standing: ReadonlyMap<string, StandingRecord | null>;
  readonly trust: ReadonlyMap<string, KnownTrust | null>;
  /** The requests for approval that the documents name and the fleet has, by id. */
  readonly requests: ReadonlyMap<string, RequestRecord>;
}

/** The decisions of a batch, in order. Rejects with a Failure where the fleet gives no answer: then nothing is decided. */
export async function commitShared(
  deps: VerifierDeps,
  fleet: Fleet,
  options: VerifyOptions,
  batch: PreparedBatch,
): Promise<Judgement[]> {
  const judgements = new Array<Judgement>(batch.length);
  let open: { readonly place: number; readonly prepared: PreparedDocument }[] = [];
  for (const [place, each] of batch.entries()) {
    if ('decision' in each) judgements[place] = each;
    else open.push({ place, prepared: each });
  }
  const requests = await requestsFor(deps, fleet, open);
  for (let attempt = 1; open.length > 0; attempt++) {
    if (attempt > ATTEMPTS)
      throw new Failure('STATE_UNAVAILABLE', 'What this machine knows changed each time the fleet was asked.', {
        hint: 'run it again',
        retryable: true,
      });
    const { asked, known } = ask(deps, options, open, requests);
    const settled = await settle(fleet, asked, !options.dryRun);
    open = keep(deps, options, { asked, known, settled, judgements });
    settled?.logged();
  }
  return judgements;
}

/** True when a step before the hooks refuses as things stand, in the fleet and here. */
export async function refusedInFleet(
  deps: VerifierDeps,
  fleet: Fleet,
  options: VerifyOptions,
  prepared: PreparedDocument,
): Promise<boolean> {
  const documents = [{ place: 0, prepared }];
  const { asked, known } = ask(deps, options, documents, await requestsFor(deps, fleet, documents), true);
  const settled = await settle(fleet, asked, false);
  return deps.state.look((ledger) => {
    const memory = memoryOf(ownOf(deps, ledger, known.requests), known, settled, asked[0]!);
    try {
      return refusesBeforeHooks({ ...sittingAfter(deps, options, ledger, known), memory }, prepared);
    } catch (error) {
      // What became known on the way is judged after the hooks.
      if (error instanceof NotSettled) return false;
      throw error;
    }
  });
}

/**
 * The requests for approval that proven documents name, as the fleet has them: another verifier may have raised them, and answers may have
 * come there. What is only named by a stranger is not asked for.
 */
async function requestsFor(
  deps: VerifierDeps,
  fleet: Fleet,
  documents: readonly Pick<Asked, 'prepared'>[],
): Promise<Known['requests']> {
  const named = requestsNamed(documents.map(({ prepared }) => requestNamed(prepared)));
  if (named.length === 0) return NO_REQUESTS;
  const brought = [...(deps.answers ?? []), ...documents.flatMap(({ prepared }) => prepared.submission.answers ?? [])];
  const known = (id: string): readonly ActionApproval[] => [
    ...(deps.state.look((ledger) => ledger.approvalRequest(id))?.answers ?? []),
    ...brought.filter(({ document }) => document.request_id === id),
  ];
  return requestsShared(fleet.memory, named, known, pinsOf(deps));
}

const NO_REQUESTS: Known['requests'] = new Map();

function requestNamed({ intent, submission, proven }: PreparedDocument): string | null {
  return proven.speaker === null ? null : (intent.document.approval_request ?? submission.approvalRequest ?? null);
}

function pinsOf({ pins }: Pick<VerifierDeps, 'pins'>): ApproverPins {
  return { pins: approverPins(pins) };
}

/** What this machine remembers by itself, with the requests that the fleet has. One that is spent here is kept here. */
function ownOf(deps: VerifierDeps, ledger: Ledger, requests: Known['requests']): SettledSetting['own'] {
  const approvalRequest = (id: string): RequestRecord | null => {
    const own = ledger.approvalRequest(id);
    const shared = requests.get(id);
    return shared === undefined ? own : together(shared, own);
  };
  const requestsHere = { ...ledger, ...pinsOf(deps) };
  return {
    ...requestsHere,
    approvalRequest,
    spendRequest(id, at, intentHash) {
      const shared = requests.get(id);
      if (shared !== undefined) adopt(requestsHere, shared, at);
      ledger.spendRequest(id, at, intentHash);
    },
  };
}

function ask(
  deps: VerifierDeps,
  options: VerifyOptions,
  documents: readonly Pick<Asked, 'place' | 'prepared'>[],
  requests: Known['requests'],
  looks = false,
): { readonly asked: readonly Asked[]; readonly known: Known } {
  return deps.state.look((ledger) => {
    const sitting = sittingOn(deps, options, ledger);
    const [standing, trust] = [new Map<string, StandingRecord | null>(), new Map<string, KnownTrust | null>()];
    const known: Sitting = {
      ...sitting,
      standing: kept(standing, sitting.standing),
      trust: kept(trust, sitting.trust),
      // Of what may be given back the fleet keeps the token's hash; another one is drawn where it is not needed.
      token: options.dryRun ? () => null : () => ledger.token(),
    };
    const own = ownOf(deps, ledger, requests);
    let forecasting = beside(known);
    let claims = 0;
    const asked = documents.map((each): Asked => {
      // What is judged as things stand knows nothing of the documents beside it.
      if (options.dryRun) forecasting = beside(known);
      const claim = claimOf(forecasting, each.prepared, own, options.at);
      const at = claim === null ? claims : claims++;
      return { ...each, at, claim: looks && claim !== null ? { ...claim, free: null, raises: null, looks } : claim };
    });
    return { asked, known: { wallNow: sitting.wallNow, standing, trust, requests } };
  });
}

/** What is remembered of passports and names by the documents before, without being kept. */
function beside(sitting: Sitting): Sitting {
  const floors: PassportFloor[] = [];
  const names: { readonly key: string; readonly agentId: string }[] = [];
  return {
    ...sitting,
    floors: (agentId) => [...sitting.floors(agentId), ...floors.filter((floor) => floor.agentId === agentId)],
    raiseFloor: (floor) => void floors.push(floor),
    spokenNames: (key) => [
      ...sitting.spokenNames(key),
      ...names.filter((name) => name.key === key).map(({ agentId }) => agentId),
    ],
    addSpokenName: (key, agentId) => void names.push({ key, agentId }),
  };
}

async function settle(fleet: Fleet, asked: readonly Asked[], resumes: boolean): Promise<SettledBatch | null> {
  const claims = asked.flatMap(({ claim }) => claim ?? []);
  const resuming = resumes && fleet.resumes;
  if (claims.length === 0) return null;
  if (resuming) fleet.resumes = false;
  try {
    return await fleet.memory.settle(claims, resuming);
  } catch (error) {
    if (resuming) fleet.resumes = true;
    throw error;
  }
}

/** Judges and logs what was settled; the documents that have to be asked about anew. */
function keep(
  deps: VerifierDeps,
  options: VerifyOptions,
  {
    asked,
    known,
    settled,
    judgements,
  }: {
    readonly asked: readonly Asked[];
    readonly known: Known;
    readonly settled: SettledBatch | null;
    readonly judgements: Judgement[];
  },
): Asked[] {
  const again: Asked[] = [];
  const judge = (ledger: Ledger, own: SettledSetting['own'], sitting: Sitting, each: Asked): void => {
    const memory = memoryOf(own, known, settled, each);
    const drawn = each.claim?.free?.release?.token;
    const token = drawn === undefined ? sitting.token : () => drawn;
    try {
      judgements[each.place] = judgeAndLog(
        deps,
        options,
        { sitting: { ...sitting, memory, token }, ledger },
        each.prepared,
      );
    } catch (error) {
      if (!(error instanceof NotSettled)) throw error;
      again.push(each);
    }
  };
  if (options.dryRun) {
    for (const each of asked)
      deps.state.rehearse((ledger) =>
        judge(ledger, ownOf(deps, ledger, known.requests), sittingAfter(deps, options, ledger, known), each),
      );
    return again;
  }
  deps.state.transact((ledger) => {
    again.length = 0;
    for (const call of settled?.open ?? []) logInterrupted(ledger, call, known.wallNow);
    const sitting = sittingAfter(deps, options, ledger, known);
    const own = ownOf(deps, ledger, known.requests);
    for (const each of asked) judge(ledger, own, sitting, each);
    ledger.prune(Math.min(known.wallNow, options.at ?? known.wallNow));
  });
  return again;
}

/** What a process settled and did not live to log: an entry says so, and no yes was given. */
function logInterrupted(ledger: Ledger, { at, claims }: UnloggedCall, wallNow: number): void {
  for (const { agentId, intentHash, spentAs } of claims) {
    if (ledger.isLogged(intentHash, spentAs)) continue;
    ledger.appendInterrupted({
      timestamp: formatTime(wallNow),
      agent_id: agentId,
      intent_hash: intentHash,
      settled_as: spentAs,
      settled_at: formatTime(at),
    });
  }
}

/** What documents are judged over after the trip: at the moment at which it began, and by nothing that is kinder than what was known then. */
function sittingAfter(
  deps: VerifierDeps,
  options: VerifyOptions,
  ledger: Ledger,
  { wallNow, standing, trust }: Known,
): Sitting {
  const sitting = sittingOn(deps, options, ledger, wallNow);
  return {
    ...sitting,
    standing: (subject) => worse(standing.get(subject) ?? null, sitting.standing(subject)),
    trust: (agentId) => lower(trust.get(agentId), sitting.trust(agentId)),
  };
}

function memoryOf(
  own: SettledSetting['own'],
  { wallNow }: Known,
  settled: SettledBatch | null,
  { claim, at }: Asked,
): Memory {
  if (claim === null || settled === null) return unasked(own);
  return new SettledMemory({ claim, settled: settled.claims[at]!, now: settled.now, wallNow, own });
}

const RANK: Readonly<Record<StandingRecord['status'], number>> = { active: 0, suspended: 1, revoked: 2 };

function worse(before: StandingRecord | null, now: StandingRecord | null): StandingRecord | null {
  if (before === null || now === null) return now ?? before;
  if (RANK[before.status] !== RANK[now.status]) return RANK[before.status] > RANK[now.status] ? before : now;
  return (before.suspendedUntil ?? Infinity) > (now.suspendedUntil ?? Infinity) ? before : now;
}

function lower(before: KnownTrust | null | undefined, now: KnownTrust | null): KnownTrust | null {
  if (before === undefined || before === null || now === null) return now;
  return before.score < now.score ? before : now;
}

function kept<T>(answers: Map<string, T>, ask: (name: string) => T): (name: string) => T {
  return (name) => {
    if (!answers.has(name)) answers.set(name, ask(name));
    return answers.get(name)!;
  };
}
