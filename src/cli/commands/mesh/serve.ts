import { warnOfCertificate, warnOfSeal, warnOfServing } from '../../mesh/serving-notices.js';
import { inSamePlace, placeOf } from '../../shell/same-place.js';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Failure } from '../../../app/failure.js';
import { parsePrincipalId } from '../../../protocol/identity/did.js';
import type { KeyAddressText } from '../../../protocol/identity/key-address.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import type { Cli } from '../../cli.js';
import { keyAddress } from '../../input/key-place.js';
import { publicKeyFrom } from '../../input/public-key.js';
import { flatten } from '../../config/values.js';
import { readUserFile, saveUserConfig } from '../../config/files.js';
import { DATA_OPTION, meshFolder } from '../../mesh/data-folder.js';
import { durationMs } from '../../input/values.js';
import { isOwnLoopback, isPlainElsewhere, webUrlProblem } from '../../../protocol/web-url.js';
import { plainTextProblem, serveMesh, type Serving } from '../../../workspace/mesh/serving.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { trustRules } from '../../config/trust-rules.js';
import { localState } from '../../../workspace/state.js';
import { bellUrl, requestBell } from '../../approvals/bell.js';
import { replication, serveCopy, storeUrl } from '../../mesh/regions.js';

interface Address {
  readonly host: string;
  readonly port: number;
}

interface Options {
  readonly listen: Address;
  readonly data?: string;
  readonly store?: string;
  readonly newLog: boolean;
  readonly publicUrl?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecureHttp: boolean;
  readonly requireSignedCommands: boolean;
  readonly operatorKey?: string;
  readonly newAdminKey: boolean;
  readonly key?: KeyAddressText;
  readonly follow?: string;
  readonly keyFile?: string;
  readonly meshKey?: string;
  readonly region?: string;
  readonly notify?: string;
  /** Bytes. */
  readonly logQuota?: number;
  /** ms. */
  readonly logRetention?: number;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'serve'],
  summary: 'Serve a mesh: the kill switch that other machines listen to',
  detail:
    "It is ready when it prints its URL. The first start makes the mesh's signing key and one admin key, mode 0600 in the data folder; the signing key can live elsewhere (--key). The home that serves is configured by it.",
  options: [
    {
      title: 'Where',
      options: [
        {
          flags: '--listen <address>',
          description: 'host:port; port 0 picks a free one (default 127.0.0.1:4180)',
          default: { host: '127.0.0.1', port: 4180 },
          value: address,
        },
        { ...DATA_OPTION, description: 'folder of the log and the keys (default: mesh, beside state.db)' },
        {
          flags: '--store <url>',
          description: 'PostgreSQL that holds the log instead, for several servers (else AIP_MESH_STORE)',
        },
        {
          flags: '--new-log',
          description: 'begin the log under a mesh.key in the folder that has never signed',
        },
        {
          flags: '--log-quota <size>',
          description: 'most that shipped logs take, e.g. 500M or 2G (default 1G); the oldest are shed',
          value: size,
        },
        {
          flags: '--log-retention <time>',
          description: 'how long shipped logs are kept after they arrived, e.g. 90d (default: while there is room)',
          value: durationMs,
        },
        {
          flags: '--public-url <url>',
          description: 'what other machines are told, where a proxy stands before it',
          value: webUrl,
        },
      ],
    },
    {
      title: 'Approvals',
      options: [
        {
          flags: '--notify <url>',
          description: 'webhook told of each request for approval: a signed notice with a link (AIP_WEBHOOK_SECRET)',
          value: bellUrl,
        },
      ],
    },
    {
      title: 'Protection',
      options: [
        { flags: '--tls-cert <file>', description: 'certificate chain, PEM', values: 'file' },
        { flags: '--tls-key <file>', description: 'its private key, PEM', values: 'file' },
        { flags: '--insecure-http', description: 'listen beyond this machine without TLS, for a proxy that ends it' },
        { flags: '--require-signed-commands', description: "take commands only with the operator's own signature" },
        {
          flags: '--operator-key <did|key>',
          description: 'who signs with the first admin key: a principal whose key is held here, or a public key',
          values: 'principal',
        },
        { flags: '--new-admin-key', description: 'the first admin key is lost: another takes its place, once' },
        {
          flags: '--key <address>',
          description: "where the mesh's signing key lives, from now on (default: in the data folder; aip help keys)",
          value: keyAddress,
        },
      ],
    },
    {
      title: 'Regions',
      options: [
        {
          flags: '--follow <url>',
          description: 'keep and serve a copy of the mesh that this server is home of; commands are passed on to it',
          value: webUrl,
        },
        {
          flags: '--key-file <file>',
          description: 'API key of role region for --follow (else AIP_MESH_KEY)',
          values: 'file',
        },
        { flags: '--mesh-key <key>', description: "home's public key for --follow (else AIP_MESH_PUBLIC_KEY)" },
        {
          flags: '--region <name>',
          description: "this server's region, as mesh.regions names it (default: by its URL)",
          value: regionName,
        },
      ],
    },
  ],
  examples: [
    { run: 'aip mesh serve', why: 'on this machine, port 4180' },
    {
      run: 'aip mesh serve --listen 0.0.0.0:4180 --public-url https://mesh.acme.com:4180 --tls-cert mesh.pem --tls-key mesh-tls.key',
      why: 'for others',
    },
    {
      run: `aip mesh serve --store 'postgres://aip_mesh@db.acme.com/aip?sslmode=verify-full'`,
      why: 'one of several servers on a database',
    },
    {
      run: 'aip mesh serve --follow https://mesh-us-east.acme.com --key-file region.key --mesh-key ed25519:3f9a...',
      why: 'in another region',
    },
    { run: 'aip mesh serve --listen 127.0.0.1:0 --json', why: 'for scripts: one line when it is ready' },
  ],
  exits: {
    3: 'the store is damaged, gone, in use by another server, or the disk failed',
    4: 'a file in the data folder can be read by others',
    5: 'the address cannot be listened on',
    130: 'stopped with Ctrl-C',
    143: 'terminated; requests under way were answered',
  },
  touches: ['network', 'files', 'state'],
  topics: ['mesh', 'incident'],

  async run({ options }, cli) {
    const { host, port } = options.listen;
    const tls = await tlsOf(options, cli);
    const problem = plainTextProblem(host, tls !== null, options.insecureHttp);
    if (problem !== null) throw problem;
    if (tls === null && options.insecureHttp)
      cli.warn('Without TLS, API keys and events cross the network readable.', 'insecure_http');
    const data = meshFolder(options.data, cli);
    const store = storeUrl(cli, options.store);
    if (options.follow !== undefined)
      return serveCopy(cli, options.follow, { ...options, data, store, host, port, tls });
    const operator = await operatorKey(options, cli);
    let url = options.publicUrl ?? '';
    const bell = options.notify === undefined ? null : await requestBell(cli, options.notify, () => url);
    const serving = await serveMesh(cli.workspace.world, {
      data,
      ...(store === null ? {} : { store }),
      newLog: options.newLog,
      host,
      port,
      tls,
      requireSignedCommands: options.requireSignedCommands,
      ...(options.logQuota === undefined ? {} : { logQuota: options.logQuota }),
      ...(options.logRetention === undefined ? {} : { logRetentionMs: options.logRetention }),
      ...(options.key === undefined ? {} : { keyAddress: options.key }),
      onKeyTrouble: (message) =>
        cli.warn(
          `The mesh signs nothing: ${clean(message)} Commands wait, and verifiers go by what they have.`,
          'mesh_key',
        ),
      onSealed: (term) => warnOfSeal(cli, term),
      operatorKey: operator?.publicKey ?? null,
      newAdminKey: options.newAdminKey,
      ...(await replication(cli, options)),
      trust: trustRules(await cli.config()),
      ...(bell === null ? {} : { onRequest: (request) => bell.ring(request) }),
      onBug: (error) =>
        cli.warn(`A request could not be answered; this is a bug: ${String(error).slice(0, 300)}`, 'bug'),
    });
    cli.onInterrupt(() => serving.close());
    url = options.publicUrl ?? serving.url;
    warnOfStart(cli, options, serving);
    configure(cli, options, serving, operator?.keyId ?? null);
    if (cli.globals.json) cli.json({ event: 'ready', url, mesh_public_key: serving.publicKey });
    else show(cli, url, data, serving);
    // The store is not closed then: after a failed write nothing more is done with it.
    return serving.failed;
  },
};

