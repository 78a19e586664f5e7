/** A conformance case as what somebody would type. */
import type { ConformanceCase, CaseSetting } from '../../../src/app/conformance/run.js';
import { writeStanding } from '../native/standing.js';
import { household, type Household } from '../native/household.js';
import { AT, HMAC_KEY, PRINCIPAL } from './parts.js';

/** What the command line has no way to be told: how old its copy of the revocations is, and a past that never was. */
export function isTypeable({ given, drift }: ConformanceCase): boolean {
  return given.stale_ms === undefined && given.history === undefined && drift === undefined;
}

/** A machine in the circumstances of a case. */
export async function machineOf({ given }: ConformanceCase): Promise<Household> {
  const machine = household({
    env: given.min_trust === undefined ? {} : { AIP_VERIFY_MIN_TRUST: String(given.min_trust) },
  });
  if (given.standing !== undefined) {
    await machine.run('passport', 'list');
    const changed_at = AT;
    writeStanding(
      machine.state,
      given.standing.map(({ subject, status, until = null }) => {
        return { subject, status, reason: 'test', changed_at, changed_by: null, suspended_until: until };
      }),
    );
  }
  return machine;
}

/** The documents of a case as files, in order. */
export function filesOf({ documents, bytes }: ConformanceCase, machine: Household): string[] {
  if (bytes !== undefined) return [machine.file('document.json', Buffer.from(bytes, 'base64') as never)];
  return documents!.map((text, i) => machine.file(`document-${i}.json`, text));
}

export function flagsOf({ given, at }: ConformanceCase, machine: Household): string[] {
  const flag = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value]);
  const file = (name: string, content: unknown): string | undefined =>
    content === undefined
      ? undefined
      : machine.file(name, typeof content === 'string' ? content : JSON.stringify(content));
  const key = (hex: string | undefined): string | undefined => (hex === undefined ? undefined : `ed25519:${hex}`);
  return [
    ...['--at', at ?? AT, '--allow-future'],
    ...flag('--public-key', key(given.public_key)),
    ...flag('--hmac-key-file', hmacFile(given, machine)),
    ...flag('--passport', file('agent.passport.json', given.passport)),
    ...flag(
      '--principal-key',
      given.principal_key === undefined ? undefined : `${PRINCIPAL}=${key(given.principal_key)}`,
    ),
    ...flag('--mandate', file('mandate.json', given.mandate)),
    ...flag('--issuer-key', given.mandate === undefined ? undefined : key(given.issuer_key)),
    ...(given.require_mandate === true ? ['--require-mandate'] : []),
    ...flag('--min-tier', given.min_tier === undefined ? undefined : String(given.min_tier)),
    ...flag('--geo', given.geo),
    ...flag('--registry', file('registry.json', given.registry)),
  ];
}

function hmacFile({ hmac_key }: CaseSetting, machine: Household): string | undefined {
  if (hmac_key === undefined) return undefined;
  // As people write it, or as a program does.
  const raw = Buffer.from(HMAC_KEY).toString('hex') === hmac_key;
  return machine.file('shared.key', raw ? (Buffer.from(HMAC_KEY) as never) : `${hmac_key}\n`);
}
