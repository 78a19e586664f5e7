/** A memory that verifiers on several machines share: what a fleet has accepted is spent and counted once for all of them. */
import type { NameTraits } from '../../protocol/constraints/counted-names.js';
import type { Meter, MeterReading, Usage } from '../../verify/meters.js';
import type { SpentNonce } from '../../verify/context.js';
import type { OpenedRequest } from './state.js';

/** One thing that may stand in the way of what is claimed. */
export type Obstacle = {
  /** What the nonce is spent with where this stands in the way; null spends nothing. */
  readonly spendsAs: string | null;
} & (
  | { readonly kind: 'meter'; readonly meter: Meter }
  /** A request for approval that may have been spent before. */
  | { readonly kind: 'request'; readonly id: string }
);

/** What an accepted intent is counted with. */
export type CountedUsage = Pick<Usage, 'action' | 'currency' | 'amountMinor'> & { readonly traits: NameTraits };

/** The terms on which an accepted intent's place in the sum of a daily limit is given back. */
export interface ClaimedRelease {
  /** The outcome token of the decision: the memory keeps its hash alone. */
  readonly token: string;
  /** The most that is given back to the agent within 24 hours, in minor units. */
  readonly mostMinor: bigint;
}

/** What one document asks of the memory, and what is to be done with it. */
export interface FleetClaim {
  readonly agentId: string;
  readonly nonce: string;
  /** `sha256:` and hex. */
  readonly intentHash: string;
  /** Until when the nonce is kept at least, in ms since the epoch by the verifier's clock, and how long that is from now. */
  readonly keepUntil: number;
  readonly keepMs: number;
  /** Where nonces are forgotten until this moment or a later one (ms since the epoch), nothing is spent; null asks nothing. */
  readonly since: number | null;
  /** The end of all windows where `--at` names one, in ms since the epoch; null: the memory's own clock. */
  readonly at: number | null;
  /** In the order in which they decide what the nonce is spent with. */
  readonly obstacles: readonly Obstacle[];
  /** What is done where nothing stands in the way; null only looks, or refuses without spending. */
  readonly free: {
    /** `accepted`, or the code of a refusal. */
    readonly spendsAs: string;
    /** Counted in the windows; null for a refusal. */
    readonly usage: CountedUsage | null;
    /** The request for approval that is spent with it. */
    readonly request: string | null;
    /** How it may be given back; null where it may not. */
    readonly release: ClaimedRelease | null;
  } | null;
  /** The request for approval that is raised where nothing stands in the way but a person's word; null raises none. */
  readonly raises: OpenedRequest | null;
  /** True where nothing may be spent, whatever is found: a dry run. */
  readonly looks: boolean;
}

/** What the memory did with a claim. */
export interface SettledClaim {
  /** What the nonce was spent with by this claim; null where it spent nothing. */
  readonly spentAs: string | null;
  /** An earlier judgement of the same nonce; null where there was none before this claim. */
  readonly before: SpentNonce | null;
  /** Nonces that were spent until then may be forgotten, in ms since the epoch. */
  readonly forgottenUntil: number;
  /** What was read for each obstacle before this claim, in their order; empty where the nonce had been spent before. */
  readonly readings: readonly (MeterReading | { readonly kind: 'request'; readonly spent: boolean })[];
  /** What became of the request that the claim raises; null where it raises none, or its verifier is not enrolled. */
  readonly raised: RaisedRequest | null;
}

/** A request for approval that the memory was asked to keep: it is kept, or is not needed, or there are too many. */
export type RaisedRequest =
  | { readonly kind: 'kept' }
  /** One for the same action waits already, or was denied and may not be asked again yet. */
  | { readonly kind: 'found'; readonly request: SharedRequest }
  /** Requests that wait: of this agent, and of all. */
  | { readonly kind: 'full'; readonly agent: number; readonly all: number };