/** What a server that runs may not be able to do. */
function warnOfStart(cli: Cli, options: Options, serving: Serving): void {
  // 0.0.0.0 and :: are addresses to listen on; on another machine they would mean that machine.
  if (options.publicUrl === undefined && ['0.0.0.0', '::'].includes(options.listen.host))
    cli.warn('Others join by a name of this machine, not by this URL: give it with --public-url.', 'public_url');
  warnOfServing(cli, serving, options.requireSignedCommands);
}

function address(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+))?:(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new Error('Expected host:port such as 127.0.0.1:4180 or [::1]:4180.');
  return { host: match[1] ?? match[2] ?? '127.0.0.1', port };
}

const UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

function size(text: string): number {
  const match = /^([1-9]\d{0,6})([KMGT])i?B?$/i.exec(text);
  const bytes = match === null ? 0 : Number(match[1]) * UNITS[match[2]!.toUpperCase()]!;
  if (bytes < UNITS.M!) throw new Error('Expected a size from 1M such as 500M or 2G.');
  return bytes;
}

function regionName(text: string): string {
  if (!/^[\x21-\x7e]{1,100}$/.test(text)) throw new Error('Expected a name such as eu-west-1.');
  return text;
}

function webUrl(text: string): string {
  const problem = webUrlProblem(text);
  if (problem !== null) throw new Error(`Expected an http(s) URL: it ${problem}.`);
  return text.replace(/\/$/, '');
}

