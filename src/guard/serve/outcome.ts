/** What became of a yes, as the caller of the service tells it. */
import { OUTCOME_STATUSES, type OutcomeReport } from '../../app/outcomes/report.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { bad } from './replies.js';

const MEMBERS = [
  'intent_hash',
  'outcome_token',
  'status',
  'exit_code',
  'duration_ms',
  'result_hash',
  'detail',
  'release',
];

/** Reads the body of `POST /v1/outcome`; forms are checked where it is recorded. @throws Refusal 400 */
export function readOutcome(body: JsonObject): OutcomeReport {
  const stranger = Object.keys(body).find((name) => !MEMBERS.includes(name));
  if (stranger !== undefined) throw bad(`Unknown member ${JSON.stringify(stranger.slice(0, 64))}.`);
  const status = OUTCOME_STATUSES.find((each) => each === body.status);
  if (status === undefined) throw bad('"status" is not ok, error or unknown.');
  return {
    intentHash: text(body.intent_hash, 'intent_hash') ?? '',
    status,
    token: text(body.outcome_token, 'outcome_token'),
    exitCode: number(body.exit_code, 'exit_code'),
    durationMs: number(body.duration_ms, 'duration_ms'),
    resultHash: text(body.result_hash, 'result_hash'),
    detail: text(body.detail, 'detail'),
    ...(body.release === undefined ? {} : { release: flag(body.release) }),
  };
}

function text(value: Json | undefined, name: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw bad(`"${name}" is not a text.`);
  return value;
}

function number(value: Json | undefined, name: string): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number') throw bad(`"${name}" is not a number.`);
  return value;
}

function flag(value: Json): boolean {
  if (typeof value !== 'boolean') throw bad('"release" is not true or false.');
  return value;
}
