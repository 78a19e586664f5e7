import { whereabouts } from '../../../app/keys/keyring.js';
import { relative } from 'node:path';
import {
  createPassport,
  wrongDomain,
  wrongName,
  type IssuedPassport,
  type PassportRequest,
} from '../../../app/passports/issue.js';
import { Failure, shellWord } from '../../../app/failure.js';
import { withParams } from '../../../app/passports/declared-params.js';
import { lintPassport } from '../../../app/passports/lint/lint.js';
import type { KeyPlace, KeyStoreName } from '../../../app/ports/state.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import { parseJsonText } from '../../../protocol/json/parse.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import { withApproverKeys } from '../../passports/approvers.js';
import { sayFindings } from '../../passports/findings.js';
import { announce, sayReach, type Announced } from '../../passports/reach.js';
import type { Cli } from '../../cli.js';
import { FORCE_OPTION, PASSPHRASE_OPTIONS } from '../../input/options.js';
import {
  KEY_OPTIONS,
  newKeyPlace,
  principalKeyPlace,
  principalPlace,
  type KeyPlaceFlags,
} from '../../input/key-place.js';
import { askActions, askDomain, askName } from '../../passports/questions.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { pairs } from '../../input/values.js';
import {
  constraintsOf,
  DEFAULT_PASSPORT_TERM_MS,
  expiryOf,
  lifetime,
  METADATA_OPTION,
  template,
  TERM_OPTIONS,
  text,
  usable,
  type TermFlags,
} from '../../passports/terms.js';
import { firstIntent } from '../../passports/first-intent.js';
import { passportTarget, printUnwritten } from '../../passports/out.js';
import { issuing } from '../../../workspace/keys.js';

interface Options extends TermFlags, KeyPlaceFlags {
  readonly domain?: string;
  readonly expires?: number | 'never';
  readonly out?: string;
  readonly force?: boolean;
  /** False with `--no-publish`. */
  readonly publish?: boolean;
  readonly principalKeyStore?: KeyPlace;
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'create'],
  summary: 'Make an agent a key pair and a passport that its principal signs',
  detail: 'The first passport of a domain makes the principal key as well, and pins it on this machine.',
  args: [{ name: 'name', description: 'name of the agent, e.g. support-agent-v1', required: false }],
  options: [
    {
      title: 'Who',
      options: [
        { flags: '--domain <domain>', description: 'domain of the principal, e.g. acme.com' },
        { flags: '--expires <duration>', description: 'how long it is valid (default 90d), or never', value: lifetime },
        METADATA_OPTION,
      ],
    },
    TERM_OPTIONS,
    {
      title: 'Where things go',
      options: [
        {
          flags: '-o, --out <file>',
          description: 'passport file (default <name>.passport.json; - prints)',
          values: 'file',
        },
        FORCE_OPTION,
        { flags: '--no-publish', description: 'keep it on this machine, also where a mesh could carry it' },
        ...KEY_OPTIONS,
        {
          flags: '--principal-key-store <store>',
          description: 'where a new principal key goes: keychain, file, or an address',
          value: principalPlace,
        },
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    {
      run: 'aip passport create support-agent-v1 --domain acme.com --action send_email --action issue_refund --monetary-limit 100 --allowed-domain acme.com --rate-limit 10/hour',
      why: "the guide's support agent",
    },
    {
      run: 'aip passport create bot --domain acme.com --action issue_refund --param issue_refund:order_id:string --param issue_refund:amount:number --monetary-limit 100',
      why: 'takes these params and no others',
    },
    {
      run: 'aip passport create bot --from bot.json --key-store file',
      why: 'from a reviewed file, without a keychain',
    },
    {
      run: 'aip passport create bot --domain acme.com -a deploy --env-file .env',
      why: 'key in an env file',
    },
  ],
  exits: {
    3: 'a named file cannot be read',
    4: 'the key store is missing, locked or refuses',
    5: 'made, and the mesh that this machine has joined did not take it',
    13: "the principal's key is denied",
  },
  touches: ['files', 'state', 'keychain', 'network'],
  topics: ['passports', 'constraints', 'keys'],

  async run({ args, options }, cli) {
    const request = await requestOf(args[0], options, cli);
    const issued = await createOrAsk(request, options, cli);
    const findings = lintPassport(issued.passport.document);
    const announced = await announce(cli, issued.passport, { ...options, force: false, first: true });
    if (cli.globals.json) cli.json(answerOf(issued, findings, cli));
    else show(issued, findings, announced, cli);
    return announced.exitCode;
  },
};

/** Without a usable keychain, and without a store having been named, a person at a terminal chooses another. */
async function createOrAsk(request: PassportRequest, options: Options, cli: Cli): Promise<IssuedPassport> {
  const deps = await issuing(cli.workspace, options, options.force);
  try {
    return await createPassport(deps, request);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'KEYSTORE_MISSING') throw error;
    const named = options.keyStore === 'keychain' || options.principalKeyStore === 'keychain';
    if (named || !cli.ask.allowed) throw request.keyStore === 'env' ? ofPrincipal(error) : error;
    cli.note(clean(error.message));
    const keyStore = await cli.ask.select<KeyStoreName>({
      message: 'Where shall the private keys go instead',
      flag: '--key-store <store>',
      choices: [{ value: 'file', name: 'file', description: 'encrypted with a passphrase' }],
    });
    const instead = (store: KeyPlace) => (store === 'keychain' ? keyStore : store);
    return createPassport(deps, {
      ...request,
      keyStore: instead(request.keyStore),
      principalKeyStore: keyStore,
    });
  }
}

