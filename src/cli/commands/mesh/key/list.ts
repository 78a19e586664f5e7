import { listApiKeys } from '../../../../app/mesh/admin.js';
import { meshSession } from '../../../mesh/session.js';
import { PASSPHRASE_OPTIONS } from '../../../input/options.js';
import { table } from '../../../render/terminal/table.js';
import type { CommandSpec } from '../../../spec.js';
import type { KeyPlaces } from '../../../../workspace/keys.js';

export const command: CommandSpec<KeyPlaces> = {
  path: ['mesh', 'key', 'list'],
  summary: 'List the API keys of the mesh, without their secrets',
  options: [{ title: 'Flags', options: [...PASSPHRASE_OPTIONS] }],
  examples: [{ run: 'aip mesh key list', why: 'who may do what' }],
  exits: {
    4: 'the key store is missing, locked or refuses, or the role does not permit it',
    5: 'the mesh cannot be reached, or refuses',
  },
  touches: ['network', 'keychain'],
  topics: ['mesh'],

  async run({ options }, cli) {
    const { line } = await meshSession(cli, options);
    const keys = await listApiKeys({ line });
    if (cli.globals.json) {
      cli.json(
        keys.map(({ keyId, role, label, publicKey, createdAt, revokedAt }) => ({
          key_id: keyId,
          role,
          label,
          public_key: publicKey,
          created_at: createdAt,
          revoked_at: revokedAt,
        })),
      );
      return 0;
    }
    const columns = [
      { title: 'id' },
      { title: 'role' },
      { title: 'state' },
      { title: 'signs', optional: true },
      { title: 'created', optional: true },
      { title: 'label', flexible: true },
    ];
    const rows = keys.map(({ keyId, role, label, publicKey, createdAt, revokedAt }) => [
      keyId,
      role,
      revokedAt === null ? 'in force' : `revoked ${revokedAt}`,
      publicKey === null ? 'no' : 'yes',
      createdAt,
      label ?? '',
    ]);
    cli.out(table(columns, rows, { width: cli.width, paint: cli.paint }));
    return 0;
  },
};
