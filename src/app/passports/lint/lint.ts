import { DEFAULT_CURRENCY } from '../../../protocol/constraints/currencies.js';
import type { PassportDocument } from '../../../protocol/passport.js';
import { parseTime } from '../../../protocol/time.js';
import { isObject, type Json, type JsonObject } from '../../../protocol/json/values.js';
import { isReadAction, isResourceAction, resourcePrefix } from '../../../protocol/naming/resources.js';
import { wordsOf } from '../../../protocol/naming/name-words.js';
import { tierOf } from '../../../protocol/constraints/destinations.js';
import { moneyNameOf } from '../../../protocol/constraints/money-names.js';
import { isMeant, nameOf } from '../../../protocol/naming/names.js';
import { declaredIn } from '../../../verify/constraints/reading/declared.js';
import type { LintFinding } from './finding.js';
import { lintIssuer } from './issuer.js';
import { destinationParams, lintMeasures, partedBy, valueOf, type DestinationParams } from './measures.js';

export type { LintFinding } from './finding.js';

/** What lint reads of a passport; it judges drafts as well as signed ones. */
export type PassportLike = Pick<PassportDocument, 'actions' | 'constraints'> & Partial<PassportDocument>;

interface Action {
  readonly name: string;
  readonly words: readonly string[];
  readonly schema: JsonObject | null;
}

/** More actions than this is more than a handful: each is a thing a hijacked agent can do. */
const HANDFUL = 5;
const YEAR_MS = 366 * 24 * 3_600_000;

const MONEY = wordSet(
  'refund reimburse pay payment payout charge transfer order invoice purchase buy sell trade withdraw withdrawal deposit donate ' +
    'spend disburse wire tip checkout subscribe credit debit',
);
const REACHES_OUT = wordSet('email mail smtp http https url webhook upload browse crawl scrape fetch notify');
const READS = wordSet('get list read show view lookup search find check track describe count query status preview');
const DESTROYS = wordSet('delete destroy drop wipe purge erase terminate shutdown deploy rollback revoke grant');

/** Warnings about over-permission in the order of a passport's members; empty when nothing stands out. */
export function lintPassport(document: PassportLike): LintFinding[] {
  const actions = document.actions.map(actionOf);
  const findings = [
    ...lintIssuer(document),
    ...lintActions(actions),
    ...lintResources(actions),
    ...lintMoney(actions, document.constraints),
    ...lintDomains(actions, document.constraints),
    ...lintRates(actions, document.constraints),
    ...lintApproval(actions, document.constraints),
    ...lintExpiry(document),
    ...lintMeasures(actions, document.constraints),
  ];
  const { issuer_signature: signature, agent_name: name } = document;
  if (signature === undefined || name === undefined) return findings;
  return findings.map((found) => ({
    ...found,
    hint: found.hint.replace(CREATE, `Set it: aip passport update ${name} `),
  }));
}

/** How a hint begins that names flags; a passport that is signed is updated with the same ones. */
const CREATE = 'Create the passport with ';

/** Which text params of a passport's schemas count as destinations. */
export function lintDestinations(document: PassportLike): DestinationParams {
  return destinationParams(document.actions.map(actionOf), document.constraints);
}

function lintActions(actions: readonly Action[]): LintFinding[] {
  const findings: LintFinding[] = [];
  if (actions.length === 0) {
    findings.push(
      warning('no-actions', '/actions', {
        message: 'The passport declares no action: whatever the agent asks is refused.',
        hint: `${CREATE}--action <name>.`,
      }),
    );
  }
  if (actions.length > HANDFUL) {
    findings.push(
      warning('too-many-actions', '/actions', {
        message: `The passport declares ${actions.length} actions; whoever takes over the agent can do all of them.`,
        hint: 'Give each task an agent of its own with the few actions it needs.',
      }),
    );
  }
  const bare = actions.filter((action) => action.schema === null);
  if (bare.length > 0) {
    findings.push(
      warning('no-params-schema', '/actions', {
        message: `${names(bare)} ${bare.length === 1 ? 'has' : 'have'} no schema for params: any param passes, and a constraint is skipped when its param is left out.`,
        hint: 'Declare the action as {"name": ..., "params": {JSON Schema}} with "required" and "additionalProperties": false, and create with --from.',
      }),
    );
  }
  const proto = actions.filter((action) => action.schema !== null && declaredIn(action.schema).includes('__proto__'));
  if (proto.length > 0) {
    findings.push({
      code: 'param-never-read',
      severity: 'error',
      path: '/actions',
      message: `The schema of ${names(proto)} names a param "__proto__", which no schema can check: required, or the only one let through, it keeps the action from ever passing.`,
      hint: 'Give the param another name.',
    });
  }
  const open = actions.filter((action) => action.schema !== null && isOpen(action.schema));
  if (open.length > 0) {
    findings.push(
      note('open-params-schema', '/actions', {
        message: `The schema of ${names(open)} lets params through that it does not name.`,
        hint: 'Add "additionalProperties": false to the schema.',
      }),
    );
  }
  return findings;
}

