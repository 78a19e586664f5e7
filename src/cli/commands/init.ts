import { isHeld, whereabouts } from '../../app/keys/keyring.js';
import { looksLikeKeyAddress, type KeyAddressText } from '../../protocol/identity/key-address.js';
import { keyAddress } from '../input/key-place.js';
import { Failure, shellWord } from '../../app/failure.js';
import { principalHeld, setUpPrincipal, type PrincipalSetUp } from '../../app/setup/init.js';
import type { KeyStoreName } from '../../app/ports/state.js';
import type { PrincipalDeps } from '../../app/keys/principals.js';
import { isDomain } from '../../protocol/identity/did.js';
import { wrongDomainText } from '../../protocol/identity/spelling.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import type { Cli } from '../cli.js';
import type { Config } from '../config/load.js';
import { flatten } from '../config/values.js';
import { readUserFile, saveUserConfig } from '../config/files.js';
import { PASSPHRASE_OPTIONS, YES_OPTION, type PassphraseFlags } from '../input/options.js';
import { clean } from '../render/terminal/text.js';
import type { CommandSpec } from '../spec.js';
import { keyring } from '../../workspace/keys.js';
import { DEFAULT_KEY_STORE, GUARDED_KEY_STORES, isGuarded } from '../../workspace/key-stores.js';

interface Options extends PassphraseFlags {
  readonly domain?: string;
  readonly keyStore?: KeyStoreName;
  readonly key?: KeyAddressText;
  readonly yes?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['init'],
  summary: 'Set this machine up: config, key store, and the key its passports are signed with',
  detail: 'Run again, it changes nothing that is set up already.',
  options: [
    {
      title: 'Flags',
      options: [
        { flags: '--domain <domain>', description: 'domain that answers for the agents, e.g. acme.com' },
        {
          flags: '--key-store <store>',
          description: 'where private keys go (default keychain)',
          choices: GUARDED_KEY_STORES,
        },
        {
          flags: '--key <address>',
          description: "the principal's key where it lives: ssh-agent:, hashivault://, awskms:/// or cmd:",
          value: keyAddress,
        },
        ...PASSPHRASE_OPTIONS,
        YES_OPTION,
      ],
    },
  ],
  examples: [
    { run: 'aip init', why: 'asks for the domain' },
    {
      run: 'aip init --domain acme.com --key-store file --passphrase-file /run/secrets/aip',
      why: 'on a machine without a keychain, or in a script',
    },
  ],
  exits: { 4: "the key store is missing, locked or refuses; or the principal's key is elsewhere" },
  touches: ['files', 'state', 'keychain'],
  topics: ['config', 'keys'],

  async run({ options }, cli) {
    const quiet: Cli = options.yes === true ? { ...cli, ask: { ...cli.ask, allowed: false } } : cli;
    const config = await cli.config();
    const domain = await domainOf(options, config, quiet);
    const deps = await keyring(cli.workspace, { ...options, mayAsk: options.yes !== true });
    const known = principalHeld(deps.state, domain);
    if (options.key !== undefined && known !== null && known.record.ref !== options.key)
      throw new Failure('EXISTS', `The key of ${known.principal} is at ${whereabouts(known.record)} already.`, {
        hint: `a further one: aip key import --key ${shellWord(options.key)} --id ${known.principal}#key-2`,
      });
    const held = known?.record.store ?? null;
    const chosen = options.keyStore ?? configuredStore(config) ?? (held !== null && isHeld(held) ? held : null);
    const { setUp, keyStore } =
      options.key === undefined
        ? await makeOrAsk(deps, domain, chosen, quiet)
        : { setUp: await setUpPrincipal(deps, domain, options.key), keyStore: chosen ?? DEFAULT_KEY_STORE };
    // Where one key is asked says nothing of where new ones go.
    const values = options.key !== undefined && chosen === null ? { domain } : { key_store: keyStore, domain };
    const configured = saveConfig(cli, values);
    const changed = setUp.pinned !== null || configured;
    warnOfOverrules(config, values, cli);
    if (options.key === undefined && setUp.record.store !== keyStore) {
      cli.warn(`The key of ${setUp.principal} stays in the ${setUp.record.store} store; new keys go to ${keyStore}.`);
    }
    const path = cli.workspace.paths().userConfigFile;
    if (cli.globals.json) {
      cli.json({
        config: path,
        principal: setUp.principal,
        principal_public_key: formatPublicKey(setUp.publicKey),
        key_store: setUp.record.store,
        key_ref: setUp.record.ref,
        changed,
      });
    } else show(setUp, path, changed, cli);
    return 0;
  },
};

