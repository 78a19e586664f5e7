import { inSamePlace, placeOf } from '../../shell/same-place.js';
import { join, resolve } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { promoteMesh } from '../../../workspace/mesh/region.js';
import type { KeyAddressText } from '../../../protocol/identity/key-address.js';
import { keyAddress } from '../../input/key-place.js';
import { YES_OPTION } from '../../input/options.js';
import { regionKey, storeUrl } from '../../mesh/regions.js';
import { clean, counted } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options {
  readonly data?: string;
  readonly store?: string;
  readonly meshKeyFile?: string;
  readonly key?: KeyAddressText;
  readonly keyFile?: string;
  readonly homeIsOff: boolean;
  readonly yes: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'promote'],
  summary: 'Make a mesh that followed, or was sealed, the home: under a greater term',
  detail:
    'The server of the folder must be stopped. Home is asked first: it seals itself, takes no command any more, and gives what is missing here. Where it cannot answer, --home-is-off says that it is off and stays off, and the command waits for nobody: it is refused until verifiers no longer go by what home signed last. Afterwards: aip mesh serve here, and --follow to it everywhere else; the old home follows as well, and what it had beyond the fork is told.',
  options: [
    {
      title: 'Flags',
      options: [
        { flags: '--data <dir>', description: 'folder of the mesh (default: mesh, beside state.db)', values: 'file' },
        {
          flags: '--store <url>',
          description: 'PostgreSQL that holds the log (else AIP_MESH_STORE), with every server on it stopped',
        },
        {
          flags: '--mesh-key-file <file>',
          description: "the mesh's private key, brought by hand: a backup by aip mesh backup, or its mesh.key",
          values: 'file',
        },
        {
          flags: '--key <address>',
          description: "where the mesh's private key is asked, when it lives elsewhere (aip help keys)",
          value: keyAddress,
        },
        {
          flags: '--key-file <file>',
          description: 'API key of role region, to ask home (else AIP_MESH_KEY)',
          values: 'file',
        },
        { flags: '--home-is-off', description: 'home cannot answer, is off, and stays off until it follows' },
        YES_OPTION,
      ],
    },
  ],
  examples: [
    { run: 'aip mesh promote --mesh-key-file mesh.backup', why: 'home is moved while it runs' },
    { run: 'aip mesh promote --mesh-key-file mesh.backup --home-is-off', why: 'its region was lost' },
  ],
  exits: {
    3: 'there is no mesh, a server has it open, home was heard too lately, or the key is of another mesh',
    4: 'the key file can be read by others',
    5: 'home does not answer, and nobody said that it is off',
  },
  touches: ['network', 'files', 'state'],
  topics: ['growing', 'mesh', 'incident'],

  async run({ options }, cli) {
    const config = await cli.config();
    const folder =
      options.data === undefined ? join(cli.workspace.paths().stateDir, 'mesh') : resolve(cli.io.cwd, options.data);
    const { meshKeyFile, key } = options;
    if (meshKeyFile !== undefined && key !== undefined)
      throw new Failure('USAGE', 'The key is said to be at two places.', {
        hint: 'give one of --mesh-key-file and --key',
      });
    const message = `Make the mesh in ${clean(folder)} the home, under a greater term`;
    if (!options.yes && !(await cli.ask.confirm({ message, flag: '--yes' })))
      throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
    const store = storeUrl(cli, options.store);
    const promoted = await promoteMesh(cli.workspace.world, {
      folder,
      store,
      keyFile: meshKeyFile === undefined ? null : resolve(cli.io.cwd, meshKeyFile),
      key: key ?? null,
      homeIsOff: options.homeIsOff,
      staleMs: config.get('revocation.max_age'),
      regionKey: await regionKey(cli, options.keyFile),
      ca: config.get('mesh.ca'),
    });
    const { logId, head, term, publicKey, sealed, roster } = promoted;
    if (roster === null)
      cli.warn(
        'Home never told this server who should be listening: a verifier that did not listen here is missed by nobody until it comes (aip mesh status). Until then "applied by all" does not count it.',
        'no_roster',
      );
    // A database of the environment may have a password in its URL, and is found there again.
    const named = options.store === undefined ? '' : ` --store ${shellWord(options.store)}`;
    const data = store !== null && options.data === undefined ? '' : ` --data ${shellWord(folder)}`;
    const serve = inSamePlace(`aip mesh serve${named}${data}`, placeOf(cli.globals, cli.io.env));
    const what = store === null ? `${clean(folder)}:` : 'the mesh in the database:';
    if (cli.globals.json) {
      cli.json({ folder, log_id: logId, head, term, mesh_public_key: publicKey, sealed_home: sealed, roster, serve });
      return 0;
    }
    cli.out(`${cli.paint.green('promoted')} ${what} ${counted(head, 'event')}, term ${term}`);
    if (sealed !== null) cli.out(`  ${clean(sealed)} is sealed, and gave everything that it had`);
    if (roster !== null) cli.out(`  ${counted(roster, 'verifier is', 'verifiers are')} on its roster`);
    const name = store === null ? ' (a region under its own name: --region <name>)' : '';
    cli.out(`\nServe it${name}, and have every other server follow it, the old home as well:\n  ${serve}`);
    cli.out('  aip mesh serve --follow <url of this one>');
    return 0;
  },
};
