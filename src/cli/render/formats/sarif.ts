import type { CodeEntry } from '../../../protocol/codes.js';
import type { Json, JsonObject } from '../../../protocol/json/values.js';
import type { Decision, Refusal } from '../../../verify/decision.js';
import { factsLine, named, refusalsOf, sentenceOf } from '../decision/facts.js';
import { documentPlace, type DocumentPlace } from '../decision/place.js';
import { DIALECT_LABEL, type DialectName } from '../../../protocol/dialects.js';
import { CATALOGUES, entryOf } from '../explain-catalogue.js';
import { VERSION } from '../../version.js';
import { safeJson } from '../terminal/text.js';
import { sarifInvocation, sarifMessage, uriOf, type Unread } from './unread.js';

/** The schema that logs name. */
export const SARIF_SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/** What a command reports that judges no intents: the one rule of its log. */
export interface ReportRule {
  /** Its code, in `error_code` of what is reported. */
  readonly code: string;
  readonly meaning: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** A SARIF 2.1.0 log: a rule for every code of the catalogue, a result for every violation. */
export function renderSarif(decisions: readonly Decision[], unread: readonly Unread[] = []): string {
  const rules = new Rules();
  for (const { dialect, codes } of CATALOGUES) for (const entry of codes) rules.add(dialect, entry);
  const results = decisions.flatMap((decision) =>
    refusalsOf(decision).map((refusal) => resultOf(decision, refusal, rules)),
  );
  return logOf(results, rules, unread);
}

/** The same of what is no refusal: decisions that stand for cases or constraints, each with the code of `finding` or none. */
export function renderFindings(decisions: readonly Decision[], finding: ReportRule): string {
  const rules = new Rules();
  const rule = rules.add('native', { ...finding, name: finding.code });
  const results = decisions.flatMap((decision) =>
    refusalsOf(decision).map((refusal) => ({
      ...messageAt(decision, refusal, rule),
      // No intent stands behind it: the same case or constraint of the same file is the same alert.
      partialFingerprints: {
        'findingAndPlace/v1': [decision.source ?? '-', decision.action ?? '', rule.id].map(named).join(':'),
      },
      properties: { agent_id: decision.agent_id, action: decision.action } as JsonObject,
    })),
  );
  return logOf(results, rules, []);
}

function logOf(results: readonly JsonObject[], rules: Rules, unread: readonly Unread[]): string {
  const driver = { name: 'aip', version: VERSION, semanticVersion: VERSION, rules: rules.list };
  const log = {
    $schema: SARIF_SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver },
        invocations: [sarifInvocation(unread)],
        columnKind: 'utf16CodeUnits',
        results: [...results],
      },
    ],
  };
  return safeJson(log, 2);
}

/** Rules by their stable ids. Outside the native dialect the same code may mean another thing, so the id names the dialect. */
class Rules {
  readonly list: JsonObject[] = [];
  readonly #places = new Map<string, number>();

  add(
    dialect: DialectName,
    entry: Pick<CodeEntry, 'code' | 'name'> & Partial<CodeEntry>,
  ): { id: string; index: number } {
    const id = [DIALECT_LABEL[dialect], entry.code].filter((part) => part !== '').join('/');
    const known = this.#places.get(id);
    if (known !== undefined) return { id, index: known };
    const index = this.list.push(ruleOf(id, entry)) - 1;
    this.#places.set(id, index);
    return { id, index };
  }
}

function ruleOf(id: string, { name, meaning, remedy }: Pick<CodeEntry, 'name'> & Partial<CodeEntry>): JsonObject {
  const text = meaning ?? 'Refused by a verification hook of this verifier.';
  return {
    id,
    name,
    shortDescription: { text },
    fullDescription: { text },
    help: { text: remedy ?? 'See the message; the code is not one of aip.' },
    defaultConfiguration: { level: 'error' },
  };
}

function resultOf(decision: Decision, refusal: Refusal, rules: Rules): JsonObject {
  const code = named(refusal.error_code);
  const entry = entryOf(refusal.error_code, decision.dialect) ?? { code, name: named(refusal.error_message) };
  const rule = rules.add(decision.dialect, entry);
  return {
    ...messageAt(decision, refusal, rule),
    partialFingerprints: { 'intentAndCode/v1': fingerprintOf(decision, refusal, rule.id) },
    properties: {
      agent_id: decision.agent_id,
      action: decision.action,
      verified_at: decision.verified_at,
    },
  };
}

function messageAt(decision: Decision, refusal: Refusal, rule: { id: string; index: number }): JsonObject {
  const who = [
    decision.action ?? 'unreadable document',
    ...(decision.agent_id === null ? [] : ['by', decision.agent_id]),
  ];
  const facts = factsLine(refusal.details, decision);
  const why = sentenceOf(refusal, decision);
  return {
    ruleId: rule.id,
    ruleIndex: rule.index,
    level: 'error',
    message: sarifMessage(`${who.map(named).join(' ')}: ${why}${facts === '' ? '' : ` (${facts})`}`),
    locations: [{ physicalLocation: locationOf(documentPlace(decision.source)) }],
  };
}

/** The same intent refused for the same reason is one alert, however often it is checked; two params of it are two. */
function fingerprintOf(decision: Decision, refusal: Refusal, ruleId: string): string {
  const same = refusalsOf(decision).filter((other) => other.error_code === refusal.error_code);
  const nth = same.indexOf(refusal);
  const intent = decision.intent_hash ?? named(decision.source ?? '-');
  return `${intent}:${ruleId}${nth > 0 ? `:${nth + 1}` : ''}`;
}

function locationOf({ file, line }: DocumentPlace): JsonObject {
  const region: Record<string, Json> = { startLine: line ?? 1 };
  return { artifactLocation: { uri: file === null ? 'stdin' : uriOf(file) }, region };
}
