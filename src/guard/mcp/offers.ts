/** What a server offers beside tools, as a client may see it: what the passport does not declare is not listed, as with tools. */
import { resourceCovered, resourceDenied, resourcePrefix } from '../../protocol/naming/resources.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { openedResult } from './capabilities.js';
import type { ReadKind, SessionPorts } from './ports.js';
import { uncached } from './tools.js';

type OfferRules = Pick<SessionPorts, 'patterns' | 'denied' | 'observe' | 'maxTtlMs'>;

/** Where the entries of a list stand, and what they are named by. */
interface Offer {
  readonly kind: ReadKind;
  readonly list: string;
  readonly named: string;
  readonly declared: (pattern: string, name: string) => boolean;
  readonly denied: (pattern: string, name: string) => boolean;
}

/** What is answered with what a server can do. */
const OPENING: ReadonlySet<string> = new Set(['initialize', 'server/discover']);

const same = (pattern: string, name: string): boolean => pattern === name;

const OFFERS: ReadonlyMap<string, Offer> = new Map<string, Offer>([
  ['prompts/list', { kind: 'prompt', list: 'prompts', named: 'name', declared: same, denied: same }],
  [
    'resources/list',
    { kind: 'resource', list: 'resources', named: 'uri', declared: resourceCovered, denied: resourceDenied },
  ],
  [
    'resources/templates/list',
    { kind: 'resource', list: 'resourceTemplates', named: 'uriTemplate', declared: couldCover, denied: () => false },
  ],
]);

/**
 * The result of a request, as far as the passport goes: a list without what is not declared, and nothing that a cache may show to another
 * agent, or past a revocation. Under `observe` all of a list.
 */
export function shownResult(method: string, result: JsonObject, rules: OfferRules): JsonObject {
  const kept = uncached(result, rules.maxTtlMs);
  if (OPENING.has(method)) return openedResult(kept, rules);
  const offer = OFFERS.get(method);
  if (offer === undefined || rules.observe || !Array.isArray(result[offer.list])) return kept;
  const { kind, list, named } = offer;
  const [patterns, barred] = [rules.patterns(kind), rules.denied(kind)];
  const shown = (result[list] as readonly Json[]).filter((entry) => {
    const name = isObject(entry) ? entry[named] : undefined;
    if (typeof name !== 'string') return false;
    return patterns.some((each) => offer.declared(each, name)) && !barred.some((each) => offer.denied(each, name));
  });
  return { ...kept, [list]: shown };
}

/** True where a template (RFC 6570) may give a URI that the pattern covers: up to its first expression they say the same. */
function couldCover(pattern: string, template: string): boolean {
  const [literal = ''] = template.split('{');
  const wanted = pattern.endsWith('/*') ? [pattern.slice(0, -1), resourcePrefix(pattern)] : [pattern];
  const spelled = URL.canParse(literal) ? [literal, new URL(literal).href] : [literal];
  return wanted.some(
    (each) => each !== null && spelled.some((start) => each.startsWith(start) || start.startsWith(each)),
  );
}
