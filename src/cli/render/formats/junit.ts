import type { Decision } from '../../../verify/decision.js';
import { factsOf, named, refusalsOf, remedyOf, cleanSentence, sentenceOf } from '../decision/facts.js';
import { clean } from '../terminal/text.js';
import type { Unread } from './unread.js';

/** A JUnit report of the command `suite`: one suite, one case for each intent, a failure for each refusal, with its code as the type. */
export function renderJunit(
  decisions: readonly Decision[],
  suite = 'aip intent verify',
  unread: readonly Unread[] = [],
): string {
  const refused = decisions.filter((decision) => !decision.success).length;
  const all = totals(decisions.length, refused, unread);
  const names = new Map<string, number>();
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="aip" ${all}>`,
    `  <testsuite name="${attribute(suite)}" ${all} skipped="0">`,
    ...decisions.map((decision) => testCase(decision, names)),
    ...unread.map((each) => errorCase(each, suite)),
    '  </testsuite>',
    '</testsuites>',
  ].join('\n');
}

function testCase(decision: Decision, names: Map<string, number>): string {
  const classname = decision.agent_id ?? 'unknown agent';
  const plain = `${decision.action ?? 'unreadable document'} (${decision.source ?? '-'})`;
  // Reports merge cases of one name; the second intent of a name gets a number, the same in every run.
  const key = JSON.stringify([classname, plain]);
  const count = (names.get(key) ?? 0) + 1;
  names.set(key, count);
  const name = count === 1 ? plain : `${plain} #${count}`;
  const open = `    <testcase classname="${attribute(classname)}" name="${attribute(name)}" time="0"`;
  if (decision.success) return `${open}/>`;
  const [first] = refusalsOf(decision);
  return [
    `${open}>`,
    `      <failure type="${attribute(first!.error_code)}" message="${attribute(cleanSentence(decision.message))}">${content(bodyOf(decision))}</failure>`,
    '    </testcase>',
  ].join('\n');
}

function bodyOf(decision: Decision): string {
  const refusals = refusalsOf(decision);
  const lines = refusals.flatMap((refusal) => [
    `${[...new Set([named(refusal.error_code), named(refusal.error_message)])].join(' ')}: ${sentenceOf(refusal, decision)}`,
    ...factsOf(refusal.details, decision).map(([name, value]) => `  ${name}: ${value}`),
  ]);
  const remedy = remedyOf(refusals[0]!.error_code, decision);
  return [...lines, ...(remedy === null ? [] : [`next: ${remedy}`])].join('\n');
}

/** How many cases there are; a file that was not read is one in error. */
export function totals(cases: number, failures: number, unread: readonly Unread[]): string {
  return `tests="${cases + unread.length}" failures="${failures}" errors="${unread.length}"`;
}

/** The case of a file that was not read. */
export function errorCase({ source, code, message }: Unread, classname: string): string {
  return [
    `    <testcase classname="${attribute(classname)}" name="${attribute(source)}" time="0">`,
    `      <error type="${attribute(code)}" message="${attribute(message)}"/>`,
    '    </testcase>',
  ].join('\n');
}

/** What XML 1.0 cannot hold even as a reference (production 2, Char): most control characters, lone surrogates, U+FFFE, U+FFFF. */
const NOT_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

/** Text between tags. */
export function content(text: string): string {
  return text.replace(NOT_XML, '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Text within the quotes of an attribute. */
export function attribute(text: string): string {
  return content(clean(text)).replaceAll('"', '&quot;').replaceAll("'", '&apos;');
}
