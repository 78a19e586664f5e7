import {
  couldBeDestination,
  destinationsIn,
  listsDestinations,
  tierOf,
  type DestinationTier,
} from '../../protocol/constraints/destinations.js';
import { isListed } from '../../protocol/constraints/domains.js';
import { hostsOf, type HostReading } from '../../protocol/constraints/hosts.js';
import type { DomainRule } from '../../protocol/constraints/rules.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { isMeant, nameOf, type Name } from '../../protocol/naming/names.js';
import { violation, type Violation } from '../decision.js';
import { HOLDS, MAX_REPORTED, shown, type ConstraintCheck, type Judged } from './judged.js';

/** Every host that the params and the target name, at any depth, is on the list, and every one of them can be read. */
export const allowedDomains: ConstraintCheck<'allowed_domains'> = (rule, judged) => {
  const { found } = searched(rule, judged);
  return found.length === 0 ? HOLDS : found;
};

/** How many destinations the params and the target name: zero is nothing to measure. */
export function destinationsCounted(rule: DomainRule, judged: Judged): number {
  return searched(rule, judged).read;
}

/** The last search: the check and the warnings of one decision ask the same. */
let last: { readonly rule: DomainRule; readonly judged: Judged; readonly search: Search } | null = null;

function searched(rule: DomainRule, judged: Judged): Search {
  if (last !== null && last.rule === rule && last.judged === judged) return last.search;
  const search = new Search(rule, judged);
  search.object(judged.params, '');
  if (rule.params === null && judged.target !== null)
    search.report(destinationsIn(judged.target, false, true), 'target');
  last = { rule, judged, search };
  return search;
}

class Search {
  readonly found: Violation[] = [];
  /** Destinations that were looked at. */
  read = 0;
  readonly #rule: DomainRule;
  readonly #judged: Judged;

  constructor(rule: DomainRule, judged: Judged) {
    this.#rule = rule;
    this.#judged = judged;
  }

  /** `listed` where the object's own name ends in a word for destinations, so that its members may be named after them. */
  object(value: JsonObject, path: string, under: DestinationTier = null, listed = false): void {
    for (const text of Object.keys(value)) {
      if (this.found.length >= MAX_REPORTED) return;
      const at = path === '' ? text : `${path}.${text}`;
      const { params } = this.#rule;
      const name = nameOf(text);
      // A name can be an address, as in `{"a@acme.com": "Ann"}`, and under `servers` a host.
      if (params === null && (listed || name.addressed)) this.report(destinationsIn(text, listed), at);
      const listing = params === null && listsDestinations(name);
      this.#member(value[text]!, at, params === null ? (tierOf(name) ?? under) : named(name, params, at), listing);
    }
  }

  #member(value: Json, path: string, tier: DestinationTier, listing: boolean): void {
    if (value === null || typeof value === 'boolean') return;
    if (tier === 'first') return this.report(hostsOf(value), path);
    if (typeof value === 'string') {
      if (this.#rule.params !== null) return;
      this.report(readingsUnder(tier, value), path);
    } else if (Array.isArray(value)) {
      for (let i = 0; i < value.length && this.found.length < MAX_REPORTED; i++) {
        this.#member((value as readonly Json[])[i]!, `${path}[${i}]`, tier, listing);
      }
    } else if (isObject(value)) {
      // What stands under such a name without a name of its own for it is read where it reads as a destination.
      this.object(value, path, tier === null ? null : 'weak', listing);
    }
  }

  report(readings: readonly HostReading[], param: string): void {
    const { list } = this.#rule;
    const reported = new Set<string>();
    this.read += readings.length;
    for (const reading of readings) {
      if (this.found.length >= MAX_REPORTED) return;
      if (reading.ok && isListed(list, reading.host)) continue;
      const requested = reading.ok ? reading.host : reading.text;
      if (reported.has(requested)) continue;
      reported.add(requested);
      const message = reading.ok
        ? `${reading.host} (in "${shown(param)}") is not among the allowed domains.`
        : `"${shown(param)}" cannot be read as an address, URL or host in one way only: ${reading.reason}.`;
      this.found.push(
        violation('DOMAIN_RESTRICTION_VIOLATED', message, {
          requested_domain: shown(requested),
          allowed_domains: list.texts,
          param: shown(param),
          agent_id: this.#judged.agentId,
        }),
      );
    }
  }
}

/** Under a strong name what could be a destination has to be readable as one. */
function readingsUnder(tier: DestinationTier, text: string): readonly HostReading[] {
  const readings = destinationsIn(text, tier !== null);
  return readings.length === 0 && tier === 'strong' && couldBeDestination(text) ? hostsOf(text) : readings;
}

function named(name: Name, params: readonly Name[], path: string): DestinationTier {
  return params.some((each) => isMeant(each, name, path)) ? 'first' : null;
}
