/** Judging over a memory in lists, where a test says what is known at the moment of the judgement. */
import { settleDocument, type Settled } from '../../../src/app/verification/settle.js';
import type { PreparedDocument, Sitting } from '../../../src/app/verification/sitting.js';
import { examine, type Submission } from '../../../src/app/verification/examine.js';
import type { Memory, Meter, MeterReading, SpentNonce, Usage } from '../../../src/app/ports/state.js';
import { verifySignature } from '../../../src/protocol/ed25519/verify.js';
import type { HookOutcome, Policy, SchemaCheck } from '../../../src/verify/context.js';
import type { Trusting } from '../../../src/verify/trusting.js';

export interface Spending {
  readonly agentId: string;
  readonly nonce: string;
  readonly firstSeenAt: number;
  readonly firstResult: string;
  readonly keepUntil: number;
}

/** Remembers as a state does, and shows what it was asked and told. */
export class RecordingMemory implements Memory {
  readonly spendings: Spending[] = [];
  readonly usages: Usage[] = [];
  /** What was asked, in order. */
  readonly asked: string[] = [];
  /** Answers every question about a window; null lets the usages answer. */
  readonly reads: ((meter: Meter) => MeterReading) | null;

  constructor(reads: ((meter: Meter) => MeterReading) | null = null) {
    this.reads = reads;
  }

  nonceRecord(agentId: string, nonce: string): SpentNonce | null {
    this.asked.push('nonce');
    return this.spendings.find((each) => each.agentId === agentId && each.nonce === nonce) ?? null;
  }

  spendNonce(agentId: string, nonce: string, firstSeenAt: number, firstResult: string, keepUntil: number): void {
    if (this.spendings.some((each) => each.agentId === agentId && each.nonce === nonce))
      throw new Error('a nonce was spent twice');
    this.spendings.push({ agentId, nonce, firstSeenAt, firstResult, keepUntil });
  }

  forgottenUntil(): number {
    this.asked.push('forgotten');
    return 0;
  }

  read(agentId: string, meter: Meter, now: number): MeterReading {
    this.asked.push(meter.kind);
    if (this.reads !== null) return this.reads(meter);
    const within = this.usages.filter((each) => each.agentId === agentId && each.at > now - meter.windowMs);
    if (meter.kind === 'count') return { kind: 'count', used: within.length, roomAt: null };
    const amounts = within.map((each) => (each.currency === meter.currency ? (each.amountMinor ?? 0n) : 0n));
    return { kind: 'sum', spent: amounts.reduce((sum, each) => sum + each, 0n) };
  }

  approvalRequest(): null {
    return null;
  }

  requestOf(): null {
    return null;
  }

  pendingRequests(): { agent: number; all: number } {
    return { agent: 0, all: 0 };
  }

  openRequest(): void {}

  spendRequest(): void {}

  recordUsage(usage: Usage): void {
    this.usages.push(usage);
  }
}

/** A moment at which nothing is known against anybody. */
export function sittingAt(now: number, memory: Memory | null, changes: Partial<Sitting> = {}): Sitting {
  return {
    memory,
    standing: () => null,
    freshness: { mesh: false, ageMs: null, maxAgeMs: 5000, onStale: 'deny' },
    spokenNames: () => [],
    addSpokenName: null,
    floors: () => [],
    raiseFloor: null,
    demands: () => null,
    token: () => null,
    trust: () => null,
    approved: () => false,
    answers: [],
    requester: null,
    geo: null,
    wallNow: now,
    standingNow: changes.wallNow ?? now,
    now,
    dryRun: false,
    warnings: [],
    ...changes,
  };
}

/** What is found out before the transaction. */
export interface Outside {
  readonly hooks?: readonly HookOutcome[];
  readonly schemaProblems?: SchemaCheck;
}

/** The way of one document from its bytes to its judgement. */
export function judgedIn(
  sitting: Sitting,
  submission: Submission,
  trusting: Trusting,
  policy: Policy,
  { hooks = [], schemaProblems = () => [] }: Outside = {},
): Settled {
  const setting = { trusting, policy, signatureHolds: verifySignature, now: sitting.now, startedAt: 0 };
  const claim = examine(submission, setting);
  if ('decision' in claim) return { judgement: claim, spent: false, inForce: null, unbound: false, releasable: null };
  const { dialect, document, asking, startedAt } = claim;
  const proven = document.prove(asking);
  const prepared: PreparedDocument = {
    dialect,
    submission,
    startedAt,
    intent: document.intent,
    proven,
    pins: trusting.pins,
    hooks,
    schemaProblems,
  };
  return settleDocument(sitting, prepared);
}