async function domainOf(options: Options, config: Config, cli: Cli): Promise<string> {
  const flag = '--domain <domain>';
  const message = 'Domain that answers for your agents, e.g. acme.com';
  const known = options.domain ?? config.get('domain');
  const wrong = (text: string): string => wrongDomainText(text) ?? '';
  if (known === null) {
    if (!cli.ask.allowed)
      throw new Failure('ANSWER_NEEDED', 'a domain is needed, and may not be asked for here', { hint: `give ${flag}` });
    return cli.ask.input({ message, flag, check: (text) => isDomain(text) || wrong(text) });
  }
  if (!isDomain(known)) throw new Failure('USAGE', `${wrong(known)}.`, { hint: `give ${flag}` });
  return known;
}

function configuredStore(config: Config): KeyStoreName | null {
  const entry = config.entries.find(({ name }) => name === 'key_store');
  const store = entry === undefined || entry.origin === 'default' ? null : config.get('key_store');
  return store === null || looksLikeKeyAddress(store) ? null : store;
}

interface Made {
  readonly setUp: PrincipalSetUp;
  /** Where new keys go from now on. */
  readonly keyStore: KeyStoreName;
}

/** Without a usable keychain, and without a store having been named, a person at a terminal is asked. */
async function makeOrAsk(deps: PrincipalDeps, domain: string, chosen: KeyStoreName | null, cli: Cli): Promise<Made> {
  const keyStore = chosen ?? DEFAULT_KEY_STORE;
  try {
    // A principal's key is never in the environment, wherever agents' keys go.
    return { setUp: await setUpPrincipal(deps, domain, isGuarded(keyStore) ? keyStore : DEFAULT_KEY_STORE), keyStore };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'KEYSTORE_MISSING') throw error;
    const hint = `aip init --domain ${domain} --key-store file, with a passphrase in AIP_KEY_PASSPHRASE`;
    const refused = new Failure(error.code, error.message, { hint, cause: error });
    if (chosen !== null || !cli.ask.allowed) throw refused;
    cli.note(clean(error.message));
    const message = 'Keep private keys in files encrypted with a passphrase instead';
    if (!(await cli.ask.confirm({ message, flag: '--key-store file', fallback: true }))) throw refused;
    return { setUp: await setUpPrincipal(deps, domain, 'file'), keyStore: 'file' };
  }
}

/** True when the file was changed. */
function saveConfig(cli: Cli, values: { readonly key_store?: string; readonly domain: string }): boolean {
  const file = readUserFile(cli.workspace.paths());
  const before = file === null ? {} : flatten(file);
  if ((values.key_store ?? before.key_store) === before.key_store && before.domain === values.domain) return false;
  saveUserConfig(cli.workspace.paths(), values);
  return true;
}

/** A variable or a project's file may say otherwise, and wins. */
function warnOfOverrules(config: Config, values: Readonly<Record<string, string | undefined>>, cli: Cli): void {
  for (const { name, origin, from, shown } of config.entries) {
    if ((origin !== 'environment' && origin !== 'project') || values[name] === undefined) continue;
    if (shown !== values[name]) cli.warn(`${from} sets ${name} to ${String(shown)}, which wins over the config here.`);
  }
}

function show(
  { principal, publicKey, record, pinned }: PrincipalSetUp,
  path: string,
  changed: boolean,
  cli: Cli,
): void {
  const { paint } = cli;
  cli.out(changed ? `${paint.green('set up')} ${paint.bold(principal)}` : `${paint.bold(principal)} is set up already`);
  const rows = [
    ['public key', formatPublicKey(publicKey)],
    [
      'private key',
      `${whereabouts(record)}${pinned === null ? '' : pinned === 'made' ? '  (new; keep a backup)' : '  (found there)'}`,
    ],
    ['config', path],
  ];
  for (const [label, value] of rows) cli.out(`  ${paint.dim(label!.padEnd(11))}  ${clean(value!)}`);
  cli.note('\nnext: aip passport create my-agent --action send_email');
}
