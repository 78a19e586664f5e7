import { resolve } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { findPassport } from '../../../app/passports/find.js';
import { grant } from '../../../app/passports/mandates.js';
import type { State } from '../../../app/ports/state.js';
import { requireIssued } from '../../../app/keys/principals.js';
import { DEFAULT_MANDATE_LIFETIME_MS } from '../../../protocol/aip1/mandate.js';
import { parseExact, plainJson, type Value, type ValueObject } from '../../../protocol/aip1/encoding/numbers.js';
import { speakerOf, unspokenConstraints } from '../../../protocol/aip1/speaker.js';
import { principalOfAgent } from '../../../protocol/identity/did.js';
import { JsonError } from '../../../protocol/json/parse.js';
import { formatTime } from '../../../protocol/time.js';
import type { Cli } from '../../cli.js';
import { readInput } from '../../input/documents.js';
import { PASSPHRASE_OPTIONS, type PassphraseFlags } from '../../input/options.js';
import { safeJson } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { createFile, readDocument } from '../../../workspace/files.js';
import { issuing } from '../../../workspace/keys.js';
import { expiryOf, lifetime } from '../../passports/terms.js';

interface Options extends PassphraseFlags {
  readonly issuer?: string;
  readonly expires?: number | 'never';
  readonly action: readonly string[];
  readonly deny: readonly string[];
  readonly perTransaction?: number;
  readonly perDay?: number;
  readonly currency?: string;
  readonly geo?: string;
  readonly boundaries?: string;
  readonly out?: string;
}

