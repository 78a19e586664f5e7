import { createApiKey } from '../../../../app/mesh/admin.js';
import { Failure } from '../../../../app/failure.js';
import { ROLES, type Role } from '../../../../mesh/access/roles.js';
import { formatPublicKey } from '../../../../protocol/identity/keys.js';
import type { Cli } from '../../../cli.js';
import { publicKeyFrom } from '../../../input/public-key.js';
import { adminSession } from '../../../mesh/session.js';
import { PASSPHRASE_OPTIONS } from '../../../input/options.js';
import type { CommandSpec } from '../../../spec.js';
import { integer } from '../../../input/values.js';
import type { KeyPlaces } from '../../../../workspace/keys.js';

interface Options extends KeyPlaces {
  readonly role?: Role;
  readonly label?: string;
  readonly publicKey?: string;
  readonly maxVerifiers?: number;
  readonly ephemeral: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['mesh', 'key', 'create'],
  summary: 'Make an API key that lets a machine into the mesh, and show it this once',
  detail:
    'Roles: observer (look), approver (look, answer requests for approval that name it), verifier (look, ship logs, ask for approval), operator (all of these, and revoke, suspend), admin (also reinstate, keys). Beside them, region: a server that follows this one, named by the label (aip mesh serve --follow).',
  options: [
    {
      title: 'The key',
      options: [
        { flags: '--role <role>', description: 'what it may do', choices: ROLES },
        { flags: '--label <text>', description: 'what it is for; shown as who gave a command' },
        {
          flags: '--public-key <key>',
          description:
            "the holder's signing key, ed25519:<64 hex>: checks an operator's commands, says who an approver is",
        },
        {
          flags: '--max-verifiers <n>',
          description: 'most machines that may listen under it (default 1; 100 with --ephemeral)',
          value: integer(1, 100_000),
        },
        {
          flags: '--ephemeral',
          description: 'for build machines and containers: one that is not seen for 10 min is no longer missed',
        },
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip mesh key create --role verifier --label eu-1', why: 'for a machine that verifies' },
    {
      run: 'aip mesh key create --role approver --label did:web:carol.example',
      why: 'for a person who is asked; --public-key says the same by the key',
    },
    {
      run: 'aip mesh key create --role operator --public-key ed25519:3f9a...',
      why: 'for an operator who signs commands',
    },
  ],
  exits: {
    4: 'the key store is missing, locked or refuses, or the role does not permit it',
    5: 'the mesh cannot be reached, or refuses',
  },
  touches: ['network', 'keychain'],
  topics: ['mesh'],

  async run({ options }, cli) {
    const { role, label } = options;
    if (role === undefined)
      throw new Failure('USAGE', 'The role is not said.', { hint: `--role ${ROLES.join(' | ')}` });
    if (role === 'region' && label === undefined)
      throw new Failure('USAGE', 'A key of role region says which region it is for.', {
        hint: '--label <name>, as mesh.regions has it, e.g. --label eu-west-1',
      });
    const publicKey = options.publicKey === undefined ? null : await signingKey(options.publicKey, cli);
    const made = await createApiKey(await adminSession(cli, options), {
      role,
      label: label ?? null,
      publicKey,
      maxVerifiers: options.maxVerifiers ?? null,
      ephemeral: options.ephemeral,
    });
    if (role === 'approver' && publicKey === null && label?.startsWith('did:') !== true)
      cli.warn(
        'The key says of no approver whose it is, so it reads every request: --public-key or --label <did> says it.',
        'every_request',
      );
    if (cli.globals.json) cli.json({ key: made.key, key_id: made.keyId, role: made.role });
    else {
      cli.out(made.key);
      cli.note(`${cli.paintErr.green('made')} ${made.keyId} (${made.role}); the key is shown this once`);
    }
    return 0;
  },
};

async function signingKey(text: string, cli: Cli): Promise<string> {
  return formatPublicKey((await publicKeyFrom(text, 'The --public-key', cli)).publicKey);
}
