/** Attacks on the limits of a passport: the honest params with one value that a limit must not let through. */
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { attacksOnApproval, wide } from './approvals/attacks.js';
import { domainsOf, limitKindOf, limitReads, thingLimited } from './honest.js';
import { isFor, type Limit } from './limits.js';
import { MOST_BEFORE, split, tooMuch, withoutParam, type Honest } from './attacks-money.js';
import { FAIR, type Attack, type Dice, type Scene, type Sent } from './scene.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Attacks on the limits of one action. `dice` varies values where several will do. */
export function attacksOnLimits(honest: Honest, dice: Dice): Attack[] {
  const { action, limits } = honest;
  return limits.filter((limit) => isFor(limit, action.name)).flatMap((limit) => attacksOn(limit, honest, dice));
}

function attacksOn(limit: Limit, honest: Honest, dice: Dice): Attack[] {
  const name = honest.action.name;
  const attack = (
    kind: string,
    sent: Partial<Sent>,
    more: Partial<Scene> = {},
    history: readonly Sent[] = [],
  ): Attack => ({
    ...{ constraint: limit.name, kind, action: name, history, open: null },
    sent: { ...sent, intent: { action: name, params: honest.params, ...sent.intent } },
    scene: { ...FAIR, ...more },
  });
  const withParams = (kind: string, params: JsonObject, more: Partial<Scene> = {}): Attack =>
    attack(kind, { intent: { params } }, more);
  const own = Object.keys(honest.params).filter((each) => limitReads(limit, each));
  const before = (count: number, params: JsonObject = honest.params, apart = 1): Sent[] =>
    Array.from({ length: count }, (_, i) => ({ intent: { action: name, params }, ago: 1 + (count - i) * apart }));
  switch (limitKindOf(limit)) {
    case 'money':
      return tooMuch(limit, honest, dice).map(([kind, params]) => withParams(kind, params));
    case 'daily':
      return [
        ...tooMuch(limit, honest, dice).map(([kind, params]) => withParams(kind, params)),
        ...split(limit, honest).flatMap(({ kind, params, count }) => [
          attack(kind, { intent: { params } }, {}, before(count, params)),
          // Another limit may hold up as many at once; a day later, as no intent is older than its passport.
          attack(
            `${kind}, over a day`,
            { intent: { params } },
            { later: DAY_MS },
            before(count, params, Math.floor((DAY_MS - HOUR_MS) / count)),
          ),
        ]),
      ];
    case 'currency':
      return ['EUR', 'USD', 'JPY', 'XXX', 'USDT']
        .filter((each) => each !== limit.currency)
        .map((each) => withParams(`currency ${each}`, { ...honest.params, currency: each }));
    case 'domains':
      return elsewhere(limit, own, honest, dice).map(([kind, changes, target]) =>
        attack(kind, {
          intent: { params: { ...honest.params, ...changes }, ...(target === undefined ? {} : { target }) },
        }),
      );
    case 'rate':
    case 'count': {
      const most = Math.min(...mostOf(limit, name));
      return Number.isFinite(most) && most <= MOST_BEFORE
        ? [attack('one more than the window holds', {}, {}, before(most))]
        : [];
    }
    case 'allowed':
      return otherValues(limit, own, honest).map(([kind, params]) => withParams(kind, params));
    case 'denied':
      return deniedValues(limit, own).map(([kind, params]) => withParams(kind, { ...honest.params, ...params }));
    case 'max':
    case 'min':
      return beyondBound(limit, own, dice).map(([kind, params]) => withParams(kind, { ...honest.params, ...params }));
    case 'require':
      return [
        ...own.map((each) => withParams('left out', withoutParam(honest.params, each))),
        ...([null, false, '', ' ', '\u200b', [], {}] as const).flatMap((value) =>
          own.map((each) => withParams(`empty: ${JSON.stringify(value)}`, { ...honest.params, [each]: value })),
        ),
      ];
    case 'approval':
      return attacksOnApproval(limit, honest).map(({ kind, sent, words, history: earlier }) =>
        attack(kind, sent, { words }, earlier),
      );
    case 'window':
      return [6, 12, 18, 24, 36, 48, 60, 72, 84, 96, 120, 24 * 400].map((hours) =>
        withParams(`${hours} h later`, honest.params, { later: hours * 3_600_000 }),
      );
    case 'geo':
      return [
        withParams('no country', honest.params, { geo: null }),
        ...['KP', 'XX', 'ZZ'].map((geo) => withParams(`from ${geo}`, honest.params, { geo })),
      ];
  }
}

