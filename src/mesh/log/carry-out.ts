/** An order is carried out exactly once: decided from what a store holds, inside the transaction that keeps what comes of it. */
import { refusal } from '../refusal.js';
import type { Answer, Proposal, Ruling } from '../ruling.js';
import type { OrderResult } from './store.js';

/** What a store holds of orders, and how it keeps what comes of one. */
export interface OrderTables {
  /** False for a nonce that was spent before. */
  readonly spend: (nonce: NonNullable<Proposal['nonce']>) => boolean;
  /** What was answered under a `cmd_id`; null where nothing was. */
  readonly answered: (cmdId: string) => Answer | null;
  /** What the judge says of it over the head and what is held of its subject. */
  readonly judged: (proposal: Proposal) => Ruling;
  /** Keeps the answer, and the event with what it changes where there is one. */
  readonly keep: (ruling: Exclude<Ruling, { readonly kind: 'refused' }>) => void;
}

/** Carries out one proposal. Of one that is refused nothing is kept but its nonce. */
export function carryOutOnce(proposal: Proposal, tables: OrderTables): OrderResult {
  const { command, digest, nonce } = proposal;
  if (nonce !== null && !tables.spend(nonce)) {
    return { kind: 'refused', refusal: refusal('COMMAND_REPLAYED', 'This signed request was carried out before.') };
  }
  const earlier = tables.answered(command.cmdId);
  if (earlier?.digest === digest) return { kind: 'done', answer: earlier, repeated: true };
  if (earlier !== null) {
    return { kind: 'refused', refusal: refusal('CMD_ID_REUSED', 'Another command was given under this cmd_id.') };
  }
  const ruling = tables.judged(proposal);
  if (ruling.kind === 'refused') return ruling;
  tables.keep(ruling);
  return { kind: 'done', answer: ruling.answer, repeated: false };
}
