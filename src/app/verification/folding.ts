/**
 * Refusals that anyone can cause at no cost: so many are kept one by one in a minute, the rest is counted. Else a stranger with forged
 * intents, or the holder of one that is refused, would grow the log without end.
 */
import { isAttributable, isCounted } from '../../protocol/log/attribution.js';
import type { EntryDraft } from '../../protocol/log/entry.js';
import type { Json } from '../../protocol/json/values.js';
import { formatTime } from '../../protocol/time.js';
import type { EntryAside, FoldedRefusals, Folding, Ledger } from '../ports/state.js';

/** So many get an entry of their own in one minute of this machine's clock. */
export const MAX_STRANGERS_A_MINUTE = 120;
const MINUTE = 60_000;

/** Member of an entry's details: what follows in this minute is counted only. */
const FOLDS_FROM_HERE = 'folds_from_here';
/** Member of an entry's details: `{count, since, until}` of the refusals before it that were counted only. */
const FOLDED_BEFORE = 'folded_before';

/** Writes the entry of a judgement, or counts it. `spent` is true where it spent the intent's nonce; `now` in ms since the epoch. */
export function appendOrFold(
  ledger: Pick<Ledger, 'append'> & FoldedRefusals,
  { draft, aside }: { readonly draft: EntryDraft; readonly aside: EntryAside },
  spent: boolean,
  now: number,
): void {
  const { agent_id, error_code } = draft;
  // What a guard looks on at is a call that runs: it has an entry as others have, and takes no place of a stranger's.
  if (error_code === null || spent || !isCounted(draft) || isAttributable(draft))
    return void ledger.append(draft, aside);
  const { kept, folding, said } = admit(ledger.folding(), now);
  ledger.setFolding(folding);
  if (kept) ledger.append(said === null ? draft : { ...draft, details: { ...draft.details, ...said } }, aside);
  else ledger.countFolded(agent_id, error_code, now);
}

function admit(
  { minute, kept, folded, since, until }: Folding,
  now: number,
): { readonly kept: boolean; readonly folding: Folding; readonly said: Record<string, Json> | null } {
  const current = now - (now % MINUTE);
  const before = minute === current ? kept : 0;
  if (before >= MAX_STRANGERS_A_MINUTE) {
    const first = folded === 0 ? now : since;
    return {
      kept: false,
      folding: { minute: current, kept: before, folded: folded + 1, since: first, until: now },
      said: null,
    };
  }
  const said: Record<string, Json> = {};
  if (folded > 0) said[FOLDED_BEFORE] = { count: folded, since: formatTime(since), until: formatTime(until) };
  if (before + 1 === MAX_STRANGERS_A_MINUTE) said[FOLDS_FROM_HERE] = true;
  const folding = { minute: current, kept: before + 1, folded: 0, since: 0, until: 0 };
  return { kept: true, folding, said: Object.keys(said).length === 0 ? null : said };
}