export const command: CommandSpec<Options> = {
  path: ['mandate', 'issue'],
  summary: 'Sign what a principal allows an agent, for verifiers of AIP-1',
  detail:
    'An agent signs the boundaries in its envelopes itself; a mandate is what it cannot widen. Without limits named here those of the known passport are granted.',
  args: [{ name: 'agent', description: 'agent id, or name of a known passport', values: 'agent' }],
  options: [
    {
      title: 'What it grants',
      options: [
        { flags: '-a, --action <name>', description: 'an action it allows', repeatable: true },
        { flags: '--deny <action>', description: 'an action it denies', repeatable: true },
        { flags: '--per-transaction <n>', description: 'most money in one action', value: money },
        { flags: '--per-day <n>', description: 'most money in any 24 hours', value: money },
        { flags: '--currency <code>', description: 'currency of the caps (default USD)', value: currencyCode },
        { flags: '--geo <countries>', description: 'countries it allows requests from, e.g. DE,FR', value: countries },
        {
          flags: '--boundaries <file>',
          description: 'all of it as AIP-1 boundaries, JSON (- for stdin)',
          values: 'file',
        },
      ],
    },
    {
      title: 'Who and how long',
      options: [
        {
          flags: '--issuer <did>',
          description: 'who grants it (default: the principal of the agent)',
          values: 'principal',
        },
        {
          flags: '--expires <duration>',
          description: 'how long it is valid, or never (default 30d, and no longer than the passport)',
          value: lifetime,
        },
        { flags: '-o, --out <file>', description: 'write to a new file instead of stdout', values: 'file' },
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip mandate issue support-agent-v1 -o support.mandate.json', why: 'what its passport allows' },
    {
      run: 'aip mandate issue did:web:acme.com:agents:bot -a transfer_funds --per-transaction 500 --per-day 5000',
      why: 'for an agent made with Python',
    },
  ],
  exits: {
    3: 'the agent or a file does not exist',
    4: "the principal's key is not here, locked or refused",
    10: 'the passport is not signed by a pinned principal, or has expired',
    13: "the principal's key is denied",
  },
  touches: ['files', 'state', 'keychain'],
  topics: ['aip-1'],

  async run({ args, options }, cli) {
    const deps = await issuing(cli.workspace, options);
    const agent = args[0]!;
    const known = await knownPassport(agent, options, deps.state, deps.clock());
    const boundaries = await boundariesOf(options, known, cli);
    const subject = known?.agentId ?? agent;
    const issuer = options.issuer ?? known?.principal ?? principalOf(subject);
    // By itself a mandate does not outlive the passport that it grants.
    const lifetimeMs = (now: number): number | null => {
      const { expires = Math.min(DEFAULT_MANDATE_LIFETIME_MS, termLeft(agent, known?.expiresAt ?? null, now)) } =
        options;
      return expiryOf(expires);
    };
    const mandate = await grant(deps, { issuer, subject, boundaries, lifetimeMs });
    if (options.out === undefined || options.out === '-')
      cli.out(safeJson(mandate, cli.io.stdout.isTTY === true ? 2 : undefined));
    else await createFile(resolve(cli.io.cwd, options.out), `${JSON.stringify(mandate, null, 2)}\n`);
    return 0;
  },
};

interface Known {
  readonly agentId: string;
  readonly principal: string;
  readonly boundaries: ValueObject;
  /** ms since the epoch; null never. */
  readonly expiresAt: number | null;
  /** Constraints that boundaries cannot hold. */
  readonly unspoken: readonly string[];
}

/** Null for an agent whose id is all that is known of it here. */
async function knownPassport(agent: string, { issuer }: Options, state: State, now: number): Promise<Known | null> {
  const isKnown = state.passport(agent) !== null || state.passports().some(({ name }) => name === agent);
  if (!isKnown && (agent.startsWith('did:') || issuer !== undefined)) return null;
  const { passport } = await findPassport({ state, readFile: readDocument }, agent);
  requireIssued(state, passport);
  const { expiresAt } = passport;
  termLeft(agent, expiresAt, now);
  return {
    expiresAt,
    agentId: passport.agent.id,
    principal: passport.document.principal,
    boundaries: speakerOf(passport).boundaries,
    unspoken: unspokenConstraints(passport),
  };
}

/** How long the passport of `agent` is in force from `now`, ms. @throws Failure PASSPORT_REFUSED where it has expired */
function termLeft(agent: string, expiresAt: number | null, now: number): number {
  if (expiresAt === null) return Infinity;
  if (now < expiresAt) return expiresAt - now;
  throw new Failure('PASSPORT_REFUSED', `AIP-E104 PASSPORT_EXPIRED: it expired at ${formatTime(expiresAt)}`, {
    hint: `aip passport renew ${shellWord(agent)}`,
  });
}

function principalOf(agentId: string): string {
  const principal = principalOfAgent(agentId);
  if (principal !== null) return principal;
  throw new Failure('USAGE', `Nobody can tell who answers for ${agentId}.`, {
    hint: 'name the principal with --issuer <did>',
  });
}

async function boundariesOf(options: Options, known: Known | null, cli: Cli): Promise<ValueObject> {
  const { action, deny, perTransaction, perDay, currency, geo, boundaries: file } = options;
  const named =
    action.length > 0 || [perTransaction, perDay, currency, geo].some((each) => each !== undefined) || deny.length > 0;
  if (file !== undefined) {
    if (named) throw new Failure('USAGE', 'Boundaries come from a file or from flags, not from both.');
    return boundariesIn(file, cli);
  }
  if (!named && known !== null) {
    if (known.unspoken.length > 0)
      cli.warn(
        `AIP-1 has no words for ${known.unspoken.join(', ')}: only verifiers that know the passport hold the agent to them.`,
        'left-behind',
      );
    return known.boundaries;
  }
  // An empty list allows anything, which must not be granted by leaving something out.
  if (action.length === 0)
    throw new Failure('USAGE', 'A mandate names the actions it allows.', { hint: '--action <name>' });
  return {
    allowed_actions: [...action],
    denied_actions: [...deny],
    monetary_limit: { per_transaction: perTransaction ?? 0, per_day: perDay ?? 0, currency: currency ?? 'USD' },
    ...(geo === undefined ? {} : { geo_restriction: geo }),
  };
}

async function boundariesIn(file: string, cli: Cli): Promise<ValueObject> {
  let value: Value;
  try {
    value = parseExact(await readInput(file, cli));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new Failure('UNREADABLE', `${file} is not strict JSON: ${error.reason} at byte ${error.offset}.`);
  }
  if (plainJson(value) !== value) throw new Failure('USAGE', `${file} holds an integer beyond 2^53, which is no cap.`);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as ValueObject;
  throw new Failure('USAGE', `${file} is not a JSON object of boundaries.`);
}

/** A positive amount that a JSON number says exactly. */
function money(text: string): number {
  if (/^\d{1,12}(\.\d{1,3})?$/.test(text) && Number(text) > 0) return Number(text);
  throw new Error('Expected an amount above 0, such as 500 or 99.95.');
}

/** Tokens are currencies to AIP-1, too. */
function currencyCode(text: string): string {
  if (/^[A-Za-z0-9]{3,16}$/.test(text)) return text.toUpperCase();
  throw new Error('Expected a currency such as EUR.');
}

/** An empty list would allow every country. */
function countries(text: string): string {
  const codes = text.split(',').map((code) => code.trim().toUpperCase());
  if (codes.every((code) => /^[A-Z]{2}$/.test(code))) return codes.join(',');
  throw new Error('Expected two-letter country codes such as DE,FR.');
}
