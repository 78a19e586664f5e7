/** `--min-serial` and `--passport-hash`: a floor for machines that remember none, as in CI. */
import { Failure } from '../../app/failure.js';
import type { Demands } from '../../app/verification/replaced.js';
import { canonicalId } from '../../protocol/identity/subject.js';
import { MAX_SERIAL } from '../../protocol/passport.js';
import type { Demand } from '../../verify/checks/floor.js';
import type { OptionSpec } from '../spec.js';

export interface DemandFlags {
  readonly minSerial: readonly string[];
  readonly passportHash: readonly string[];
}

export const DEMAND_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--min-serial <agent=n>',
    description: 'refuse lower serials of this agent, named by its id',
    repeatable: true,
  },
  {
    flags: '--passport-hash <agent=hash>',
    description: 'only the passport with this hash',
    repeatable: true,
  },
];

/** What the flags demand; undefined when they demand nothing. */
export function demandsOf({ minSerial, passportHash }: DemandFlags): Demands | undefined {
  const demands = new Map<string, Demand>();
  const demand = (flag: string, given: string, read: (value: string) => Partial<Demand> | null): void => {
    const at = given.lastIndexOf('=');
    const agent = at < 0 ? null : canonicalId(given.slice(0, at));
    const found = agent === null ? null : read(given.slice(at + 1));
    if (agent === null || found === null) {
      const why =
        at < 0
          ? 'has no = behind the agent'
          : agent === null
            ? `names no agent by its id, but "${given.slice(0, at).slice(0, 80)}"`
            : `has a value of another form: "${given.slice(at + 1).slice(0, 80)}"`;
      throw new Failure('USAGE', `"${given.slice(0, 120)}" ${why}, and is not what ${flag} takes.`, {
        hint: HINTS[flag]!,
      });
    }
    demands.set(agent, { minSerial: null, hash: null, ...demands.get(agent), ...found });
  };
  for (const given of minSerial) {
    demand('--min-serial', given, (value) =>
      /^[1-9][0-9]{0,9}$/.test(value) && Number(value) <= MAX_SERIAL ? { minSerial: Number(value) } : null,
    );
  }
  for (const given of passportHash) {
    demand('--passport-hash', given, (value) => (/^sha256:[0-9a-f]{64}$/.test(value) ? { hash: value } : null));
  }
  return demands.size === 0 ? undefined : (agentId) => demands.get(agentId) ?? null;
}

const HINTS: Readonly<Record<string, string>> = {
  '--min-serial': '--min-serial did:web:acme.com:agents:bot=3',
  '--passport-hash': '--passport-hash did:web:acme.com:agents:bot=sha256:<64 hex>',
};
