/** The verifiers of a fleet, kept by the owner of its database. */
import type { EnrolledVerifier } from '../../adapters/postgres/state/verifiers.js';
import type { LocalWorkspace } from '../workspace.js';

/** What is to be done with the list: `add` and `remove` a public key, `ed25519:` and hex. */
export type VerifierOrder =
  | { readonly kind: 'add'; readonly publicKey: string; readonly label: string }
  | { readonly kind: 'remove'; readonly publicKey: string }
  | { readonly kind: 'list' };

/** What became of it. */
export interface VerifiersReport {
  /** The database, without a password. */
  readonly where: string;
  /** False where it was so before. */
  readonly changed: boolean;
  /** As they are now. */
  readonly verifiers: readonly EnrolledVerifier[];
}

/** Carries it out as the owner of the database behind `url`. Rejects with Failure STATE_UNAVAILABLE or USAGE. */
export async function orderVerifiers(
  workspace: LocalWorkspace,
  { url, isArgument }: { readonly url: string; readonly isArgument: boolean },
  order: VerifierOrder,
): Promise<VerifiersReport> {
  const [{ connectOwner }, { dismiss, enroll, enrolledVerifiers }, { requireNoPassword }, { asFailures }] =
    await Promise.all([
      import('../../adapters/postgres/state/open.js'),
      import('../../adapters/postgres/state/verifiers.js'),
      import('../../adapters/postgres/address.js'),
      import('../../adapters/postgres/state/fleet-memory.js'),
    ]);
  if (isArgument) requireNoPassword(url, '--url');
  return asFailures(async () => {
    const { connection, address } = await connectOwner(url, workspace.world);
    try {
      let changed = false;
      if (order.kind === 'add') changed = await enroll(connection, order.publicKey, order.label);
      if (order.kind === 'remove') changed = await dismiss(connection, order.publicKey);
      return { where: address.shown, changed, verifiers: await enrolledVerifiers(connection) };
    } finally {
      await connection.close();
    }
  });
}
