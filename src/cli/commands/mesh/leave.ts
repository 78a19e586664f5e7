import { Failure } from '../../../app/failure.js';
import { forgetClock } from '../../../app/ports/mesh.js';
import { saveUserConfig } from '../../config/files.js';
import { requireMesh } from '../../mesh/access.js';
import { announceLeaving, departs } from '../../mesh/listening.js';
import { apiKey, configuredCopy } from '../../mesh/access.js';
import { PASSPHRASE_OPTIONS, YES_OPTION } from '../../input/options.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import type { KeyPlaces } from '../../../workspace/keys.js';

interface Options extends KeyPlaces {
  readonly yes: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'leave'],
  summary: 'Make this machine listen to its mesh no more',
  detail:
    'The mesh is told, so that nobody misses this machine, and what names the mesh is taken out of the config. What the mesh denied stays denied here; a follower that runs here ends.',
  options: [{ title: 'Flags', options: [YES_OPTION, ...PASSPHRASE_OPTIONS] }],
  examples: [{ run: 'aip mesh leave --yes', why: 'before the machine goes' }],
  exits: { 4: 'the key store is missing, locked or refuses' },
  touches: ['network', 'files', 'state', 'keychain'],
  topics: ['mesh'],

  async run({ options }, cli) {
    const access = await requireMesh(cli);
    const url = access.endpoints[0]!;
    if (!options.yes && !(await cli.ask.confirm({ message: `Leave the mesh ${clean(url)}`, flag: '--yes' })))
      throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
    const copy = await configuredCopy(cli);
    departs(copy, cli.io.now());
    const told = await announceLeaving(cli, access, await apiKey(cli, options), copy);
    forgetClock(copy);
    saveUserConfig(cli.workspace.paths(), {
      'mesh.url': null,
      'mesh.public_key': null,
      'mesh.insecure_http': null,
      'mesh.key_file': null,
      'mesh.key_id': null,
      'mesh.operator_key': null,
    });
    const fromEnvironment = ['AIP_MESH_URL', 'AIP_MESH_KEY'].filter((name) => (cli.io.env[name] ?? '') !== '');
    if (fromEnvironment.length > 0)
      cli.warn(`${fromEnvironment.join(' and ')} in the environment still names a mesh.`, 'mesh_environment');
    if (!told)
      cli.warn(
        'The mesh did not take it. Where its roster names this machine (aip mesh status there), aip mesh forget takes it off.',
        'mesh_not_told',
      );
    if (cli.globals.json) cli.json({ left: url, told });
    else
      cli.out(`${cli.paint.green('left')} ${cli.paint.bold(clean(url))}; what it denied stays denied on this machine`);
    return 0;
  },
};
