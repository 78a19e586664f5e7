import { remedyFor, withNames } from '../../../app/verification/remedy.js';
import { parsePrincipalId } from '../../../protocol/identity/did.js';
import type { Json, JsonObject } from '../../../protocol/json/values.js';
import { spanText } from '../../../protocol/time.js';
import { maskDetails } from '../../../protocol/log/secrets.js';
import type { Decision, Refusal } from '../../../verify/decision.js';
import { entryOf } from '../explain-catalogue.js';
import { clean, fit, safeJson } from '../terminal/text.js';

/** Longest value of one fact in columns: a fact is a hint for a person, the whole of it is in `--json`. */
const MAX_VALUE = 240;
const MAX_ITEMS = 8;
/** The catalogue has at most six facts a code; a hook may think of more. */
const MAX_FACTS = 20;
/** Longest sentence, and longest name, in columns. */
const MAX_SENTENCE = 1000;
const MAX_NAME = 320;

/** A stranger's sentence, cleaned and bounded. */
export function cleanSentence(text: string): string {
  return fit(clean(text), MAX_SENTENCE);
}

/** A stranger's name, cleaned and bounded; the longest DID there can be still fits. */
export function named(text: string): string {
  return fit(clean(text), MAX_NAME);
}

/** The facts of a refusal as name and text, cleaned, secrets masked (a CI log has many readers); without what the reader has been told already. */
export function factsOf(details: JsonObject | null, decision: Decision): [name: string, value: string][] {
  return Object.entries(maskDetails(details) ?? {})
    .filter(([name, value]) => !tellsNothing(name, value) && !isTold(name, value, decision))
    .slice(0, MAX_FACTS)
    .map(([name, value]) => [fit(clean(name), 40), valueText(name, value)]);
}

/** The path of all params is empty, and so is the list of what did not count where nothing was brought. */
function tellsNothing(name: string, value: Json): boolean {
  if (value === null) return true;
  return name === 'param' ? value === '' : name === 'not_counted' && Array.isArray(value) && value.length === 0;
}

/** One line of `name value` pairs, for formats without room for a table. */
export function factsLine(details: JsonObject | null, decision: Decision): string {
  return factsOf(details, decision)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** What one violation says: the first has the decision's own sentence, the others that of their catalogue entry. */
export function sentenceOf(refusal: Refusal, decision: Decision): string {
  const first = decision.violations[0] ?? refusal;
  if (refusal === first && refusal.error_code === decision.error_code) return cleanSentence(decision.message);
  return entryOf(refusal.error_code, decision.dialect)?.meaning ?? named(refusal.error_message);
}

/** What to do about it, with the names filled in that may safely be pasted into a shell; null for a hook's own code. */
export function remedyOf(
  code: string,
  decision: Pick<Decision, 'dialect' | 'agent_id' | 'action' | 'details'>,
): string | null {
  const entry = entryOf(code, decision.dialect);
  if (entry === null) return null;
  const { details } = decision;
  const remedy = remedyFor(entry, details);
  const principal = details?.principal;
  const request = details?.request_id;
  const unasked = remedy.includes('<request_id>') && (typeof request !== 'string' || details?.reason === 'denied');
  return fill(withNames(unasked ? withoutRequest(details?.reason) : remedy, decision), {
    '<principal>': typeof principal === 'string' && parsePrincipalId(principal) !== null ? principal : null,
    '<request_id>': typeof request === 'string' && /^[0-9a-f]{32}$/.test(request) ? request : null,
  });
}

/** What to do where a person is asked for, and no request was raised that could be answered. */
function withoutRequest(reason: Json | undefined): string {
  if (reason === 'too_large') return 'Ask for it in smaller parts.';
  return reason === 'denied'
    ? 'Do not ask for it before then.'
    : 'No request was raised: `aip status <agent>` and `aip approvals list` say why; then sign it again.';
}

/** Every violation of a decision; the refusal itself when a decision carries none beside it. */
export function refusalsOf(decision: Decision): readonly Refusal[] {
  if (decision.success || decision.violations.length > 0) return decision.success ? [] : decision.violations;
  const { error_code, error_message, details } = decision;
  return [{ error_code: error_code ?? 'REFUSED', error_message: error_message ?? 'REFUSED', details: details ?? {} }];
}

function isTold(name: string, value: Json, decision: Decision): boolean {
  if (name === 'agent_id') return value === decision.agent_id;
  if (name === 'action') return value === decision.action;
  return name === 'reason' && typeof value === 'string' && decision.message.includes(value);
}

function valueText(name: string, value: Json): string {
  if (typeof value === 'number') return numberText(name, value);
  if (typeof value === 'string') return value === '' ? '""' : fit(clean(value), MAX_VALUE);
  if (!Array.isArray(value)) return fit(safeJson(value), MAX_VALUE);
  const items = value as readonly Json[];
  if (items.length === 0) return 'none';
  const shown = items.slice(0, MAX_ITEMS).map((item) => (typeof item === 'string' ? clean(item) : safeJson(item)));
  const more = items.length > MAX_ITEMS ? ` and ${items.length - MAX_ITEMS} more` : '';
  return fit(shown.join(', '), MAX_VALUE) + more;
}

/** Seconds and milliseconds also in the units that people think in. */
function numberText(name: string, value: number): string {
  if (name === 'timestamp' && Number.isSafeInteger(value) && value >= 0 && value < 1e11) {
    return `${value} (${new Date(value * 1000).toISOString().replace('.000Z', 'Z')})`;
  }
  const seconds = name.endsWith('_ms') ? value / 1000 : name.endsWith('_s') ? value : 0;
  return seconds >= 60 && Number.isFinite(seconds) ? `${value} (${spanText(seconds * 1000)})` : String(value);
}

function fill(text: string, names: Readonly<Record<string, string | null>>): string {
  let filled = text;
  for (const [place, name] of Object.entries(names)) if (name !== null) filled = filled.replaceAll(place, () => name);
  return filled;
}
