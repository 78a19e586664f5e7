/** Attacks on the steps of the verifier: who sends it, when, how often, what it is, and what a passport leaves open. */
import type { Json, JsonObject } from '../../protocol/json/values.js';
import type { Honest } from './attacks-money.js';
import { isMoneyName, limitKindOf, limitReads } from './honest.js';
import { decimal, exact, isClosed, isFor, propertiesOf, requiredOf } from './limits.js';
import { FAIR, type Attack, type Dice, type PassportGap, type Presented, type Scene, type Sent } from './scene.js';

type Make = (
  constraint: string,
  kind: string,
  sent?: Partial<Sent>,
  more?: Partial<Scene>,
  history?: readonly Sent[],
) => Attack;

/** Attacks on who sends an intent, when, and in which form. */
export function attacksOnSteps(honest: Honest, dice: Dice): Attack[] {
  const { name } = honest.action;
  const base = { action: name, params: honest.params };
  const make: Make = (constraint, kind, sent = {}, more = {}, history = []) => ({
    ...{ constraint, kind, action: name, history, open: null },
    sent: { ...sent, intent: { ...base, ...sent.intent } },
    scene: { ...FAIR, ...more },
  });
  return [
    ...onPassport(make),
    ...onSignature(make),
    ...onFormat(make, base),
    ...onNonceAndClock(make, dice),
    ...onAction(make, name),
    ...onSchema(make, honest),
    ...onStanding(make),
  ];
}

function onPassport(make: Make): Attack[] {
  const all: Presented[] = [
    'widened',
    'signed by the agent',
    'older',
    'conflict',
    'expired',
    'ahead',
    'unknown',
    'low-order key',
    'unknown constraint',
  ];
  return all.map((presented) => make('passport', `a passport that is ${presented}`, {}, { presented }));
}

function onSignature(make: Make): Attack[] {
  return [
    ...(['stranger', 'principal', 'tampered', 'cut', 'upper', 'all zero', 'beyond order'] as const).map((hand) =>
      make('signature', `signature: ${hand}`, { hand }),
    ),
    make('signature', 'another action after signing', { after: { action: 'something_else' } }),
    make('signature', 'another param after signing', { after: { params: { changed: true } } }),
    make('signature', 'another time after signing', { after: { timestamp: 1 } }),
    make('signature', 'a key that the passport does not have', {
      intent: { key_id: 'did:web:other.example:agents:x#key-9' },
    }),
    make('signature', "another agent's name", { intent: { agent_id: 'did:web:other.example:agents:x' } }),
  ];
}

function onFormat(make: Make, base: JsonObject): Attack[] {
  const deep = (levels: number): Json => (levels === 0 ? 1 : { a: deep(levels - 1) });
  return [
    ...(['duplicate', 'duplicate param', 'trailing', 'comment', 'byte order mark'] as const).map((raw) =>
      make('format', raw, { raw }),
    ),
    make('format', 'an invented member', { intent: { admin: true } }),
    make('format', 'params that are a list', { intent: { params: [] as unknown as Json } }),
    make('format', 'params that are null', { intent: { params: null } }),
    make('format', 'an action that is no text', { intent: { action: [base['action']!] } }),
    make('format', 'a time that is text', { intent: { timestamp: '1771424625' } }),
    make('format', 'nested too deep', { intent: { params: { a: deep(40) } } }),
    make('format', 'too large', { intent: { params: { a: 'x'.repeat(70_000) } } }),
  ];
}

function onNonceAndClock(make: Make, dice: Dice): Attack[] {
  const nonce = Array.from({ length: 32 }, () => dice.number(16).toString(16)).join('');
  const at = (seconds: number): Partial<Sent> => ({ intent: { timestamp: seconds } });
  // Times are relative to the attack's own moment; `run.ts` adds it to what is small.
  return [
    make('nonce', 'the same twice', { intent: { nonce } }, {}, [
      { intent: { ...make('', '').sent.intent, nonce }, ago: 1000 },
    ]),
    make('nonce', 'the same nonce with other params', { intent: { nonce, target: 'x' } }, {}, [
      { intent: { ...make('', '').sent.intent, nonce }, ago: 1000 },
    ]),
    ...['', 'ab', 'zz'.repeat(16), 'ab'.repeat(65), ' '.repeat(32)].map((each) =>
      make('nonce', `a nonce of ${each.length} characters that is none`, { intent: { nonce: each } }),
    ),
    ...[-301, -302, -3600, -86_400, -1_000_000 + dice.number(1000)].map((each) =>
      make('timestamp', `${-each} s old`, at(each)),
    ),
    ...[31, 60, 3600, 86_400].map((each) => make('timestamp', `${each} s ahead`, at(each))),
  ];
}

function onAction(make: Make, name: string): Attack[] {
  const others = [
    'delete_everything',
    `${name}_all`,
    name.toUpperCase(),
    `${name} `,
    `${name}\u200b`,
    name.slice(0, -1),
    `x${name}`,
    '__proto__',
    'constructor',
    'toString',
    '*',
    '',
  ];
  return others
    .filter((each) => each !== name)
    .map((action) => make('action', `the action ${JSON.stringify(action)}`, { intent: { action } }));
}

