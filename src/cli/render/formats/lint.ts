/** What `passport lint` found, in the forms of CI. */
import type { LintFinding } from '../../../app/passports/lint/finding.js';
import { clean, safeJson } from '../terminal/text.js';
import { data, githubErrors, MAX_ANNOTATIONS, property } from './github.js';
import { attribute, content, errorCase, totals } from './junit.js';
import { SARIF_SCHEMA } from './sarif.js';
import { sarifInvocation, sarifMessage, uriOf, type Unread } from './unread.js';

/** The findings in one passport; `source` is the file, or the name that it is known by. */
export interface LintReport {
  readonly agent_id: string;
  readonly source: string;
  readonly warnings: readonly LintFinding[];
}

/** True for a finding that makes the command fail. */
type Fails = (finding: LintFinding) => boolean;

const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const;

/** Workflow commands of GitHub, a line each; empty when nothing was found. */
export function lintGithub(reports: readonly LintReport[], unread: readonly Unread[]): string {
  const lines = reports.flatMap(({ source, warnings }) =>
    warnings.map(({ severity, code, message, hint }) => {
      const properties = `file=${property(source)},title=${property(`aip ${code}`)}`;
      return `::${COMMANDS[severity]} ${properties}::${data(`${clean(message)}\n${clean(hint)}`)}`;
    }),
  );
  const more = lines.length - MAX_ANNOTATIONS;
  if (more <= 0) return [...githubErrors(unread), ...lines].join('\n');
  return [
    ...githubErrors(unread),
    ...lines.slice(0, MAX_ANNOTATIONS),
    `::notice title=aip::${more} more are not annotated`,
  ].join('\n');
}

/**
 * A SARIF 2.1.0 log.
 * @param version of aip, as `aip --version` prints it.
 */
export function lintSarif(reports: readonly LintReport[], version: string, unread: readonly Unread[]): string {
  const codes = [...new Set(reports.flatMap(({ warnings }) => warnings.map(({ code }) => code)))];
  const rules = codes.map((code) => ({ id: `lint/${code}`, shortDescription: { text: code } }));
  const results = reports.flatMap(({ agent_id, source, warnings }) =>
    warnings.map(({ severity, code, message, hint, path }) => ({
      ruleId: `lint/${code}`,
      ruleIndex: codes.indexOf(code),
      level: severity,
      message: sarifMessage(clean(`${message} ${hint}`)),
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: source === '-' ? 'stdin' : uriOf(source) },
            region: { startLine: 1 },
          },
        },
      ],
      partialFingerprints: { 'agentAndFinding/v1': `${agent_id}:${code}:${path}` },
    })),
  );
  const driver = { name: 'aip', version, semanticVersion: version, rules };
  const run = { tool: { driver }, invocations: [sarifInvocation(unread)], columnKind: 'utf16CodeUnits', results };
  return safeJson({ $schema: SARIF_SCHEMA, version: '2.1.0', runs: [run] }, 2);
}

/** A JUnit report: a case for each passport, a failure where a finding makes the command fail. */
export function lintJunit(reports: readonly LintReport[], fails: Fails, unread: readonly Unread[]): string {
  const failures = reports.filter(({ warnings }) => warnings.some(fails)).length;
  const all = totals(reports.length, failures, unread);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="aip" ${all}>`,
    `  <testsuite name="aip passport lint" ${all} skipped="0">`,
    ...reports.map((report) => testCase(report, fails)),
    ...unread.map((each) => errorCase(each, 'aip passport lint')),
    '  </testsuite>',
    '</testsuites>',
  ].join('\n');
}

function testCase({ agent_id, source, warnings }: LintReport, fails: Fails): string {
  const open = `    <testcase classname="${attribute(agent_id)}" name="${attribute(source)}" time="0"`;
  if (warnings.length === 0) return `${open}/>`;
  const text = content(
    warnings.map(({ severity, code, message }) => clean(`${severity} ${code}: ${message}`)).join('\n'),
  );
  const first = warnings.find(fails);
  const body =
    first === undefined
      ? `<system-out>${text}</system-out>`
      : `<failure type="${attribute(first.code)}" message="${attribute(first.message)}">${text}</failure>`;
  return `${open}>\n      ${body}\n    </testcase>`;
}
