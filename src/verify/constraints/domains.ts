import { isListed, type DomainList } from '../../protocol/constraints/domains.js';
import { hostsOf } from '../../protocol/constraints/hosts.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { violation, type Violation } from '../decision.js';
import { HOLDS, shown, type ConstraintCheck, type Judged } from './judged.js';

/** The params that say where something goes (protocol, section 5), in whatever case: HTTP and mail do not care either. */
const NAMES = new Set([
  'to',
  'cc',
  'bcc',
  'recipient',
  'recipients',
  'email',
  'url',
  'uri',
  'endpoint',
  'host',
  'domain',
  'webhook',
]);
/** A decision lists this many strangers; the intent is refused anyway. */
const MAX_REPORTED = 16;

/** Every host that the params name, at any depth, is on the list, and every one of them can be read. */
export const allowedDomains: ConstraintCheck<'allowed_domains'> = ({ list }, judged) => {
  const violations: Violation[] = [];
  walk(judged.params, '', list, judged, violations);
  return violations.length === 0 ? HOLDS : violations;
};

function walk(value: JsonObject, path: string, list: DomainList, judged: Judged, found: Violation[]): void {
  for (const name of Object.keys(value)) {
    const member = value[name]!;
    const at = path === '' ? name : `${path}.${name}`;
    if (NAMES.has(name) || NAMES.has(name.toLowerCase())) judge(member, at, list, judged, found);
    else descend(member, at, list, judged, found);
    if (found.length >= MAX_REPORTED) return;
  }
}

function descend(value: Json, path: string, list: DomainList, judged: Judged, found: Violation[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (isObject(value)) return walk(value, path, list, judged, found);
  for (let i = 0; i < value.length && found.length < MAX_REPORTED; i++) {
    descend(value[i]!, `${path}[${i}]`, list, judged, found);
  }
}

function judge(value: Json, param: string, list: DomainList, judged: Judged, found: Violation[]): void {
  const reported = new Set<string>();
  for (const reading of hostsOf(value)) {
    if (found.length >= MAX_REPORTED) return;
    if (reading.ok && isListed(list, reading.host)) continue;
    const requested = reading.ok ? reading.host : reading.text;
    if (reported.has(requested)) continue;
    reported.add(requested);
    const message = reading.ok
      ? `${reading.host} (in "${shown(param)}") is not among the allowed domains.`
      : `"${shown(param)}" cannot be read as an address, URL or host in one way only: ${reading.reason}.`;
    found.push(
      violation('DOMAIN_RESTRICTION_VIOLATED', message, {
        requested_domain: shown(requested),
        allowed_domains: list.texts,
        param: shown(param),
        agent_id: judged.agentId,
      }),
    );
  }
}
