/** Changes what an agent may do, or how long: the same keys, the next serial, signed by its principal again. */
import type { PassportDocument, Passport } from '../../protocol/passport.js';
import { sameJson } from '../../protocol/json/canonical.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { formatSeconds, parseTime } from '../../protocol/time.js';
import { Failure } from '../failure.js';
import { issuerKey } from '../keys/principals.js';
import { withParams } from './declared-params.js';
import { nextSerial } from './floors.js';
import { checkDraft, putInForce, signPassport, type IssueDeps } from './issue.js';
import { requireCurrent } from './judge.js';

/** What shall be another way; what is absent stays. */
export interface PassportChange {
  /** Takes the place of the list. */
  readonly actions?: PassportDocument['actions'];
  /** Taken before others with these names, which they replace. */
  readonly addActions?: PassportDocument['actions'];
  readonly removeActions?: readonly string[];
  /** Params of these actions, as `withParams` takes them. */
  readonly params?: readonly string[];
  readonly deniedActions?: readonly string[];
  /** Each takes the place of the constraint of its name. */
  readonly constraints?: JsonObject;
  readonly unset?: readonly string[];
  readonly metadata?: JsonObject;
  /** Constraints and metadata are all there is of them; nothing of the passport's own stays. */
  readonly whole?: boolean;
  /** ms from now; null for no expiry. */
  readonly expiresInMs?: number | null;
}

type Unsigned = Omit<PassportDocument, 'issuer_signature'>;

/** What is about to be signed, and how it differs. */
export interface Draft {
  readonly before: Passport;
  readonly after: Unsigned;
  /** One for each member that changes; the serial and the times of issue are not among them, as they always do. */
  readonly differences: readonly Difference[];
}

/** One place in which two passports differ. */
export interface Difference {
  /** `actions.issue_refund`, `constraints.monetary_limit`, `expires_at`. */
  readonly path: string;
  /** Null where there was nothing. */
  readonly before: Json;
  /** Null where nothing is left. */
  readonly after: Json;
}

/**
 * The passport as it would be. Nothing is signed, and nothing is kept.
 * @throws Failure when the passport here does not count, the change asks for what is not there, or leads to none that is valid
 */
export function draftChange(deps: IssueDeps, before: Passport, change: PassportChange): Draft {
  const now = deps.clock();
  requireCurrent(deps.state, before, now);
  const { issuer_signature: _, ...document } = before.document;
  const actions = withParams(changedActions(document.actions, change), change.params ?? []);
  const { expiresInMs } = change;
  const issuedAt = Math.max(now, before.issuedAt + 1000);
  const after: Unsigned = {
    ...document,
    serial: nextSerial(deps.state.floors(before.agent.id), before.serial),
    actions,
    denied_actions: change.deniedActions ?? document.denied_actions,
    constraints: changedConstraints(change.whole === true ? {} : document.constraints, change),
    metadata: { ...(change.whole === true ? {} : document.metadata), ...change.metadata },
    issued_at: formatSeconds(issuedAt),
    expires_at:
      expiresInMs === undefined
        ? document.expires_at
        : expiresInMs === null
          ? null
          : formatSeconds(issuedAt + expiresInMs),
    previous_keys: document.previous_keys.filter((key) => (parseTime(key.valid_until) ?? 0) > now),
  };
  checkDraft(deps, after);
  return { before, after, differences: differencesOf(document, after) };
}

/** Has the principal sign the draft, and makes it the known passport. */
export async function issueChange(deps: IssueDeps, { after }: Draft, path: string | null): Promise<Passport> {
  const issuer = await issuerKey(deps, after.principal, null);
  const passport = await signPassport({ ...after, issuer_key_id: issuer.key.keyId }, issuer.key);
  await putInForce(deps, passport, { path, how: 'replace' });
  return passport;
}

const nameOf = (action: PassportDocument['actions'][number]): string =>
  typeof action === 'string' ? action : action.name;

function changedActions(
  before: PassportDocument['actions'],
  { actions = before, addActions = [], removeActions = [] }: PassportChange,
): PassportDocument['actions'] {
  const added = new Set(addActions.map(nameOf));
  const there = new Set(actions.map(nameOf));
  const missing = removeActions.find((name) => !there.has(name) || added.has(name));
  if (missing !== undefined) {
    throw new Failure(
      'USAGE',
      `The passport does not declare the action "${missing}", or it is added in the same call.`,
      {
        hint: `it declares: ${[...there].join(', ')}`,
      },
    );
  }
  const removed = new Set(removeActions);
  const kept = actions.filter((action) => !removed.has(nameOf(action)) && !added.has(nameOf(action)));
  return [...kept, ...addActions];
}

function changedConstraints(before: JsonObject, { constraints = {}, unset = [] }: PassportChange): JsonObject {
  const missing = unset.find((name) => before[name] === undefined || constraints[name] !== undefined);
  if (missing !== undefined) {
    throw new Failure('USAGE', `The passport has no constraint "${missing}", or it is set in the same call.`, {
      hint: `it has: ${Object.keys(before).join(', ') || 'none'}`,
    });
  }
  const kept = Object.entries(before).filter(([name]) => !unset.includes(name));
  return { ...Object.fromEntries(kept), ...constraints };
}

function differencesOf(before: Unsigned, after: Unsigned): Difference[] {
  const flat = (document: Unsigned): Map<string, Json> =>
    new Map([
      ...document.actions.map((action): [string, Json] => [
        `actions.${nameOf(action)}`,
        typeof action === 'string' ? true : (action.params ?? true),
      ]),
      ...document.denied_actions.map((name): [string, Json] => [`denied_actions.${name}`, true]),
      ...entries(document.constraints, 'constraints'),
      ...entries(document.metadata, 'metadata'),
      ['expires_at', document.expires_at],
    ]);
  const [old, now] = [flat(before), flat(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((path) => {
    const [was, is] = [old.get(path) ?? null, now.get(path) ?? null];
    return sameJson(was, is) ? [] : [{ path, before: was, after: is }];
  });
}

function entries(object: JsonObject, under: string): [string, Json][] {
  return Object.entries(object).map(([name, value]) => [`${under}.${name}`, value!]);
}
