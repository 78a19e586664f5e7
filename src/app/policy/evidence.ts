/** What accepted intents needed of each limit of a passport, as the verifier's own checks read it. */
import { domainList, isListed } from '../../protocol/constraints/domains.js';
import type { Constraint, DomainRule, MoneyLimit, RateRule } from '../../protocol/constraints/rules.js';
import { emptyObject, type JsonObject } from '../../protocol/json/values.js';
import type { Entry } from '../../protocol/log/entry.js';
import { passportIn, type Passport } from '../../protocol/passport.js';
import { parseTime } from '../../protocol/time.js';
import { dailyLimit } from '../../verify/constraints/daily.js';
import { allowedDomains } from '../../verify/constraints/domains.js';
import { paramOf, type Judged } from '../../verify/constraints/judged.js';
import { amountsUnder } from '../../verify/constraints/money.js';
import { rate } from '../../verify/constraints/rates.js';
import { largestOf } from '../../verify/constraints/reading/amount.js';
import { membersOf } from '../../verify/constraints/reading/members.js';
import type { Meter, MeterReading } from '../../verify/meters.js';
import { usageOf } from '../../verify/limits/usage.js';
import { couldRead, hiddenOf, type Hidden } from './hidden.js';
import { gaugesOf, PastWindows } from './windows.js';

/** A type of JSON Schema. */
export type JsonType = 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object';

/** What was seen of one action. */
export interface ActionSeen {
  /** Accepted intents. */
  count: number;
  /** True once one of them does not show all of its params. */
  hidden: boolean;
  /** By the name of a param: how many carry it, and what it was. */
  readonly params: Map<string, { count: number; readonly types: Set<JsonType> }>;
}

/** What was needed of one limit, the most of each; null and empty where nothing was measured. */
export interface Need {
  /** True once something that the limit could have read is not in the log. */
  unknown: boolean;
  /** Of money: minor units, of one action or of the 24 hours that end with it. */
  minor: bigint | null;
  /** True once money was found by a word in a name, and not under `amount` or a name that the passport gives. */
  guessed: boolean;
  /** Of a rate: accepted ones in its window, the last one among them. */
  count: number;
  /** Of destinations: hosts as the verifier writes them. */
  readonly hosts: Set<string>;
}

type Shown = Pick<Judged, 'params' | 'members'>;

/** Reads accepted entries of one agent, one after the other, in the order of the log. */
export class UsageEvidence {
  accepted = 0;
  /** ms since the epoch, of the first and the last; null where there is none. */
  first: number | null = null;
  last: number | null = null;
  readonly actions = new Map<string, ActionSeen>();
  /** True once an amount was read, under a limit or not. */
  money = false;
  /** What intents themselves name as their currency. */
  readonly currencies = new Set<string>();
  /** By the rules of the passport that are measured. */
  readonly needs = new Map<Constraint, Need>();
  readonly #passport: Passport;
  readonly #windows: PastWindows;
  readonly #judgedPassport: (hash: string) => string | null;
  readonly #known = new Map<string, Passport | null>();

  /** `judgedPassport` gives the text of a passport under which an intent was judged; null when it is not known. */
  constructor(passport: Passport, judgedPassport: (hash: string) => string | null) {
    this.#passport = passport;
    this.#judgedPassport = judgedPassport;
    this.#windows = new PastWindows(gaugesOf(passport.constraints));
    for (const rule of passport.constraints.all) {
      if (isMeasured(rule))
        this.needs.set(rule, { unknown: false, minor: null, guessed: false, count: 0, hosts: new Set() });
    }
  }

  /** Counts an accepted entry in the windows; with `learned` its needs as well. */
  add(entry: Entry, learned: boolean): void {
    const hidden = hiddenOf(entry);
    const schema = hidden === null ? null : this.#schemaOf(entry);
    const params = entry.params ?? NO_PARAMS;
    const members = membersOf(params);
    if (learned) this.#learn(entry, { params, members }, hidden, schema);
    const { constraints } = this.#passport;
    const usage = usageOf(constraints, params, members);
    const { currency, currencyIn = [], spends: source } = constraints;
    const money = { kind: 'daily_limit', limit: 0n, currency, currencyIn, source, actions: null } as const;
    const isOpen = hidden !== null && couldRead(money, hidden, schema);
    // A sum over what is not shown is a sum that nobody knows.
    if (isOpen) for (const [rule, need] of this.needs) if (rule.kind === 'daily_limit') need.unknown = true;
    if (learned && usage.amountMinor !== null) this.money = true;
    const said = paramOf(params, 'currency');
    if (learned && typeof said === 'string') this.currencies.add(said);
    this.#windows.add({ action: entry.action ?? '', at: momentOf(entry), ...usage }, true);
  }

