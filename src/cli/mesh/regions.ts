/** Regions at a terminal: serving a copy, and what the configuration says of the others. */
import { resolve } from 'node:path';
import { Failure, shellWord } from '../../app/failure.js';
import { readApiKey } from '../../app/keys/mesh-api-key.js';
import type { Replication } from '../../mesh/server/regions/registry.js';
import { formatPublicKey, parsePublicKey } from '../../protocol/identity/keys.js';
import { secretFile } from '../../workspace/keys.js';
import { serveRegion, type Following, type Returned } from '../../workspace/mesh/region.js';
import { isDatabaseUrl, requireNoPassword } from '../../workspace/mesh/migration.js';
import { variable } from '../../workspace/world.js';
import { isPlainElsewhere } from '../../protocol/web-url.js';
import type { Interruptible, Surroundings } from '../io.js';
import type { Output } from '../output.js';
import type { Setting } from '../setting.js';
import { flatten } from '../config/values.js';
import { readUserFile, saveUserConfig } from '../config/files.js';
import { publicKeyFrom } from '../input/public-key.js';
import { clean } from '../render/terminal/text.js';

/** What these functions need of a command. */
type Scene = Setting & Output & Surroundings;

/** What `mesh serve` was told. */
export interface ServeFlags {
  readonly listen: { readonly host: string; readonly port: number };
  readonly publicUrl?: string;
  readonly region?: string;
  readonly keyFile?: string;
  readonly meshKey?: string;
  readonly notify?: string;
  readonly requireSignedCommands: boolean;
  readonly newLog: boolean;
  readonly operatorKey?: string;
  readonly newAdminKey: boolean;
  readonly key?: string;
  readonly logQuota?: number;
  readonly logRetention?: number;
}

/** The regions that a home waits for, as the configuration lists them: all but its own. */
export async function replication(
  cli: Scene,
  { listen, publicUrl, region }: Pick<ServeFlags, 'listen' | 'publicUrl' | 'region'>,
): Promise<{ readonly replication: Replication; readonly region?: string }> {
  const config = await cli.config();
  const regions = config.get('mesh.regions');
  const own = (endpoint: string): boolean => isOwn(endpoint, publicUrl, listen);
  const name = region ?? regions.find(({ endpoint }) => own(endpoint))?.name;
  const names = regions.map((each) => each.name).filter((each) => each !== name);
  const mode = config.get('mesh.replication_mode');
  return {
    replication: { mode, withinMs: config.get('mesh.max_propagation_time_ms'), names },
    ...(name === undefined ? {} : { region: name }),
  };
}

function isOwn(endpoint: string, publicUrl: string | undefined, { host, port }: ServeFlags['listen']): boolean {
  const url = new URL(endpoint);
  if (publicUrl !== undefined) return new URL(publicUrl).origin === url.origin;
  const at = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port);
  return at === port && (url.hostname === host || url.hostname === 'localhost');
}

/** The API key of role region. @throws Failure USAGE, FORBIDDEN */
export async function regionKey(cli: Scene, keyFile: string | undefined): Promise<string | null> {
  const path = keyFile === undefined ? null : keyFile === '-' ? '-' : resolve(cli.io.cwd, keyFile);
  const given = path === null ? variable(cli.workspace.world, 'AIP_MESH_KEY') : await secretFile(cli.workspace, path);
  if (given === null) return null;
  const key = readApiKey(given, path ?? 'AIP_MESH_KEY');
  if (key.role !== 'region')
    throw new Failure('FORBIDDEN', `A server that follows another one takes a key of role region, not ${key.role}.`, {
      hint: 'at home: aip mesh key create --role region --label <name of the region>',
    });
  return key.text;
}

/** Serves a copy of the mesh that `home` serves, until the process ends. */
export async function serveCopy(
  cli: Scene & Interruptible,
  home: string,
  flags: ServeFlags & {
    readonly data: string;
    /** URL of the database that home would serve from; null where none is named. */
    readonly store: string | null;
    readonly host: string;
    readonly port: number;
    readonly tls: { readonly cert: string; readonly key: string } | null;
    readonly insecureHttp: boolean;
  },
): Promise<never> {
  refuseHomesFlags(flags);
  if (isPlainElsewhere(home) && !flags.insecureHttp)
    throw new Failure(
      'USAGE',
      `${home} is plain http: hashes of keys and every event would cross the network readable.`,
      {
        hint: 'follow it by https; or, inside a network that you trust, add --insecure-http',
      },
    );
  const key = await regionKey(cli, flags.keyFile);
  if (key === null)
    throw new Failure('USAGE', 'To follow a mesh takes an API key of role region.', {
      hint: '--key-file <file>, or AIP_MESH_KEY; at home: aip mesh key create --role region --label <name of the region>',
    });
  const config = await cli.config();
  const pinned =
    flags.meshKey === undefined
      ? parsePublicKey(config.get('mesh.public_key') ?? '')
      : (await publicKeyFrom(flags.meshKey, 'The --mesh-key', cli)).publicKey;
  if (pinned === null)
    throw new Failure('USAGE', "Home's public key is not pinned: nothing that it says could be believed.", {
      hint: '--mesh-key ed25519:<64 hex>, or AIP_MESH_PUBLIC_KEY; at home: aip mesh status --json | jq .mesh_public_key',
    });
  const { data, host, port, tls } = flags;
  const following = await serveRegion(cli.workspace.world, {
    ...{ data, host, port, tls, home, key, insecureHttp: flags.insecureHttp },
    publicKey: formatPublicKey(pinned),
    ca: config.get('mesh.ca'),
    onBug: (error) => cli.warn(`A request could not be answered; this is a bug: ${String(error).slice(0, 300)}`, 'bug'),
    onTrouble: (message) => cli.warn(clean(message), 'home_unreachable'),
    onRecovered: () => cli.note(`${clean(home)} is heard again; what is held here is served with its proof`),
  });
  cli.onInterrupt(() => following.close());
  const url = flags.publicUrl ?? following.url;
  configure(cli, url, formatPublicKey(pinned), flags.keyFile);
  told(cli, url, home, data, following);
  return following.failed;
}