async function tlsOf({ tlsCert, tlsKey }: Options, cli: Cli): Promise<{ cert: string; key: string } | null> {
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new Failure('USAGE', 'TLS takes a certificate and its key.', { hint: 'give --tls-cert and --tls-key' });
  // One after the other: with both missing, it is always the certificate that is named.
  const cert = await readFile(resolve(cli.io.cwd, tlsCert), 'latin1');
  warnOfCertificate(cli, tlsCert, cert, cli.io.now());
  return { cert, key: await readFile(resolve(cli.io.cwd, tlsKey), 'latin1') };
}

async function operatorKey(
  { operatorKey }: Options,
  cli: Cli,
): Promise<{ publicKey: string; keyId: string | null } | null> {
  if (operatorKey === undefined) return null;
  if (parsePrincipalId(operatorKey) === null) {
    const key = await publicKeyFrom(operatorKey, 'The --operator-key, which names no principal,', cli);
    return { publicKey: formatPublicKey(key.publicKey), keyId: null };
  }
  const state = await localState(cli.workspace);
  const pin = [...state.pins(operatorKey)].reverse().find(({ keyId }) => state.key(keyId) !== null);
  if (pin === undefined)
    throw new Failure('KEY_NOT_FOUND', `This machine does not hold the key of ${operatorKey}.`, {
      hint: `aip init --domain ${operatorKey.replace('did:web:', '')}`,
    });
  return { publicKey: formatPublicKey(pin.publicKey), keyId: pin.keyId };
}

/** The home that serves is configured by it, unless it belongs to another mesh. */
function configure(
  cli: Cli,
  { publicUrl, insecureHttp }: Pick<Options, 'publicUrl' | 'insecureHttp'>,
  { url, publicKey, adminKeyFile, holdsAdminKey, newAdminKey }: Serving,
  operator: string | null,
): void {
  const file = readUserFile(cli.workspace.paths());
  const before = file === null ? {} : flatten(file);
  const known = before['mesh.public_key'];
  if (known !== undefined && known !== publicKey && before['mesh.key_file'] !== adminKeyFile) {
    cli.warn(`This home belongs to the mesh ${String(before['mesh.url'])}, and stays there.`, 'other_mesh');
    return;
  }
  // A name of this machine that stands in front of no TLS is for a network that was called trusted.
  const called = publicUrl === undefined || (isPlainElsewhere(publicUrl) && !insecureHttp) ? url : publicUrl;
  const own = called.replace(/\/\/(0\.0\.0\.0|\[::\]):/, '//127.0.0.1:');
  const values = {
    'mesh.url': own,
    'mesh.public_key': publicKey,
    'mesh.insecure_http': isPlainElsewhere(own),
    // A home that was given another key since keeps it.
    ...(newAdminKey !== null ||
    (holdsAdminKey && before['mesh.key_file'] === undefined && before['mesh.key_id'] === undefined)
      ? { 'mesh.key_file': adminKeyFile }
      : {}),
    ...(operator === null ? {} : { 'mesh.operator_key': operator }),
  };
  if (Object.entries(values).every(([name, value]) => before[name as keyof typeof before] === value)) return;
  saveUserConfig(cli.workspace.paths(), values);
}

function show(
  cli: Cli,
  url: string,
  data: string,
  { publicKey, keyAddress: address, adminKeyFile, holdsAdminKey, newAdminKey }: Serving,
): void {
  const { paint } = cli;
  cli.out(`${paint.green('serving')} ${paint.bold(clean(url))}`);
  cli.out(`  ${paint.dim('mesh key ')}  ${publicKey}`);
  if (address !== null) cli.out(`  ${paint.dim('asked at ')}  ${clean(address)}`);
  cli.out(`  ${paint.dim('data     ')}  ${clean(data)}`);
  // A service's stdout is a log, and a key in a log is a leaked key.
  const shown = newAdminKey !== null && cli.forPerson;
  if (shown) cli.out(`  ${paint.dim('admin key')}  ${newAdminKey}  (shown this once)`);
  cli.out(
    `  ${paint.dim(shown ? 'kept in  ' : 'admin key')}  ${holdsAdminKey ? clean(adminKeyFile) : 'where the mesh began'}`,
  );
  // Never the admin key: who copies the line to a machine that only verifies would hand over the whole mesh.
  // Without the first admin's key this home makes none.
  const made = holdsAdminKey ? 'made here' : "made where an admin's key is";
  const create = inSamePlace('aip mesh key create', holdsAdminKey ? placeOf(cli.globals, cli.io.env) : []);
  if (isOwnLoopback(new URL(url).hostname))
    cli.out('\nOther machines do not reach that address; where they are to join: aip help hosting');
  cli.out(`\nEach machine that verifies gets a key of its own, ${made}, kept there (mode 0600):`);
  cli.out(`  ${paint.cyan(`(umask 077; ${create} --role verifier --label <machine> > <machine>.key)`)}`);
  cli.out(`  ${paint.cyan(`aip mesh join ${clean(url)} --mesh-key ${publicKey} --key-file <machine>.key`)}`);
  cli.out(`\nIts dashboard, ${clean(url)}/ in a browser, opens with a key as well:`);
  cli.out(`  ${paint.cyan(`${create} --role observer --label <who>`)}`);
}