/** The agent's key goes to a file that was named: it is the principal's for which there is no place. */
function ofPrincipal(cause: Failure): Failure {
  return new Failure(cause.code, `The principal's key needs a place of its own. ${cause.message}`, {
    hint: 'add --principal-key-store file, with a passphrase in AIP_KEY_PASSPHRASE',
    cause,
  });
}

async function requestOf(nameArg: string | undefined, options: Options, cli: Cli): Promise<PassportRequest> {
  const file = options.from === undefined ? {} : await template(options.from, cli);
  const config = await cli.config();
  const chosen = config.entries.some(({ name, origin }) => name === 'key_store' && origin !== 'default');
  const configuredStore = config.get('key_store');
  const name = nameArg ?? text(file, 'name') ?? text(file, 'agent_name') ?? (await askName(cli.ask));
  const domain = options.domain ?? text(file, 'domain') ?? config.get('domain') ?? (await askDomain(cli.ask));
  // What cannot be made is refused before the other questions.
  const wrong = wrongName(name) ?? wrongDomain(domain);
  if (wrong !== null) throw new Failure('USAGE', wrong);
  let actions: PassportRequest['actions'] = [
    ...((file.actions ?? []) as PassportRequest['actions']),
    ...options.action,
  ];
  if (actions.length === 0) actions = await askActions(cli.ask);
  actions = withParams(actions, options.param);
  const keyStore = newKeyPlace(options, configuredStore);
  return {
    name,
    domain,
    actions,
    deniedActions: [...((file.denied_actions ?? []) as string[]), ...options.deny],
    constraints: await withApproverKeys(constraintsOf(file, options), cli),
    metadata: { ...((file.metadata ?? {}) as JsonObject), ...usable(() => pairs(options.metadata, parseJsonText)) },
    expiresInMs: expiryOf(options.expires ?? DEFAULT_PASSPORT_TERM_MS),
    path: passportTarget(options.out ?? `${name}.passport.json`, cli),
    keyStore,
    principalKeyStore:
      options.principalKeyStore ?? principalKeyPlace(keyStore, options, chosen ? configuredStore : null, cli.io.env),
  };
}

function answerOf(issued: IssuedPassport, findings: ReturnType<typeof lintPassport>, cli: Cli) {
  const { passport, key, path, principalPublicKey } = issued;
  return {
    agent_id: passport.agent.id,
    key_id: passport.document.key_id,
    public_key: passport.document.public_key,
    passport: path === null ? null : shownPath(path, cli),
    key_store: key.store,
    key_ref: key.ref,
    principal: passport.document.principal,
    principal_public_key: formatPublicKey(principalPublicKey),
    warnings: findings.map(({ code, message }) => ({ code, message })),
  };
}

/** As a person in this folder would type it. */
function shownPath(path: string, cli: Cli): string {
  const shown = relative(cli.io.cwd, path);
  return shown.startsWith('..') ? path : shown;
}

function show(issued: IssuedPassport, findings: ReturnType<typeof lintPassport>, announced: Announced, cli: Cli): void {
  const { passport, key, principalPublicKey, principalKeyPinned } = issued;
  const say = printUnwritten(issued.path, passport.document, cli);
  const path = issued.path === null ? null : shownPath(issued.path, cli);
  const { paint } = cli;
  say(`${paint.green('created')} ${paint.bold(passport.agent.id)}`);
  const rows = [
    ['passport', `${path ?? 'stdout'}  (public: share it with every verifier)`],
    ['public key', passport.document.public_key],
    ['private key', whereabouts(key)],
    ['signed by', `${passport.document.principal}  ${formatPublicKey(principalPublicKey)}`],
  ];
  if (principalKeyPinned !== null) {
    const { record, made } = principalKeyPinned;
    rows.push(['principal key', `${whereabouts(record)}  (${made ? 'new' : 'found there'}, pinned here)`]);
  }
  for (const [label, value] of rows) say(`  ${paint.dim(label!.padEnd(13))}  ${clean(value!)}`);
  sayFindings(findings, cli);
  const pin = `aip principal add ${passport.document.principal} --public-key ${formatPublicKey(principalPublicKey)}`;
  sayReach(cli, path, announced, pin);
  const named = shellWord(clean(path ?? passport.agent.name));
  const first = firstIntent(passport);
  cli.note(
    first === null
      ? `\nnext: aip passport show ${named}`
      : `\nnext: aip intent sign --passport ${named} ${first} | aip intent verify -`,
  );
}
