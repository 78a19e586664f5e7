import { readFileSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VERSION } from '../../../src/cli/version.js';
import { household, settled } from '../../kit/native/household.js';
import { fixture } from '../../kit/native/vectors.js';

const FILES = ['refund', 'mail-to-evil', '301-s-old', 'cut-short'].map((name) => fixture(`intent-${name}.json`));
const verify = async (format: string, files = FILES, env: Record<string, string> = {}) => {
  const machine = await settled({ env });
  return { machine, ...(await machine.run('intent', 'verify', ...files, '--format', format)) };
};

describe('the same verification, said', () => {
  test('to a person: an answer each on stdout, the sum on stderr', async () => {
    const { code, out, err } = await verify('human');
    expect(code).toBe(12);
    expect(out).toMatch(/^ok issue_refund by did:web:acme\.com:agents:support-agent-v1 /);
    for (const refusal of [
      'AIP-E203 DOMAIN_RESTRICTION_VIOLATED',
      'AIP-E302 TIMESTAMP_EXPIRED',
      'AIP-E100 MALFORMED_INTENT',
    ])
      expect(out).toContain(`\nREFUSED ${refusal}\n`);
    expect(err).toBe('1 verified, 3 refused (1 AIP-E100, 1 AIP-E203, 1 AIP-E302)\n');
  });

  test('to a person with --quiet: refusals only', async () => {
    const machine = await settled();
    const { code, out, err } = await machine.run('intent', 'verify', ...FILES, '--quiet');
    expect([code, err]).toEqual([12, '']);
    expect(out).not.toMatch(/^ok /m);
    expect(out.match(/^REFUSED /gm)).toHaveLength(3);
  });

  test('as JSON: one document for one, a line each for several', async () => {
    const one = await verify('json', FILES.slice(0, 1));
    expect(JSON.parse(one.out)).toMatchObject({ success: true, source: FILES[0] });
    const several = await verify('json');
    expect(several.err).toBe('');
    const codes = several.out
      .trimEnd()
      .split('\n')
      .map((text) => (JSON.parse(text) as { error_code: string }).error_code);
    expect(codes).toEqual([null, 'AIP-E203', 'AIP-E302', 'AIP-E100']);
  });

  test('as JSON on a terminal: indented, and no colour in it', async () => {
    const machine = await settled({ tty: true, env: { FORCE_COLOR: '1' } });
    const { out } = await machine.run('intent', 'verify', FILES[0]!, '--json');
    expect(out).toMatch(/^\{\n {2}"success": true,\n/);
    expect(out).not.toContain('\u001b');
  });

  test('to GitHub: an annotation for each refusal, and a summary of all', async () => {
    const { machine } = await verify('github', FILES, {});
    const summary = machine.file('summary.md', 'before\n');
    const again = await settled({ env: { GITHUB_STEP_SUMMARY: summary } });
    const { code, out } = await again.run('intent', 'verify', ...FILES, '--format', 'github');
    expect(code).toBe(12);
    const lines = out.trimEnd().split('\n');
    expect(lines.filter((text) => text.startsWith('::error '))).toHaveLength(3);
    expect(lines[0]).toContain('AIP-E203');
    const written = readFileSync(summary, 'utf8');
    expect(written).toMatch(/^before\n/);
    for (const code of ['AIP-E100', 'AIP-E203', 'AIP-E302']) expect(written).toContain(code);
  });

  test.each(['github', 'sarif'])(
    'as %s from a folder of the checkout: files are named from its top',
    async (format) => {
      const machine = household();
      Object.assign(machine.io.env, { GITHUB_WORKSPACE: dirname(machine.cwd) });
      const given = relative('', fixture('intent-cut-short.json'));
      const { code, out } = await machine.run('intent', 'verify', given, '--format', format);
      expect(code).toBe(10);
      expect(out).toContain(`${basename(machine.cwd)}/${given}`);
    },
  );

  test('to GitHub, with a summary that cannot be written: the decision stands', async () => {
    const machine = await settled({ env: { GITHUB_STEP_SUMMARY: '/nowhere/summary.md' } });
    const { code, err } = await machine.run('intent', 'verify', FILES[0]!, '--format', 'github', '--dry-run');
    expect(code).toBe(0);
    expect(err).toContain('warning: The step summary could not be written');
  });

  test('to GitHub, when all is well: nothing to annotate', async () => {
    const { code, out } = await verify('github', FILES.slice(0, 1));
    expect(code).toBe(0);
    expect(out).not.toContain('::error');
  });

  test('as SARIF', async () => {
    const { code, out, err } = await verify('sarif');
    expect([code, err]).toEqual([12, '']);
    const log = JSON.parse(out) as {
      version: string;
      runs: { tool: { driver: { name: string; version: string } }; results: { ruleId: string; kind?: string }[] }[];
    };
    expect(log.version).toBe('2.1.0');
    expect(log.runs[0]!.tool.driver).toMatchObject({ name: 'aip', version: VERSION });
    const rules = log.runs[0]!.results.filter(({ kind }) => kind !== 'pass').map(({ ruleId }) => ruleId);
    expect(rules).toEqual(['AIP-E203', 'AIP-E302', 'AIP-E100']);
  });

  test('as JUnit', async () => {
    const { code, out, err } = await verify('junit');
    expect([code, err]).toEqual([12, '']);
    expect(out).toMatch(/<testsuite [^>]*tests="4"[^>]*failures="3"/);
    expect(out.match(/<failure /g)).toHaveLength(3);
  });

  test.each(['human', 'json', 'ndjson', 'github', 'sarif', 'junit'])('as %s, with one exit code', async (format) => {
    expect((await verify(format)).code).toBe(12);
    expect((await verify(format, FILES.slice(2))).code).toBe(11);
    expect((await verify(format, FILES.slice(0, 1))).code).toBe(0);
  });
});

describe('hostile text in an intent', () => {
  const hostile = 'x\u001b[2J\u001b]0;owned\u0007\u202e\r\n::error file=a::b\n<failure/>';

  test.each(['human', 'json', 'ndjson', 'github', 'sarif', 'junit'])('reaches nobody as it is: %s', async (format) => {
    const machine = await settled();
    await machine.run('intent', 'sign', '-p', 'support-agent-v1', '-a', hostile, '-o', machine.at('hostile.json'));
    const { code, out, err } = await machine.run('intent', 'verify', machine.at('hostile.json'), '--format', format);
    expect(code).toBe(12);
    expect(out + err).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(out).not.toMatch(/^::error file=a::b/m);
    if (format === 'junit') expect(out).not.toContain('<failure/>');
  });
});
