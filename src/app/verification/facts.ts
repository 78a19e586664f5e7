import type { Intent } from '../../protocol/intent.js';
import type { Facts, Freshness, HookOutcome, SchemaCheck, StandingRecord } from '../../verify/context.js';
import type { Submission } from './examine.js';
import type { Ledger } from '../ports/state.js';
import type { VerifierDeps, VerifyOptions } from './intents.js';

/** One transaction, and when it is. */
export interface Sitting {
  readonly deps: VerifierDeps;
  readonly options: VerifyOptions;
  readonly ledger: Ledger;
  /** ms since the epoch. */
  readonly wallNow: number;
  /** What `--at` says, else `wallNow`. */
  readonly now: number;
  readonly freshness: Freshness;
  /** As the ledger knows it; nobody can change it while the transaction lasts, so each subject is asked about once. */
  readonly standing: (subject: string) => StandingRecord | null;
}

/** What was found out before the transaction, because it may take time. */
export interface Prepared {
  readonly hooks: readonly HookOutcome[];
  readonly schemaProblems: SchemaCheck;
}

/** What the steps of a transaction read about an intent. `spendable` is false for a nonce that no intent can have. */
export function factsOf(
  { deps, options, ledger, wallNow, now, freshness, standing }: Sitting,
  { hooks, schemaProblems, submission }: Prepared & { readonly submission: Submission },
  intent: Intent,
  spendable: boolean,
): Omit<Facts, 'trust'> {
  const { agent_id, nonce } = intent.document;
  return {
    spent: spendable ? ledger.spentNonce(agent_id, nonce) : null,
    forgottenUntil: options.dryRun ? 0 : ledger.forgottenUntil(),
    read: (meter) => ledger.read(agent_id, meter, now),
    schemaProblems,
    geo: options.geo,
    approved: deps.approved(intent) || submission.approved?.(intent) === true,
    hooks,
    standing,
    freshness,
    wallNow,
  };
}
