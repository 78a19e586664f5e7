import { resolve } from 'node:path';
import { Failure } from '../../../app/failure.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import { keyNamed, PUBLIC_FORMS, publicForm, type PublicForm } from '../../keys/known.js';
import type { CommandSpec } from '../../spec.js';
import { FORCE_OPTION } from '../../input/options.js';
import { createFile, FORCE, replaceFile } from '../../../workspace/files.js';
import { localState } from '../../../workspace/state.js';

interface Options {
  readonly public: boolean;
  readonly format: PublicForm;
  readonly out?: string;
  readonly force?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['key', 'export'],
  summary: 'Write the public half of a key in the form that another program reads',
  detail: 'Private keys are not exported: they stay where they are, or are made anew.',
  args: [{ name: 'key', description: 'key id, agent, principal, or a public key in any form', values: 'subject' }],
  options: [
    {
      title: 'Form',
      options: [
        { flags: '--public', description: 'the public half; there is no other' },
        { flags: '--format <form>', description: 'which form', choices: PUBLIC_FORMS, default: 'text' },
        { flags: '-o, --out <file>', description: 'write it there instead of printing it', values: 'file' },
        FORCE_OPTION,
      ],
    },
  ],
  examples: [
    { run: 'aip key export did:web:acme.com --public', why: 'to pin on another machine' },
    { run: 'aip key export support-agent-v1 --public --format ssh', why: 'as OpenSSH has it' },
  ],
  exits: { 2: 'the file exists, without --force', 3: 'no key here has that name' },
  touches: ['state', 'files'],
  topics: ['keys'],

  async run({ args, options }, cli) {
    if (!options.public)
      throw new Failure('USAGE', 'A private key does not leave its key store.', {
        hint: `aip key export ${args[0]!.slice(0, 80)} --public`,
      });
    const { keyId, publicKey } = keyNamed(await localState(cli.workspace), args[0]!);
    if (publicKey === null)
      throw new Failure('NOT_FOUND', `The public half of ${keyId} is not known here without opening the key.`, {
        hint: 'import its passport: aip passport import <file>',
      });
    const text = publicForm(options.format, publicKey, keyId);
    if (options.out !== undefined && options.out !== '-')
      await (options.force === true ? replaceFile : createFile)(resolve(cli.io.cwd, options.out), `${text}\n`, FORCE);
    if (cli.globals.json)
      cli.json({
        key_id: keyId,
        public_key: formatPublicKey(publicKey),
        format: options.format,
        text,
        out: options.out ?? null,
      });
    else if (options.out === undefined || options.out === '-') cli.out(text);
    return 0;
  },
};