/** A request for approval that an enrolled verifier raised, as the memory keeps it. Nobody has judged its documents. */
export interface SharedRequest {
  readonly id: string;
  /** Public key of the enrolled verifier under which it was handed in: the document has to be that one's. */
  readonly verifier: string;
  /** The document, JSON text. */
  readonly text: string;
  /** When an intent ran under it, in ms since the epoch, and the hash of that intent; null while none did. */
  readonly spent: { readonly at: number; readonly intentHash: string | null } | null;
  /** When a denial was handed in, in ms since the epoch; null where none was. */
  readonly deniedAt: number | null;
  /** Signed answers, JSON texts, the oldest first. */
  readonly answers: readonly string[];
}

/** A signed answer to a request for approval, for all verifiers. */
export interface SharedAnswer {
  readonly requestId: string;
  /** The document, JSON text. */
  readonly text: string;
  /** ms since the epoch: the request stays open until then; null for a denial, which ends it. */
  readonly until: number | null;
}

/**
 * Whether a place in a daily limit was given back. `unknown`: no decision with this token may be given back here; `late`: it was counted
 * more than 24 hours ago; `most`: more than one daily limit would be given back within 24 hours.
 */
export type Release = 'released' | 'unknown' | 'late' | 'most';

/** A claim of this verifier that spent its nonce, as the memory kept it. */
export interface KeptClaim {
  readonly agentId: string;
  /** `sha256:` and hex. */
  readonly intentHash: string;
  /** `accepted`, or the code of the refusal. */
  readonly spentAs: string;
}

/** Claims that were settled at once, and are not known to be logged: their process may have ended before. */
export interface UnloggedCall {
  /** By the memory's clock, ms since the epoch. */
  readonly at: number;
  readonly claims: readonly KeptClaim[];
}

/** What a call of `settle` gave. */
export interface SettledBatch {
  /** The memory's clock, ms since the epoch. */
  readonly now: number;
  /** In the order of the claims. */
  readonly claims: readonly SettledClaim[];
  /** Earlier calls of this verifier that nobody said to be logged; empty where they were not asked for. */
  readonly open: readonly UnloggedCall[];
  /** To be called once the log of this machine holds these claims, and what became of `open`. */
  readonly logged: () => void;
}

/** How well the memory can be reached. */
export interface FleetHealth {
  /** Where it is, without a password. */
  readonly where: string;
  readonly roundTripMs: number;
  /** How far its clock is ahead of this machine's, in ms. */
  readonly aheadMs: number;
  /** Version of its schema, and the one that this program would bring it to. */
  readonly schema: number;
  readonly latestSchema: number;
  /** False where everything goes over the network in plain text. */
  readonly encrypted: boolean;
  /** True where the verifier that was asked about is enrolled. */
  readonly enrolled: boolean;
}

/** A memory that verifiers share. Its calls fail with a Failure STATE_UNAVAILABLE: then nothing is decided. */
export interface FleetMemory {
  /**
   * Settles claims in order, all of them or none, durable before the answer. Each has a random id: what became of a call that was not
   * answered is found by asking again under the same ids, which counts once and gives the same answer. `resumes` also asks for earlier
   * calls of this verifier, by any of its processes, that nobody said to be logged; those of the last half minute are left out.
   */
  settle(claims: readonly FleetClaim[], resumes: boolean): Promise<SettledBatch>;
  /** Those of these requests that enrolled verifiers raised. Who knows an id may read the request; none are listed. */
  requests(ids: readonly string[]): Promise<readonly SharedRequest[]>;
  /** Keeps answers to requests that are kept here; others are left out. */
  answer(answers: readonly SharedAnswer[]): Promise<void>;
  /** Gives back what the decision with this outcome token was counted with, once; asked again, it says the same. */
  release(token: string): Promise<Release>;
  /** `verifier` is a public key to look for among the enrolled; null looks for none. */
  health(verifier: string | null): Promise<FleetHealth>;
  close(): Promise<void>;
}
