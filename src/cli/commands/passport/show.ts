import { findPassport } from '../../../app/passports/find.js';
import { issuerDenial } from '../../../app/passports/judge.js';
import { pinnedKeys } from '../../../app/keys/principals.js';
import { issuerProblem } from '../../../verify/checks/issuer.js';
import type { Passport } from '../../../protocol/passport.js';
import { renderPassport } from '../../render/passport.js';
import type { CommandSpec } from '../../spec.js';
import { finding } from '../../../workspace/keys.js';
import { documentReader } from '../../input/documents.js';

export const command: CommandSpec = {
  path: ['passport', 'show'],
  summary: 'Show who an agent is and what it may do',
  args: [
    {
      name: 'agent',
      description: 'agent id, name of a known passport, or a passport file (- for stdin)',
      values: 'agent',
    },
  ],
  examples: [
    { run: 'aip passport show support-agent-v1', why: 'for people' },
    { run: 'aip passport show support-agent-v1 --json > passport.json', why: 'the document itself' },
  ],
  exits: { 3: 'the passport is not known, or the file holds none' },
  touches: ['state', 'files'],
  onlyReads: true,
  topics: ['passports', 'constraints'],

  async run({ args }, cli) {
    const deps = await finding(cli.workspace, documentReader(cli));
    const { passport } = await findPassport(deps, args[0]!);
    if (cli.globals.json) {
      cli.json(asSigned(passport));
      return 0;
    }
    const pins = pinnedKeys(deps.state.pins(passport.document.principal));
    const now = cli.io.now();
    const problem = issuerProblem(passport, pins) ?? issuerDenial(deps.state, passport, pins, now)?.message ?? null;
    const signed =
      problem === null ? { verified: `signed by ${passport.document.principal}, pinned here` } : { problem };
    const expired = passport.expiresAt !== null && now >= passport.expiresAt;
    cli.out(renderPassport(passport.document, cli.paint, { ...signed, expired, width: cli.width ?? 80 }));
    return 0;
  },
};

/** The document without the defaults that reading adds: with them its signature would not hold. */
function asSigned({ document, signedBytes }: Passport): object {
  const signed = JSON.parse(Buffer.from(signedBytes).toString('utf8')) as object;
  const members = Object.entries(document).filter(
    ([name]) => name === 'issuer_signature' || Object.hasOwn(signed, name),
  );
  return Object.fromEntries(members);
}