function lintResources(actions: readonly Action[]): LintFinding[] {
  const findings: LintFinding[] = [];
  for (const { name } of actions) {
    if (!isResourceAction(name) || !name.endsWith('/*')) continue;
    const prefix = resourcePrefix(name.slice('resource:'.length));
    if (prefix === null) {
      findings.push({
        code: 'resource-never-read',
        severity: 'error',
        path: '/actions',
        message: `"${name}" covers no URI: its prefix does not parse, or has a step up or an escaped slash, dot or backslash in it.`,
        hint: 'Name a folder of one scheme and host, such as resource:file:///docs/*.',
      });
    } else if (/^[^:]*:\/*$/.test(prefix)) {
      findings.push(
        warning('resource-any', '/actions', {
          message: `"${name}" covers every URI of its scheme.`,
          hint: 'Name the folder or the host that is needed.',
        }),
      );
    }
  }
  return findings;
}

function lintMoney(actions: readonly Action[], constraints: JsonObject): LintFinding[] {
  const spending = actions.filter(movesMoney);
  const [limited, free] = partedBy(constraints.monetary_limit, spending);
  const findings: LintFinding[] = [];
  if (free.length > 0) {
    findings.push(
      warning('no-monetary-limit', '/constraints/monetary_limit', {
        message: `${names(free)} can move money, and no limit is set for one action.`,
        hint: `${CREATE}--monetary-limit <amount>.`,
      }),
    );
  }
  if (constraints.monetary_limit !== undefined && constraints.daily_limit === undefined) {
    findings.push(
      warning('no-daily-limit', '/constraints/daily_limit', {
        message: 'One action is limited, a day is not: many small amounts add up.',
        hint: `${CREATE}--daily-limit <amount>.`,
      }),
    );
  }
  for (const name of ['monetary_limit', 'daily_limit']) {
    const limit = constraints[name];
    if (limit === undefined || currencyOf(limit, constraints) !== undefined) continue;
    findings.push(
      warning('no-currency', `/constraints/${name}`, {
        message: `${name} does not say of which currency it is: it counts as ${DEFAULT_CURRENCY}, and amounts in any other are refused.`,
        hint: `${CREATE}--currency <code>.`,
      }),
    );
  }
  const evaded = limited.filter(({ schema }) => schema !== null && !requiresMoney(schema, constraints.monetary_limit!));
  if (evaded.length === 0) return findings;
  const [param] = namedParams(constraints.monetary_limit!) ?? ['amount'];
  const read = ({ schema }: Action): readonly string[] =>
    declaredIn(schema!).filter((name) => holdsMoney(name, constraints.monetary_limit!));
  const optional = evaded.filter((action) => read(action).length > 0);
  const absent = evaded.filter((action) => !optional.includes(action));
  const own = `"${[...new Set(optional.map((action) => read(action)[0]!))].slice(0, 4).join('" or "')}"`;
  const told = [
    [
      optional,
      `does not require ${own}, and monetary_limit is skipped when it is left out.`,
      'Add it to "required" in the schema.',
    ],
    [
      absent,
      'names no param that monetary_limit reads, and it is skipped where none is given.',
      `Declare what holds the money ("${param}"), at any depth, and require it.`,
    ],
  ] as const;
  for (const [some, what, hint] of told.filter(([some]) => some.length > 0))
    findings.push(
      warning('amount-not-required', '/actions', { message: `The schema of ${names(some)} ${what}`, hint }),
    );
  return findings;
}

function lintDomains(actions: readonly Action[], constraints: JsonObject): LintFinding[] {
  const { allowed_domains: written } = constraints;
  const [, free] = partedBy(written, actions.filter(reachesOut));
  const open = warning('no-allowed-domains', '/constraints/allowed_domains', {
    message: `${names(free)} can send data out, to any address.`,
    hint: `${CREATE}--allowed-domain <name>.`,
  });
  const domains = valueOf(written);
  const wild = (Array.isArray(domains) ? (domains as readonly Json[]) : []).flatMap((domain, i) => {
    if (typeof domain !== 'string' || !domain.includes('*')) return [];
    return warning('wildcard-domain', `/constraints/allowed_domains${domains === written ? '' : '/value'}/${i}`, {
      message: `"${domain}" lets in every subdomain, also one that someone else can register or take over.`,
      hint: 'Name the hosts that are needed.',
    });
  });
  return free.length === 0 ? wild : [open, ...wild];
}

function lintRates(actions: readonly Action[], constraints: JsonObject): LintFinding[] {
  if (Object.keys(constraints).some((name) => /^max_.+_per_[a-z]+$/.test(name))) return [];
  const rate = valueOf(constraints.rate_limit);
  const [limited, others] = partedBy(constraints.rate_limit, actions);
  const free = [...others, ...limited.filter(({ name }) => isObject(rate) && rate[name] === undefined)];
  if (free.length === 0) return [];
  return [
    warning('no-rate-limit', '/constraints/rate_limit', {
      message: `${names(free)} can be repeated without end.`,
      hint: `${CREATE}--rate-limit <n>/hour.`,
    }),
  ];
}

function lintApproval(actions: readonly Action[], constraints: JsonObject): LintFinding[] {
  const grave = actions.filter((action) => has(action, DESTROYS) && !isRead(action));
  if (grave.length === 0 || constraints.require_approval !== undefined) return [];
  return [
    note('no-approval', '/constraints/require_approval', {
      message: `${names(grave)} cannot easily be undone, and nobody is asked.`,
      hint: `${CREATE}--constraint 'require_approval:=${JSON.stringify({ actions: grave.map(({ name }) => name) })}'.`,
    }),
  ];
}

function lintExpiry(document: PassportLike): LintFinding[] {
  const { expires_at: expires, issued_at: issued } = document;
  if (expires === undefined || expires === null) {
    return [
      warning('no-expiry', '/expires_at', {
        message: 'The passport is valid for ever: an agent that is forgotten keeps its rights.',
        hint: `${CREATE}--expires 90d.`,
      }),
    ];
  }
  const from = issued === undefined ? null : parseTime(issued);
  const until = parseTime(expires);
  if (from === null || until === null || until - from <= YEAR_MS) return [];
  return [
    warning('long-expiry', '/expires_at', {
      message: `The passport is valid for ${Math.round((until - from) / (24 * 3_600_000))} days.`,
      hint: 'Issue it for 90 days, and again when it is still needed.',
    }),
  ];
}

function actionOf(entry: PassportLike['actions'][number]): Action {
  const { name, params } = typeof entry === 'string' ? { name: entry, params: undefined } : entry;
  // The words of a URI are names of things, not of what is done.
  return { name, words: isReadAction(name) ? ['read'] : wordsOf(name), schema: params ?? null };
}

function movesMoney(action: Action): boolean {
  if (properties(action).some((name) => moneyNameOf(nameOf(name)).money)) return true;
  return has(action, MONEY) && !isRead(action);
}

function reachesOut(action: Action): boolean {
  // `to` of a transfer is an account.
  const addresses = properties(action).filter((name) => isAddress(name) && !(name === 'to' && movesMoney(action)));
  if (addresses.length > 0) return true;
  // `send_report` goes somewhere; `read_email` and `list_webhooks` do not.
  return (has(action, REACHES_OUT) || action.words.includes('send')) && !isRead(action);
}

function isAddress(name: string): boolean {
  const tier = tierOf(nameOf(name));
  return tier === 'first' || tier === 'strong';
}

/** A verb that only looks stands first, as in `get_invoice`. */
function isRead(action: Action): boolean {
  return READS.has(action.words[0] ?? '');
}

function has(action: Action, words: ReadonlySet<string>): boolean {
  return action.words.some((word) => words.has(word) || (word.endsWith('s') && words.has(word.slice(0, -1))));
}

function properties(action: Action): string[] {
  return isObject(action.schema?.properties) ? Object.keys(action.schema.properties) : [];
}

function isOpen(schema: JsonObject): boolean {
  return schema.additionalProperties !== false && schema.unevaluatedProperties !== false;
}

function requiresMoney(schema: Json | undefined, limit: Json): boolean {
  if (!isObject(schema)) return false;
  const { required, properties, items } = schema;
  const isRequired = (name: Json): boolean =>
    typeof name === 'string' &&
    (holdsMoney(name, limit) || (isObject(properties) && requiresMoney(properties[name], limit)));
  return requiresMoney(items, limit) || (Array.isArray(required) && (required as readonly Json[]).some(isRequired));
}

function holdsMoney(name: string, limit: Json): boolean {
  const named = namedParams(limit);
  if (named === null) return moneyNameOf(nameOf(name)).money;
  return named.some((each) => isMeant(nameOf(each), nameOf(name)) || isMeant(nameOf(`${each}_minor`), nameOf(name)));
}

/** The params that a limit names; null where it names none. */
function namedParams(limit: Json): readonly string[] | null {
  if (!isObject(limit)) return null;
  const given = Array.isArray(limit.params) ? (limit.params as readonly Json[]) : [limit.param];
  const named = given.filter((each) => typeof each === 'string');
  return named.length === 0 ? null : named;
}

function currencyOf(limit: Json, constraints: JsonObject): Json | undefined {
  return (isObject(limit) ? limit.currency : undefined) ?? constraints.currency;
}

/** At most four names, so that a passport of hundreds of actions still warns in one line. */
function names(actions: readonly Action[]): string {
  const shown = actions.slice(0, 4).map((action) => action.name);
  const more = actions.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

function wordSet(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

type Text = Pick<LintFinding, 'message' | 'hint'>;
const warning = (code: string, path: string, text: Text): LintFinding => ({ code, severity: 'warning', ...text, path });
const note = (code: string, path: string, text: Text): LintFinding => ({ code, severity: 'note', ...text, path });
