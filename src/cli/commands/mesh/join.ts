import { resolve } from 'node:path';
import { looksLikeKeyAddress } from '../../../protocol/identity/key-address.js';
import { Failure, hinting } from '../../../app/failure.js';
import { apiKeyName, keepApiKey, readApiKey } from '../../../app/keys/mesh-api-key.js';
import { type MeshEndpoint, noteKeyRefused, refusePlainHttp } from '../../../app/ports/mesh.js';
import { listApiKeys } from '../../../app/mesh/admin.js';
import { meshOverview } from '../../../app/mesh/overview.js';
import { secretVariable } from '../../../app/ports/secrets.js';
import type { KeyStoreName, Pin } from '../../../app/ports/state.js';
import type { ApiKey } from '../../../mesh/access/api-key.js';
import { parsePrincipalId } from '../../../protocol/identity/did.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import type { Cli } from '../../cli.js';
import { publicKeyFrom } from '../../input/public-key.js';
import { readUserFile, saveUserConfig } from '../../config/files.js';
import { flatten } from '../../config/values.js';
import { isPlainElsewhere, webUrlProblem } from '../../../protocol/web-url.js';
import { clockDifference } from '../../mesh/clock.js';
import { PASSPHRASE_OPTIONS, YES_OPTION } from '../../input/options.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { type KeyPlaces, keyring, secretFile } from '../../../workspace/keys.js';
import { notesIntroduced } from '../../mesh/listening.js';
import { localCopy, meshCheck, meshLines, refreshCopy } from '../../../workspace/mesh.js';
import { localState } from '../../../workspace/state.js';
import { roleIn } from '../../mesh/access.js';
import { DEFAULT_KEY_STORE, GUARDED_KEY_STORES, isGuarded } from '../../../workspace/key-stores.js';

interface Options extends KeyPlaces {
  readonly key?: string;
  readonly ca?: string;
  readonly keyFile?: string;
  readonly keyStore?: KeyStoreName;
  readonly meshKey?: string;
  readonly operatorKey?: string;
  readonly insecureHttp: boolean;
  readonly yes: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'join'],
  summary: 'Make this machine listen to a mesh, and pin the key that the mesh signs with',
  detail:
    'The mesh is asked before anything is saved. A --key goes into the key store; a --key-file (mode 0600) stays where it is and is read each time, as services like it.',
  args: [{ name: 'url', description: 'URL of the mesh' }],
  options: [
    {
      title: 'What lets it in',
      options: [
        { flags: '--mesh-key <key>', description: 'public key of the mesh, ed25519:...', env: 'AIP_MESH_PUBLIC_KEY' },
        { flags: '--key <key>', description: 'API key, aipm_...; other users can see arguments', env: 'AIP_MESH_KEY' },
        { flags: '--key-file <file>', description: 'file that holds it, - for stdin', values: 'file' },
        {
          flags: '--ca <file>',
          description: 'certificate authorities of the mesh, PEM; kept as mesh.ca',
          values: 'file',
        },
        { flags: '--key-store <store>', description: 'where --key goes', choices: GUARDED_KEY_STORES },
        ...PASSPHRASE_OPTIONS,
      ],
    },
    {
      title: 'More',
      options: [
        {
          flags: '--operator-key <did>',
          description: 'sign commands with the key of this principal, held here',
          values: 'principal',
        },
        {
          flags: '--insecure-http',
          description: 'join over plain http beyond this machine: keys cross the network readable',
        },
        YES_OPTION,
      ],
    },
  ],
  examples: [
    {
      run: 'aip mesh join https://mesh.acme.com --mesh-key ed25519:3f9a... --key aipm_verifier_...',
      why: 'with the key store',
    },
    {
      run: 'aip mesh join https://mesh.acme.com --mesh-key ed25519:3f9a... --key-file /etc/aip/eu-1.key',
      why: 'for a service',
    },
  ],
  exits: {
    3: 'the key file does not exist',
    4: 'the key store is missing, locked or refuses',
    5: 'the mesh cannot be reached, refuses the key, or signs with another one',
  },
  touches: ['network', 'files', 'state', 'keychain'],
  topics: ['mesh'],

  async run({ args, options }, cli) {
    const url = args[0]!.replace(/\/$/, '');
    const problem = webUrlProblem(args[0]!);
    if (problem !== null)
      throw new Failure('USAGE', `The URL of the mesh ${problem}.`, {
        hint: PRINTED_URL,
      });
    const insecureHttp = isPlainElsewhere(url);
    refusePlainHttp(url, options.insecureHttp);
    if (insecureHttp) {
      cli.warn('Without TLS, the API key and events cross the network readable.', 'insecure_http');
    }
    const publicKey = await pinned(options.meshKey, cli);
    const { text, path } = await given(options, cli);
    const key = readApiKey(text, path ?? '--key');
    const ca = options.ca === undefined ? (await cli.config()).get('mesh.ca') : resolve(cli.io.cwd, options.ca);
    const access = { endpoints: [url], publicKey, ca, insecureHttp };
    const [line] = await meshLines(cli.workspace, access, key.text);
    const seen = await meshOverview(line!, await meshCheck(publicKey)).catch(hinting(PRINTED_URL));
    const differs = await clockDifference(cli, seen.time);
    await confirmChange(cli, url, publicKey, options.yes);
    const operatorKey = options.operatorKey === undefined ? null : await heldKey(cli, options.operatorKey);
    if (operatorKey !== null && key.role === 'admin') await refuseUnregistered(line!, key.keyId, operatorKey);
    const place =
      path === null
        ? { 'mesh.key_file': null, 'mesh.key_id': await keep(cli, options, key) }
        : { 'mesh.key_file': path, 'mesh.key_id': null };
    saveUserConfig(cli.workspace.paths(), {
      'mesh.url': url,
      'mesh.public_key': publicKey,
      // Also a no: without a word, a machine that was in this mesh before goes on as it is configured.
      'mesh.insecure_http': insecureHttp,
      ...(options.ca === undefined ? {} : { 'mesh.ca': ca }),
      ...place,
      ...(operatorKey === null ? {} : { 'mesh.operator_key': operatorKey.keyId }),
    });
    const copy = await localCopy(cli.workspace, publicKey);
    notesIntroduced(copy, null);
    noteKeyRefused(copy, null);
    const refresh = { key: key.text, copy, maxAgeMs: 30_000, timeoutMs: 10_000 };
    const copied = await refreshCopy(cli.workspace, access, refresh);
    if (cli.globals.json)
      cli.json({
        url,
        mesh_public_key: publicKey,
        role: key.role,
        key_id: key.keyId,
        head: seen.head,
        synced: copied,
        clock_differs_ms: differs,
      });
    else {
      cli.out(`${cli.paint.green('joined')} ${cli.paint.bold(clean(url))} as ${roleIn(key.text)}`);
      cli.out(`  ${cli.paint.dim('mesh key')}  ${publicKey}`);
      cli.out(`  ${cli.paint.dim('copy    ')}  ${copied ? `up to date at event ${seen.head}` : 'NOT up to date yet'}`);
      cli.note(
        key.role === 'verifier'
          ? '\nnext: aip mesh follow, which keeps the copy of this machine current'
          : '\nnext: aip status, which lists what is stopped',
      );
    }
    return 0;
  },
};