  #learn(entry: Entry, shown: Shown, hidden: Hidden | null, schema: JsonObject | null): void {
    const at = momentOf(entry);
    this.accepted += 1;
    if (this.first === null || at < this.first) this.first = at;
    if (this.last === null || at > this.last) this.last = at;
    this.#see(entry, hidden);
    const action = entry.action ?? '';
    const judged = this.#judgedAs(entry, shown, at);
    for (const [rule, need] of this.needs) {
      if (rule.actions !== null && !rule.actions.has(action)) continue;
      if (hidden !== null && couldRead(rule, hidden, schema)) need.unknown = true;
      this.#measure(rule, need, judged);
    }
  }

  #see({ action, params, dialect }: Entry, hidden: Hidden | null): void {
    const seen = this.actions.get(action ?? '') ?? { count: 0, hidden: false, params: new Map() };
    this.actions.set(action ?? '', seen);
    seen.count += 1;
    // An envelope carries its params another way.
    if (hidden !== null || dialect !== 'native') seen.hidden = true;
    for (const [name, value] of Object.entries(params ?? NO_PARAMS)) {
      const param = seen.params.get(name) ?? { count: 0, types: new Set() };
      seen.params.set(name, param);
      param.count += 1;
      param.types.add(value === null ? 'null' : Array.isArray(value) ? 'array' : (typeof value as JsonType));
    }
  }

  #measure(rule: Constraint, need: Need, judged: Omit<Judged, 'read'>): void {
    const read = (meter: Meter): MeterReading => {
      const reading = this.#windows.read(meter, judged.now, 'most');
      if (meter.kind === 'sum' && reading.kind === 'sum') need.minor = most(need.minor, reading.spent + meter.asked);
      if (reading.kind === 'count') need.count = Math.max(need.count, reading.used + 1);
      return reading;
    };
    const asked: Judged = { ...judged, read };
    if (rule.kind === 'daily_limit') dailyLimit(rule, asked);
    else if (rule.kind === 'rate') rate(rule, asked);
    else if (rule.kind === 'allowed_domains') readHosts(rule, need, asked);
    else if (rule.kind === 'monetary_limit') {
      const amounts = amountsUnder(rule, asked);
      const largest = amounts === null ? null : largestOf(amounts);
      if (largest !== null) need.minor = most(need.minor, largest.minor);
      if (amounts?.readings.some(({ guessed }) => guessed) === true) need.guessed = true;
    }
  }

  #judgedAs({ agent_id: agentId, action, target }: Entry, shown: Shown, now: number): Omit<Judged, 'read'> {
    return {
      ...{ agentId, action: action ?? '', ...shown, target, now },
      ...{ schema: this.#passport.actions.get(action ?? '') ?? null, geo: null, intentHash: '' },
      approving: () => {
        throw new Error('no limit that is measured asks a person');
      },
    };
  }

  /** The schema that the params are known to have passed. */
  #schemaOf({ passport_hash: hash, action }: Entry): JsonObject | null {
    if (hash === null) return null;
    let known = this.#known.get(hash);
    if (known === undefined) {
      const text = this.#judgedPassport(hash);
      this.#known.set(hash, (known = text === null ? null : passportIn(text)));
    }
    return known?.actions.get(action ?? '') ?? null;
  }
}

/** A limit whose least value a log can tell. */
type Measured = MoneyLimit | RateRule | DomainRule;

function isMeasured(rule: Constraint): rule is Measured {
  const { kind } = rule;
  return kind === 'monetary_limit' || kind === 'daily_limit' || kind === 'rate' || kind === 'allowed_domains';
}

/** The check names what is not on a list, some of it at a time: on a list of what it has named it finds no more. */
function readHosts(rule: DomainRule, need: Need, judged: Judged): void {
  for (;;) {
    const list = { ...domainList([]), exact: need.hosts };
    const before = need.hosts.size;
    for (const { details } of allowedDomains({ ...rule, list }, judged)) {
      const host = details['requested_domain'];
      // What cannot be read as a host was accepted under other rules.
      if (typeof host === 'string' && isListed(rule.list, host)) need.hosts.add(host);
      else need.unknown = true;
    }
    if (need.hosts.size === before) return;
  }
}

function most(known: bigint | null, found: bigint): bigint {
  return known === null || found > known ? found : known;
}

function momentOf({ timestamp }: Entry): number {
  return parseTime(timestamp) ?? 0;
}

const NO_PARAMS: JsonObject = emptyObject();
