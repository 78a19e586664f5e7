import { resolve } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { statusAt, type Standing } from '../../../mesh/standing.js';
import type { ApiKeyRecord } from '../../../mesh/access/api-key.js';
import type { Beyond } from '../../../mesh/log/beyond.js';
import { restoreMesh } from '../../../workspace/mesh/backup.js';
import { YES_OPTION } from '../../input/options.js';
import { exists } from '../../config/files.js';
import { DATA_OPTION, meshFolder } from '../../mesh/data-folder.js';
import { clean, counted } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options {
  readonly data?: string;
  readonly yes: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'restore'],
  summary: 'Put a mesh back, and list what must be given again',
  detail:
    'The server must be stopped. The log goes on under a greater term; verifiers keep every deny that they know. What the store that was there knew beyond the backup is listed: denies, passports, and keys that were revoked as commands to give again; reinstatements and new API keys to think about.',
  args: [{ name: 'file', description: 'as aip mesh backup wrote it', values: 'file' }],
  options: [
    {
      title: 'Flags',
      options: [DATA_OPTION, YES_OPTION],
    },
  ],
  examples: [{ run: 'aip mesh restore mesh-2026-11-29.backup', why: 'after the disk was lost' }],
  exits: { 3: 'there is no such file, it is no backup, or a server has the mesh open' },
  touches: ['files', 'state'],
  topics: ['mesh', 'incident'],

  async run({ args, options }, cli) {
    const folder = meshFolder(options.data, cli);
    const file = resolve(cli.io.cwd, args[0]!);
    if (!exists(file)) throw new Failure('NOT_FOUND', `There is no file ${file}.`, { hint: 'name the backup' });
    const message = `Put the mesh of ${clean(file)} into ${clean(folder)}; what is there is moved aside`;
    if (!options.yes && !(await cli.ask.confirm({ message, flag: '--yes' })))
      throw new Failure('USAGE', 'Nothing was changed.', { hint: 'answer y, or give --yes' });
    const restored = await restoreMesh(cli.workspace.world, file, folder);
    const now = cli.io.now();
    const { beyond } = restored;
    const denied = beyond.standings.filter((standing) => statusAt(standing, now) !== 'active');
    const lifted = beyond.standings.filter((standing) => !denied.includes(standing));
    const again = [...denied.map((standing) => commandFor(standing, now)), ...commandsBeside(beyond)];
    if (restored.moved !== null && !restored.compared)
      cli.warn(`What was there cannot be read. ${NOT_COMPARED}`, 'not_compared');
    if (cli.globals.json) {
      const { logId, seq, term, moved } = restored;
      const subjects = lifted.map(({ subject }) => subject);
      cli.json({
        folder,
        log_id: logId,
        head: seq,
        term,
        moved,
        give_again: again,
        reinstated_beyond: subjects,
        keys_beyond: beyond.madeKeys.map(keyForm),
      });
      return 0;
    }
    cli.out(
      `${cli.paint.green('restored')} ${counted(restored.seq, 'event')}, term ${restored.term}, in ${clean(folder)}`,
    );
    if (restored.moved === null) cli.out(`  ${NOT_COMPARED}`);
    else cli.out(`  what was there is in ${clean(restored.moved)}`);
    if (again.length > 0)
      cli.out(`\nGive again, once aip mesh serve runs:\n${again.map((line) => `  ${clean(line)}`).join('\n')}`);
    if (beyond.madeKeys.length > 0)
      cli.out(
        `\nAPI keys made after the backup let nobody in now; make new ones (aip mesh key create) for:\n${beyond.madeKeys.map((key) => `  ${clean(key.label ?? key.keyId)} (${key.role})`).join('\n')}`,
      );
    if (lifted.length > 0)
      cli.out(
        `\nReinstated after the backup, and stopped again now; think about each:\n${lifted.map(({ subject }) => `  ${clean(subject)}`).join('\n')}`,
      );
    return 0;
  },
};

const NOT_COMPARED =
  'What was given after the backup is not known here: compare with aip status on a machine that verifies.';

function keyForm({ keyId, role, label }: ApiKeyRecord) {
  return { key_id: keyId, role, label };
}

/** What else was ordered after the backup: first what shuts somebody out. */
function commandsBeside({ revokedKeys, removed, added, passports }: Beyond): string[] {
  return [
    ...revokedKeys.map(({ keyId }) => `aip mesh key revoke ${keyId} --yes`),
    ...removed.map(({ did, publicKey }) => `aip mesh principal remove ${shellWord(did)} --key ${publicKey}`),
    ...added.map(({ did, publicKey }) => `aip mesh principal add ${shellWord(did)} --public-key ${publicKey}`),
    ...passports.map(({ agent, serial }) =>
      serial === null
        ? `aip mesh passport withdraw ${shellWord(agent)}`
        : `aip passport publish ${shellWord(agent)}  # serial ${serial}, where it was signed`,
    ),
  ];
}

function commandFor({ subject, status, suspendedUntil, reason }: Standing, now: number): string {
  const who = subject === '*' ? '--everyone' : shellWord(subject);
  const why = `--reason ${shellWord(reason ?? 'given before the restore')}`;
  if (status !== 'suspended' || suspendedUntil === null) return `aip revoke ${who} ${why} --yes --unseen`;
  return `aip suspend ${who} --for ${Math.max(1, Math.ceil((suspendedUntil - now) / 1000))}s ${why} --yes --unseen`;
}
