import type { PassportDocument } from '../../protocol/passport.js';
import type { Json } from '../../protocol/json/values.js';
import type { Paint } from './terminal/paint.js';
import { clean, safeJson, wrap } from './terminal/text.js';

export interface PassportLook {
  /** Whose signature it carries, when it holds; else what is wrong with it. Absent when it was not checked, which is said aloud. */
  readonly verified?: string;
  readonly problem?: string;
  /** It is out of force. */
  readonly expired?: boolean;
  readonly width?: number;
}

const LABEL = 12;
const MAX_ACTIONS_SHOWN = 30;

/** A passport for a person: who it is, who answers for it, what it may do and until when. Without a final newline. */
export function renderPassport(
  passport: PassportDocument,
  paint: Paint,
  { verified, problem, expired = false, width = 80 }: PassportLook = {},
): string {
  const rows = (label: string, lines: readonly string[]): string[] =>
    lines
      .flatMap((line) => wrap(line, Math.max(24, width - LABEL - 2)))
      .map((line, i) => `  ${paint.dim((i === 0 ? label : '').padEnd(LABEL))}${line}`);
  const signature = (): string[] => {
    if (problem !== undefined) return rows('signature', [`${paint.red('NOT VERIFIED')}: ${clean(problem)}`]);
    if (verified !== undefined) return rows('signature', [`ok: ${clean(verified)}`]);
    return [`  ${paint.dim('signature'.padEnd(LABEL))}${paint.yellow('not checked')}`];
  };
  return [
    paint.bold(clean(passport.agent_name)),
    ...rows('agent', [clean(passport.agent_id)]),
    ...rows('principal', [clean(passport.principal)]),
    ...signature(),
    ...rows('serial', [String(passport.serial ?? 0)]),
    ...rows('issued', [clean(passport.issued_at)]),
    ...rows('expires', [expired ? `${expiryOf(passport)} ${paint.red('EXPIRED')}` : expiryOf(passport)]),
    ...rows('key', [clean(passport.key_id), clean(passport.public_key)]),
    ...rows('old keys', previousKeys(passport)),
    ...rows('may', actionLines(passport)),
    ...rows('may not', (passport.denied_actions ?? []).map(clean)),
    ...rows('within', Object.entries(passport.constraints).map(constraintLine)),
    ...rows(
      'metadata',
      Object.entries(passport.metadata ?? {}).map(([name, value]) => `${clean(name)}: ${valueText(value)}`),
    ),
  ].join('\n');
}

function expiryOf({ expires_at }: PassportDocument): string {
  return expires_at === null || expires_at === undefined ? 'never' : clean(expires_at);
}

function previousKeys({ previous_keys: keys }: PassportDocument): string[] {
  return (keys ?? []).map((key) => `${clean(key.key_id)} until ${clean(key.valid_until)}`);
}

function actionLines({ actions }: PassportDocument): string[] {
  if (actions.length === 0) return ['nothing'];
  const lines = actions.slice(0, MAX_ACTIONS_SHOWN).map((action) => {
    if (typeof action === 'string') return clean(action);
    if (action.params === undefined) return clean(action.name);
    const { required } = action.params;
    const needs = Array.isArray(required)
      ? (required as readonly Json[]).filter((name) => typeof name === 'string')
      : [];
    return `${clean(action.name)} (params by schema${needs.length === 0 ? '' : `, needs ${clean(needs.join(', '))}`})`;
  });
  const more = actions.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

function constraintLine([name, value]: [string, Json]): string {
  return `${clean(name)}: ${valueText(value)}`;
}

function valueText(value: Json): string {
  if (typeof value === 'string') return clean(value);
  const list = Array.isArray(value) && (value as readonly Json[]).every((item) => typeof item !== 'object');
  return list ? clean((value as readonly Json[]).map(String).join(', ')) : safeJson(value);
}
