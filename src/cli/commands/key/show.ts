import { keyFacts, keyNamed, PUBLIC_FORMS, publicForm } from '../../keys/known.js';
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { localState } from '../../../workspace/state.js';

export const command: CommandSpec = {
  path: ['key', 'show'],
  summary: 'Show a public key in every form, and where its private half is kept',
  args: [{ name: 'key', description: 'key id, agent, principal, or a public key in any form', values: 'subject' }],
  examples: [
    { run: 'aip key show did:web:acme.com', why: 'the newest key of a principal' },
    { run: 'aip key show did:web:acme.com#key-1 --json', why: 'for scripts' },
  ],
  exits: { 3: 'no key here has that name' },
  touches: ['state'],
  topics: ['keys'],

  async run({ args }, cli) {
    const key = keyNamed(await localState(cli.workspace), args[0]!);
    const { publicKey, keyId } = key;
    const forms =
      publicKey === null
        ? null
        : Object.fromEntries(PUBLIC_FORMS.map((form) => [form.replace('-', '_'), publicForm(form, publicKey, keyId)]));
    const facts = keyFacts(key);
    if (cli.globals.json) {
      cli.json({ ...facts, forms });
      return 0;
    }
    cli.out(cli.paint.bold(clean(keyId)));
    cli.out(`  ${cli.paint.dim('of         ')}  ${facts.of}`);
    const place = facts.key_store === null ? 'not on this machine' : `${facts.key_store}, ${clean(facts.key_ref!)}`;
    cli.out(`  ${cli.paint.dim('private key')}  ${place}`);
    for (const [form, text] of Object.entries(forms ?? {})) {
      const [first = '', ...others] = text.split('\n');
      cli.out(`  ${cli.paint.dim(form.padEnd(11))}  ${first}`);
      for (const line of others) cli.out(`  ${' '.repeat(11)}  ${line}`);
    }
    return 0;
  },
};