function mostOf({ value }: Limit, action: string): number[] {
  if (typeof value === 'number') return [value];
  if (typeof value === 'string') return [Number(value.split('/')[0])];
  const own = (value as JsonObject)[action];
  return typeof own === 'string' ? [Number(own.split('/')[0])] : [];
}

const EVIL = 'evil.example';

function elsewhere(
  limit: Limit,
  own: readonly string[],
  { params }: Honest,
  dice: Dice,
): (readonly [string, JsonObject, string?])[] {
  const [good = 'example.com'] = domainsOf(limit);
  const far = `${['evil', 'attacker', 'exfil', 'drop'][dice.number(4)]!}${dice.number(1000)}.example`;
  const forms: (readonly [string, string])[] = [
    ['another domain', `x@${EVIL}`],
    ['another domain, at random', `x@${far}`],
    ['a URL elsewhere', `https://${far}/`],
    ['two addresses', `a@${good}, x@${EVIL}`],
    ['two addresses by a line end', `a@${good}\nx@${EVIL}`],
    ['userinfo', `https://${good}@${EVIL}/`],
    ['userinfo with a port', `https://${good}:443@${EVIL}/`],
    ['the domain as a path', `https://${EVIL}/${good}`],
    ['the domain as a label', `https://${good}.${EVIL}/`],
    ['the end of another name', `x@not${good}`],
    ['a homograph', `x@${good.replace(/[aeo]/, (letter) => ({ a: 'а', e: 'е', o: 'о' })[letter]!)}`],
    ['another domain with a dot at its end', `x@${EVIL}.`],
    ['an IPv4 address', 'https://127.0.0.1/'],
    ['an IPv6 address', 'https://[::1]/'],
    ['an IPv4 address as a number', 'http://2130706433/'],
    ['no scheme', `//${EVIL}/`],
    ['mailto', `mailto:x@${EVIL}`],
    ['full-width letters', `x@${EVIL.replace('evil', 'ｅｖｉｌ')}`],
    ['two at signs', `x@${good}@${EVIL}`],
    ['upper case', `X@${EVIL.toUpperCase()}`],
    ['a subdomain', `x@sub.${good}`],
    ['another scheme', `ftp://${EVIL}/`],
    ['socket', `wss://${EVIL}/`],
    ['a comment behind it', `x@${EVIL} (${good})`],
    ['a group', `Team: a@${good}, x@${EVIL};`],
    ['a name before it', `"a@${good}" <x@${EVIL}>`],
    ['a last separator', `x@${EVIL};`],
    ['three slashes', `///${EVIL}/`],
    ['an address literal', 'x@[IPv6:2001:db8::1]'],
  ];
  const named = own.length > 0 ? own : ['to'];
  const found: (readonly [string, JsonObject, string?])[] = [];
  for (const [kind, text] of forms) {
    for (const name of named)
      found.push([kind, { [name]: text }], [`${kind}, in a list`, { [name]: [`a@${good}`, text] }]);
  }
  if (limit.params === null) {
    for (const name of ['cc', 'bcc', 'webhook_url', 'callbackUrl', 'recipientEmail', 'endpoint', 'reply_to'])
      found.push([`under ${name}`, { [name]: `https://${far}/` }]);
    found.push(
      ['a URL under any name', { note: `https://${EVIL}/x` }],
      ['an address under any name', { note: `x@${EVIL}` }],
      ...[`x@${EVIL} (Bob)`, `Team: x@${EVIL};`, `Bob <x@${EVIL}>,`, `x@${EVIL};`, `///${EVIL}/`].map(
        (each) => [`under any name: ${each}`, { note: each }] as const,
      ),
      ['nested', { message: { to: [`x@${EVIL}`] } }],
      ['as the target', {}, `https://${EVIL}/`],
    );
  }
  return found.map(([kind, changes, target]) => [kind, { ...params, ...changes }, target] as const);
}