/** @throws Failure USAGE for what only home does */
function refuseHomesFlags(flags: ServeFlags & { readonly store: string | null }): void {
  if (flags.notify !== undefined)
    throw new Failure('USAGE', 'Home tells of requests for approval; a server that follows it does not.', {
      hint: 'give --notify to aip mesh serve at home',
    });
  if (flags.store !== null)
    throw new Failure('USAGE', 'A server that follows another one keeps its copy in its own folder.', {
      hint: 'leave --store (and AIP_MESH_STORE) away; where this was home on it: aip mesh migrate --from <url> --to <dir>, and follow with --data <dir>',
    });
  const given: readonly (readonly [string, boolean])[] = [
    ['--require-signed-commands', flags.requireSignedCommands],
    ['--new-log', flags.newLog],
    ['--operator-key', flags.operatorKey !== undefined],
    ['--new-admin-key', flags.newAdminKey],
    ['--log-quota', flags.logQuota !== undefined],
    ['--log-retention', flags.logRetention !== undefined],
    ['--key', flags.key !== undefined],
  ];
  const flag = given.find(([, isGiven]) => isGiven)?.[0];
  if (flag === undefined) return;
  throw new Failure(
    'USAGE',
    `${flag} is for home: a server that follows it judges no command, signs nothing and keeps no logs.`,
    {
      hint: `leave ${flag} away here, and give it at home`,
    },
  );
}

/** A home that belongs to no mesh yet belongs to this one. */
function configure(cli: Scene, url: string, publicKey: string, keyFile: string | undefined): void {
  const file = readUserFile(cli.workspace.paths());
  if (file !== null && flatten(file)['mesh.url'] !== undefined) return;
  const own = url.replace(/\/\/(0\.0\.0\.0|\[::\]):/, '//127.0.0.1:');
  saveUserConfig(cli.workspace.paths(), {
    'mesh.url': own,
    'mesh.public_key': publicKey,
    'mesh.insecure_http': isPlainElsewhere(own),
    ...(keyFile === undefined || keyFile === '-' ? {} : { 'mesh.key_file': resolve(cli.io.cwd, keyFile) }),
  });
}

function told(cli: Scene, url: string, home: string, data: string, following: Following): void {
  const { publicKey, current, returned, holdsKey, lacksStore } = following;
  if (lacksStore)
    cli.warn(
      `A home's key lies in ${data}, and no store: what that home took and nobody else has is not told. Where a database holds it: aip mesh migrate --from <url> --to <dir>, then follow with --data <dir>`,
      'no_store_of_home',
    );
  if (holdsKey)
    cli.warn(
      `The mesh's private key lies in ${data}: a follower has no use for it. Once home has a backup: rm ${shellWord(`${data}/mesh.key`)}`,
      'holds_mesh_key',
    );
  if (!current)
    cli.warn(`${clean(home)} cannot be reached: what is held here is served without proof.`, 'home_unreachable');
  if (cli.globals.json) {
    cli.json({ event: 'ready', url, mesh_public_key: publicKey, follows: home, current, returned });
    return;
  }
  cli.out(`${cli.paint.green('serving')} ${cli.paint.bold(clean(url))}, a copy of ${clean(home)}`);
  cli.out(`  ${cli.paint.dim('mesh key')}  ${publicKey}`);
  cli.out(`  ${cli.paint.dim('data    ')}  ${clean(data)}`);
  if (returned !== null) tellReturned(cli, returned);
}

/** What this server had taken and home does not know, as one who must decide reads it. */
function tellReturned(cli: Scene, { fork, moved, events }: Returned): void {
  cli.out(`\nWhat was here lies in ${clean(moved)}; from event ${fork} on, home tells another history.`);
  const [again, listed] = [events.filter(({ seq }) => seq !== null), events.filter(({ seq }) => seq === null)];
  if (again.length > 0) cli.out('Given again at home:');
  for (const { type, agent_id, cmd_id, was_seq, seq } of again)
    cli.out(`  ${type} of ${clean(agent_id)} (was ${was_seq}, is ${seq}; ${cmd_id})`);
  if (listed.length > 0) cli.out('Not given again, because it would let somebody act; think about each:');
  for (const { type, agent_id, cmd_id, was_seq } of listed)
    cli.out(`  ${type} of ${clean(agent_id)} (was ${was_seq}; ${cmd_id})`);
}

/** The URL of --store, else of AIP_MESH_STORE; null for the folder. @throws Failure USAGE: no database, or a password in an argument */
export function storeUrl({ workspace }: Pick<Setting, 'workspace'>, given: string | undefined): string | null {
  const url = given ?? variable(workspace.world, 'AIP_MESH_STORE');
  if (url === null || url === '') return null;
  if (!isDatabaseUrl(url))
    throw new Failure('USAGE', 'The store of a mesh is a PostgreSQL database, or the folder of --data.', {
      hint: '--store postgres://user@host/database?sslmode=verify-full',
    });
  if (given !== undefined) requireNoPassword(given, '--store');
  return url;
}
