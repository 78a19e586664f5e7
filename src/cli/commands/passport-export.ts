import { join } from 'node:path';
import { createFile, replaceFile } from '../../adapters/files.js';
import { Failure } from '../../app/failure.js';
import { findPassport } from '../../app/find-passport.js';
import { requireIssued } from '../../app/principals.js';
import { agentDidDocument, domainDidDocument, toJwk, toPem } from '../../protocol/did-document.js';
import { didDocumentUrl } from '../../protocol/did.js';
import { clean } from '../render/text.js';
import type { CommandSpec } from '../spec.js';
import { finding } from '../wiring.js';

interface Options {
  readonly format: 'did' | 'jwk' | 'pem';
  readonly out?: string;
  readonly force?: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['passport', 'export'],
  summary: "Write an agent's public identity in another form",
  detail:
    'did writes two did.json files into a folder laid out like the web server that will serve them; jwk and pem print the public key.',
  args: [{ name: 'agent', description: 'agent id, name of a known passport, or a passport file', values: 'agent' }],
  options: [
    {
      title: 'Form',
      options: [
        { flags: '--format <form>', description: 'what to write', choices: ['did', 'jwk', 'pem'], default: 'did' },
        {
          flags: '-o, --out <path>',
          description: 'folder (did, default: the current one) or file (jwk, pem); - prints',
          values: 'file',
        },
        { flags: '--force', description: 'replace files that exist' },
      ],
    },
  ],
  examples: [
    {
      run: 'aip passport export support-agent-v1 --format did --out public/',
      why: 'did.json of the agent and of its domain',
    },
    { run: 'aip passport export support-agent-v1 --format pem', why: 'the public key for OpenSSL' },
  ],
  exits: { 3: 'the passport is not known', 10: 'the passport was edited, or its principal is not pinned' },
  touches: ['files', 'state'],
  topics: ['passports'],

  async run({ args, options }, cli) {
    const deps = await finding(cli);
    const { passport } = await findPassport(deps, args[0]!);
    requireIssued(deps.state, passport);
    const { currentKey, document } = passport;
    const write = options.force === true ? replaceFile : createFile;
    if (options.format !== 'did') {
      const { publicKey } = currentKey.key;
      const text =
        options.format === 'pem'
          ? toPem(publicKey)
          : `${JSON.stringify(toJwk(publicKey, currentKey.keyId), null, 2)}\n`;
      if (options.out === undefined || options.out === '-') cli.out(text.trimEnd());
      else await write(options.out, text);
      return 0;
    }
    const pins = deps.state.pins(document.principal);
    if (pins.length === 0) throw new Failure('NOT_FOUND', `${document.principal} is not pinned here.`);
    const documents = {
      [document.principal]: domainDidDocument(document.principal, pins),
      [document.agent_id]: agentDidDocument(document),
    };
    if (options.out === '-') {
      cli.json(documents);
      return 0;
    }
    const files = Object.entries(documents).map(([did, content]) => ({
      did,
      path: join(options.out ?? '.', ...new URL(didDocumentUrl(did)).pathname.split('/')),
      url: didDocumentUrl(did),
      text: `${JSON.stringify(content, null, 2)}\n`,
    }));
    for (const { path, text } of files) await write(path, text);
    if (cli.globals.json) cli.json(files.map(({ did, path, url }) => ({ did, path, url })));
    else for (const { path, url } of files) cli.out(`${clean(path)}  ${cli.paint.dim(`serve as ${clean(url)}`)}`);
    return 0;
  },
};