const PRINTED_URL = 'give the URL that aip mesh serve printed';

async function pinned(text: string | undefined, cli: Cli): Promise<string> {
  if (text !== undefined) return formatPublicKey((await publicKeyFrom(text, 'The --mesh-key', cli)).publicKey);
  throw new Failure('USAGE', 'The public key of the mesh is not given.', {
    hint: 'give --mesh-key ed25519:..., which aip mesh serve prints',
  });
}

/** The key's text; its path when it stays in a file. */
async function given({ key, keyFile }: Options, cli: Cli): Promise<{ text: string; path: string | null }> {
  if (keyFile === '-') return { text: await secretFile(cli.workspace, '-'), path: null };
  if (keyFile !== undefined) {
    const path = resolve(cli.io.cwd, keyFile);
    return { text: await secretFile(cli.workspace, path), path };
  }
  if (key !== undefined) return { text: key, path: null };
  return { text: await cli.ask.secret({ message: 'API key', flag: '--key-file <file>' }), path: null };
}

/** The name under which the key store holds it; null when the environment does. */
async function keep(cli: Cli, options: Options, key: ApiKey): Promise<string | null> {
  // What is set for every command need not be kept twice.
  const fromEnvironment = options.key !== undefined && options.key === secretVariable(cli.io.env, 'AIP_MESH_KEY');
  if (fromEnvironment && options.keyFile === undefined && options.keyStore === undefined) return null;
  try {
    await keepApiKey(await keyring(cli.workspace, options), key, options.keyStore ?? (await storeOf(cli)));
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'KEYSTORE_MISSING') throw error;
    throw new Failure(error.code, error.message, {
      hint: 'give --key-file <file> (mode 0600), --key-store file with a passphrase, or set AIP_MESH_KEY',
      cause: error,
    });
  }
  return apiKeyName(key);
}

/** An agent's key may live in the environment; what lets this machine into its mesh is for every command. */
async function storeOf(cli: Cli): Promise<KeyStoreName> {
  const store = (await cli.config()).get('key_store');
  return !looksLikeKeyAddress(store) && isGuarded(store) ? store : DEFAULT_KEY_STORE;
}

async function confirmChange(cli: Cli, url: string, publicKey: string, yes: boolean): Promise<void> {
  const file = readUserFile(cli.workspace.paths());
  const before = file === null ? {} : flatten(file);
  const known = before['mesh.public_key'];
  if (known === undefined || known === publicKey || yes) return;
  const message = `This machine belongs to the mesh ${clean(String(before['mesh.url']))}; join ${clean(url)} instead`;
  if (!(await cli.ask.confirm({ message, flag: '--yes' })))
    throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
}

async function heldKey(cli: Cli, did: string): Promise<Pin> {
  const state = await localState(cli.workspace);
  const pins = parsePrincipalId(did) === null ? [] : [...state.pins(did)].reverse();
  const pin = pins.find(({ keyId }) => state.key(keyId) !== null);
  if (pin !== undefined) return pin;
  throw new Failure('KEY_NOT_FOUND', `This machine does not hold the key of ${did.slice(0, 80)}.`, {
    hint: `aip init --domain ${did.replace('did:web:', '').slice(0, 80)}`,
  });
}

/** Else the mesh refuses every command of this machine, a revoke as well. An admin's API key alone may read what is registered. */
async function refuseUnregistered(line: MeshEndpoint, apiKeyId: string, operatorKey: Pin): Promise<void> {
  const signs = formatPublicKey(operatorKey.publicKey);
  const own = (await listApiKeys({ line })).find(({ keyId }) => keyId === apiKeyId);
  if (own?.publicKey === signs) return;
  const registered = own?.publicKey == null ? 'without a public key' : 'with another public key';
  const message = `The API key was made ${registered}, so the mesh would refuse what that key signs: join with one that was made for it.`;
  throw new Failure('USAGE', message, { hint: `aip mesh key create --role admin --public-key ${signs}` });
}
