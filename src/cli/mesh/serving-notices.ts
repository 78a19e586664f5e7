/** What a person has to know of a mesh that was just opened to be served. */
import { X509Certificate } from 'node:crypto';
import type { Notices } from '../output.js';
import { formatTime } from '../../protocol/time.js';
import type { Serving } from '../../workspace/mesh/serving.js';
import { clean } from '../render/terminal/text.js';

/** Warns of what keeps a mesh from taking commands, or from taking them under the key that was named. */
export function warnOfServing(
  cli: Notices,
  {
    sealedBy,
    unproven,
    operatorsSign,
    otherSigner,
  }: Pick<Serving, 'sealedBy' | 'unproven' | 'operatorsSign' | 'otherSigner'>,
  requireSignedCommands: boolean,
): void {
  if (sealedBy !== null) warnOfSeal(cli, sealedBy);
  if (unproven !== null)
    cli.warn(
      `The store takes no command and proves nothing now; this server goes on by itself when it does. ${clean(unproven)}`,
      'store_unproven',
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

/** Warns that the mesh has gone on elsewhere, in `term`. */
export function warnOfSeal(cli: Notices, term: number): void {
  cli.warn(
    `This mesh is sealed: it has gone on elsewhere, in term ${term}. It takes no command and proves nothing here; to follow it there: aip mesh serve --follow <url>`,
    'sealed',
  );
}

/** Warns of a certificate that every client refuses at `now`, ms since the epoch; one that cannot be read is refused by the server. */
export function warnOfCertificate(cli: Notices, file: string, pem: string, now: number): void {
  const span = validityOf(pem);
  if (span === null) return;
  if (now > span.to)
    cli.warn(
      `The certificate in ${clean(file)} ran out at ${formatTime(span.to)}: no client takes it. Renew it, and start again.`,
      'certificate_expired',
    );
  else if (now < span.from)
    cli.warn(
      `The certificate in ${clean(file)} is in force from ${formatTime(span.from)} on: until then no client takes it. If it should be in force, the clock here is wrong: date`,
      'certificate_not_yet_valid',
    );
}

/** The first certificate of a chain is the server's own. */
function validityOf(pem: string): { readonly from: number; readonly to: number } | null {
  try {
    const { validFrom, validTo } = new X509Certificate(pem);
    return { from: Date.parse(validFrom), to: Date.parse(validTo) };
  } catch {
    return null;
  }
}
