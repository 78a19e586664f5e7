/** What a person has to know of a mesh that was just opened to be served. */
import type { Notices } from '../output.js';
import type { Serving } from '../../workspace/mesh/serving.js';

/** Warns of what keeps a mesh from taking commands, or from taking them under the key that was named. */
export function warnOfServing(
  cli: Notices,
  { sealedBy, operatorsSign, otherSigner }: Pick<Serving, 'sealedBy' | 'operatorsSign' | 'otherSigner'>,
  requireSignedCommands: boolean,
): void {
  if (sealedBy !== null)
    cli.warn(
      `This mesh is sealed: it has gone on elsewhere, in term ${sealedBy}. It takes no command and proves nothing here; to follow it there: aip mesh serve --follow <url>`,
      'sealed',
    );
  if (requireSignedCommands && !operatorsSign)
    cli.warn(
      'No signing key is registered for the first admin key, so nobody can give a command: start again with --operator-key.',
      'no_operator_key',
    );
  if (otherSigner)
    cli.warn(
      'The key of --operator-key is not the one that is registered for the first admin key, which stays: aip mesh key create --role admin --public-key <key> makes another.',
      'other_operator_key',
    );
}