function onSchema(make: Make, { action: { schema }, params }: Honest): Attack[] {
  if (schema === null) return [];
  const found: Attack[] = [];
  const say = (kind: string, changed: JsonObject): void =>
    void found.push(make('params', kind, { intent: { params: changed } }));
  for (const name of requiredOf(schema)) {
    say(`${name} left out`, Object.fromEntries(Object.entries(params).filter(([each]) => each !== name)));
    say(
      `${name} under another name`,
      Object.fromEntries(Object.entries(params).map(([each, value]) => [each === name ? `${each}_` : each, value])),
    );
  }
  for (const [name, property] of Object.entries(propertiesOf(schema))) {
    for (const wrong of ['text', 7, true, null, [], {}, [[params[name] ?? 1]]] as readonly Json[])
      say(`${name} as ${JSON.stringify(wrong)}`, { ...params, [name]: wrong });
    const { minimum, maximum, maxLength } = property;
    if (typeof minimum === 'number') say(`${name} below its minimum`, { ...params, [name]: minimum - 1 });
    if (typeof maximum === 'number') say(`${name} above its maximum`, { ...params, [name]: maximum + 1 });
    if (typeof maxLength === 'number' && maxLength < 10_000)
      say(`${name} too long`, { ...params, [name]: 'x'.repeat(maxLength + 1) });
    if (Array.isArray(property['enum'])) say(`${name} not of the list`, { ...params, [name]: 'not of the list' });
  }
  if (isClosed(schema)) {
    for (const name of ['invented', 'admin', 'force', 'constructor', 'toString'])
      say(`invented: ${name}`, { ...params, [name]: true });
    found.push(make('params', 'invented: __proto__', { raw: 'proto' }));
  }
  return found;
}

function onStanding(make: Make): Attack[] {
  return [
    ...(['revoked', 'suspended', 'principal revoked', 'key revoked', 'stale'] as const).map((standing) =>
      make('revocation', `an agent in standing: ${standing}`, {}, { standing }),
    ),
    make('trust', 'a score below the minimum', {}, { score: 0.1 }),
    make('hooks', 'a hook refuses', {}, { hook: true }),
  ];
}

/** Limits that an intent gets round because the passport does not say which params the action has: no verifier can stop these. */
export function openings(honest: Honest, dice: Dice): Attack[] {
  const { action, params, limits } = honest;
  const { name, schema } = action;
  const found: Attack[] = [];
  const closing = lineFor(honest);
  for (const limit of limits) {
    const kind = limitKindOf(limit);
    if (!isFor(limit, name) || !['money', 'daily', 'domains', 'allowed', 'max', 'min'].includes(kind)) continue;
    const own = Object.keys(params).filter((each) => limitReads(limit, each));
    if (own.length === 0) continue;
    const rest = Object.fromEntries(Object.entries(params).filter(([each]) => !own.includes(each)));
    const open = (why: string): PassportGap => ({ why, line: closing });
    const make = (what: string, changed: JsonObject, why: string): Attack => ({
      ...{ constraint: limit.name, kind: what, action: name, history: [], scene: FAIR, open: open(why) },
      sent: { intent: { action: name, params: changed } },
    });
    const mandatory = own.some((each) => requiredOf(schema).includes(each));
    if (!mandatory) found.push(make('left out', rest, `no schema makes ${own.join(' or ')} mandatory`));
    if (isClosed(schema)) continue;
    const invented = ['q', 'data', 'field', 'arg', 'x'][dice.number(5)]!;
    const value =
      kind === 'domains'
        ? 'evil.example'
        : kind === 'allowed'
          ? 'NOT_IN_THE_LIST'
          : beyond(limit.value, kind === 'min');
    found.push(
      make(
        'under an invented name',
        { ...(mandatory ? params : rest), [`${invented}${dice.number(100)}`]: value },
        'no schema rejects params that it does not declare',
      ),
    );
  }
  return found;
}

function beyond(value: Json, below: boolean): Json {
  const limit = exact(value) ?? 0n;
  return Number(decimal(below ? limit - 10n ** 15n : limit + 10n ** 15n));
}

/** The action as the passport would have to declare it. */
function lineFor({ action: { name, schema }, params, limits }: Honest): JsonObject {
  // Of what only has to be there the limits do not say which type it has.
  const typed = (each: string): boolean =>
    limits.some((limit) => limitReads(limit, each) && limitKindOf(limit) !== 'require');
  const properties = Object.fromEntries(
    Object.entries(params).map(([each, value]) => [
      each,
      propertiesOf(schema)[each] ?? (typed(each) ? { type: typeOf(value, each) } : {}),
    ]),
  );
  return {
    name,
    params: {
      ...(schema ?? { type: 'object' }),
      properties: { ...propertiesOf(schema), ...properties },
      required: [...new Set([...requiredOf(schema), ...Object.keys(params)])],
      additionalProperties: false,
    },
  };
}

function typeOf(value: Json, name: string): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'object') return 'object';
  return isMoneyName(name) ? 'number' : typeof value;
}