function otherValues(limit: Limit, own: readonly string[], { params }: Honest): (readonly [string, JsonObject])[] {
  const values = limit.value as readonly Json[];
  const [first] = values;
  const text = typeof first === 'string' ? first : 'x';
  const thing = thingLimited(limit).replace(/s$/, '');
  const names = own.length > 0 ? own : [thing];
  const bad: Json[] = [
    'NOT_IN_THE_LIST',
    `${text} `,
    ` ${text}`,
    `${text}\u200b`,
    `${text}X`,
    swapped(text),
    0,
    true,
    `${text},NOT_IN_THE_LIST`,
  ];
  const found: (readonly [string, JsonObject])[] = [];
  for (const name of names) {
    for (const value of bad.filter((each) => !values.includes(each)))
      found.push([`another value: ${JSON.stringify(value)}`, { ...params, [name]: value }]);
    if (first !== undefined) found.push(['one of a list', { ...params, [name]: [first, 'NOT_IN_THE_LIST'] }]);
    found.push(
      ['in other letters', { ...withoutParam(params, name), [capital(name)]: 'NOT_IN_THE_LIST' }],
      ['nested', { ...params, order: { [name]: 'NOT_IN_THE_LIST' } }],
    );
    found.push(['with a word before', { ...params, [`target_${name}`]: 'NOT_IN_THE_LIST' }]);
  }
  return found;
}

function deniedValues(limit: Limit, own: readonly string[]): (readonly [string, JsonObject])[] {
  const names = own.length > 0 ? own : [thingLimited(limit).replace(/s$/, '')];
  return (limit.value as readonly Json[]).slice(0, 8).flatMap((value) =>
    names.flatMap((name): (readonly [string, JsonObject])[] => {
      const forms: Json[] =
        typeof value === 'string'
          ? [value, value.toUpperCase(), `${value} `, ` ${value}`, wide(value), [value], ...otherTypeOf(value)]
          : [value, String(value)];
      return [
        ...forms.map((each) => [`a denied value: ${JSON.stringify(each)}`, { [name]: each }] as const),
        ['nested', { order: { [name]: value } }],
        ['in other letters', { [capital(name)]: value }],
      ];
    }),
  );
}

/** The number that a text is written as, which an agent can send in its place. */
function otherTypeOf(text: string): number[] {
  return String(Number(text)) === text && Number.isFinite(Number(text)) ? [Number(text)] : [];
}

function beyondBound(limit: Limit, own: readonly string[], dice: Dice): (readonly [string, JsonObject])[] {
  const bound = Number(limit.value);
  const sign = limitKindOf(limit) === 'max' ? 1 : -1;
  const names = own.length > 0 ? own : [limit.params?.[0] ?? thingLimited(limit)];
  const values = [bound + sign, bound + sign * (2 + dice.number(10_000)), bound + sign * 0.5, sign * 1e15];
  return names.flatMap((name): (readonly [string, JsonObject])[] => [
    ...values.map((value) => [`${value} for ${bound}`, { [name]: value }] as const),
    ['in a list', { [name]: [bound, bound + sign] }],
    ['nested', { config: { [name]: bound + sign } }],
    ['in other letters', { [capital(name)]: bound + sign }],
    ['with a word before', { [`target_${name}`]: bound + sign }],
  ]);
}

function swapped(text: string): string {
  return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
