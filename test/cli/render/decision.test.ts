import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderDecision, renderSummary } from '../../../src/cli/render/decision/decision.js';
import { plain } from '../../../src/cli/render/terminal/paint.js';
import { columnsOf } from '../../../src/cli/render/terminal/width.js';
import { ACCEPTED, AGENT, hostileDecision, marked, REFUND, refusal, UNSAFE } from './decision-sample.js';

const LOOK = { paint: plain, width: 80, verbose: false };
const lines = (decision: Parameters<typeof renderDecision>[0], look = {}) =>
  renderDecision(decision, { ...LOOK, ...look }).split('\n');

describe('a yes', () => {
  test('is one line', () => {
    expect(lines(ACCEPTED)).toEqual([`ok issue_refund by ${AGENT} (intent.json)`]);
  });

  test('tells every check, and why one was skipped, when asked to', () => {
    const shown = lines(ACCEPTED, { verbose: true });
    expect(shown).toHaveLength(10);
    expect(shown[1]).toMatch(/^ {2}passport +passed$/);
    expect(shown[9]).toMatch(/^ {2}trust +skipped: no minimum is set$/);
  });

  test('carries its warnings, and says by itself that the copy of the mesh is old', () => {
    const warnings = [{ code: 'x', message: 'The copy is old.' }];
    expect(lines({ ...ACCEPTED, warnings })[1]).toBe('warning: The copy is old.');
    const degraded = { ...ACCEPTED, revocation: { ...ACCEPTED.revocation, degraded: true } };
    expect(lines(degraded)[1]).toMatch(/^warning: .*old/);
    expect(lines({ ...degraded, warnings })).toHaveLength(2);
  });
});

describe('a refusal', () => {
  test('says so, who wanted what, why, the facts, and what to do', () => {
    expect(lines(REFUND)).toEqual([
      'REFUSED AIP-E202 MONETARY_LIMIT_EXCEEDED',
      `issue_refund by ${AGENT} (intent.json)`,
      '10000 USD is above the limit of 100 USD for one action.',
      '  requested  10000',
      '  limit      100',
      '  currency   USD',
      '  param      amount',
      'checks: passport ok  signature ok  nonce ok  timestamp ok  action ok',
      '        constraints FAILED  hooks -  revocation -  trust -',
      expect.stringMatching(/^next: Ask for no more than the limit/),
      expect.stringMatching(/^ {6}\S/),
    ]);
  });

  test('breaks between words who wanted what where a terminal is narrow', () => {
    expect(lines(REFUND, { width: 60 }).slice(1, 3)).toEqual([`issue_refund by ${AGENT}`, '(intent.json)']);
  });

  test('never says ok in its first line, and a yes never REFUSED', () => {
    expect(lines(REFUND)[0]).not.toMatch(/\bok\b/);
    expect(lines(ACCEPTED, { verbose: true }).join()).not.toContain('REFUSED');
  });

  test('shows every violation with its own facts', () => {
    const other = {
      error_code: 'AIP-E203',
      error_message: 'DOMAIN_RESTRICTION_VIOLATED',
      details: { requested_domain: 'evil.com', allowed_domains: ['acme.com', 'a.org'] },
    };
    const shown = lines({ ...REFUND, violations: [...REFUND.violations, other] }).join('\n');
    expect(shown).toContain('also AIP-E203 DOMAIN_RESTRICTION_VIOLATED: An address');
    expect(shown).toMatch(/requested_domain {2}evil\.com\n {2}allowed_domains {3}acme\.com, a\.org/);
    expect(shown.match(/MONETARY_LIMIT_EXCEEDED/g)).toHaveLength(1);
  });

  test('of a document that nobody could read', () => {
    const decision = refusal(
      'AIP-E100',
      'MALFORMED_INTENT',
      { reason: 'a duplicate member', offset: null, agent_id: null },
      {
        agent_id: null,
        action: null,
        intent_hash: null,
        source: '-',
        message: 'This is not an intent: a duplicate member.',
      },
    );
    expect(lines(decision).slice(0, 3)).toEqual([
      'REFUSED AIP-E100 MALFORMED_INTENT',
      'an unreadable document (standard input)',
      'This is not an intent: a duplicate member.',
    ]);
    expect(lines(decision).join('\n')).not.toMatch(/null|undefined|reason/);
  });

  test('by a hook, whose code no catalogue has, has no remedy to invent', () => {
    expect(lines(refusal('ACME-7', 'OFFICE_CLOSED', {})).join('\n')).not.toContain('next:');
  });

  test('in the other dialect names it', () => {
    expect(lines(refusal('AIP-E202', 'SOMETHING_ELSE', {}, { dialect: 'aip-1' }))[0]).toBe(
      'REFUSED AIP-E202 SOMETHING_ELSE (aip-1)',
    );
  });

  test('puts durations and times in words beside the numbers', () => {
    const shown = lines(
      refusal('AIP-E302', 'TIMESTAMP_EXPIRED', {
        timestamp: 1771424625,
        age_s: 361,
        max_age_s: 30,
        age_ms: 7_200_000,
        retry_after_s: 90_061,
      }),
    ).join('\n');
    expect(shown).toContain('timestamp      1771424625 (2026-02-18T14:23:45Z)');
    expect(shown).toContain('361 (6 min 1 s)');
    expect(shown).toMatch(/max_age_s +30\n/);
    expect(shown).toContain('7200000 (2 h)');
    expect(shown).toContain('90061 (1 d 1 h)');
  });

  test.each([-1, 1e300, 0.5, 2 ** 53])('an absurd timestamp of %d is shown as it is', (timestamp) => {
    expect(lines(refusal('AIP-E302', 'TIMESTAMP_EXPIRED', { timestamp })).join('\n')).toContain(
      `timestamp  ${timestamp}\n`,
    );
  });

  test('bounds what a fact may take', () => {
    const details = {
      requested: 'x'.repeat(60_000),
      allowed: Array.from({ length: 1024 }, (_, i) => `host${i}`),
      deep: { a: ['y'.repeat(9000)] },
      none: [],
      empty: '',
    };
    const shown = lines(refusal('AIP-E206', 'VALUE_NOT_ALLOWED', details)).join('\n');
    expect(shown.length).toBeLessThan(2000);
    expect(shown).toMatch(/host7 and 1016\s+more/);
    expect(shown).toMatch(/none +none/);
    expect(shown).toMatch(/empty +""/);
  });

  test('leaves out what a fact does not tell: no single param, and no approval that was brought', () => {
    const details = { param: '', not_counted: [], approvers: [] };
    const shown = lines(refusal('AIP-E209', 'APPROVAL_REQUIRED', details)).join('\n');
    expect(shown).not.toMatch(/^ +(?:param|not_counted) /m);
    expect(shown).toMatch(/^ +approvers +none/m);
  });

  test('bounds names and sentences, too', () => {
    const long = 'y'.repeat(60_000);
    const details = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${long}${i}`, i]));
    const decision = refusal(long, long, details, { action: long, agent_id: long, message: long, source: long });
    expect(lines(decision).join('').length).toBeLessThan(6000);
  });

  test('fills in names that can be pasted, and no others', () => {
    const next = (more: object, code = 'AIP-E401', details = {}) =>
      lines(refusal(code, 'X', details, more), { width: 300 }).at(-1);
    expect(next({})).toContain(`aip reinstate ${AGENT}\``);
    expect(next({ agent_id: 'did:web:a:agents:x; rm -rf ~' })).toContain('aip reinstate <agent>`');
    expect(next({}, 'AIP-E403', { principal: 'did:web:acme.com' })).toContain('aip status did:web:acme.com`');
    expect(next({}, 'AIP-E403', { principal: 'did:web:$(x)' })).toContain('aip status <principal>`');
    expect(next({ action: 'drop_db' }, 'AIP-E201')).toContain('--add-action drop_db`');
    expect(next({ action: 'resource:x:/a?b=$(id)&c/d' }, 'AIP-E201')).toContain(
      "--add-action 'resource:x:/a?b=$(id)&c/d'`",
    );
    for (const action of ['--monetary-limit', 'a b', 'a`b', 'resource:*', null])
      expect(next({ action }, 'AIP-E201')).toContain('--add-action <name>`');
    const id = '0123456789abcdef'.repeat(2);
    expect(next({}, 'AIP-E209', { request_id: id })).toContain(`aip approvals approve ${id}\``);
    expect(next({}, 'AIP-E209', { request_id: '-rf' })).toContain('aip approvals approve <request_id>`');
    expect(next({}, 'AIP-E209')).toContain('No request was raised');
    expect(next({}, 'AIP-E209', { request_id: null })).toContain('No request was raised');
    for (const rest of [{}, { request_id: null }])
      expect(next({}, 'AIP-E209', { reason: 'denied', ...rest })).toBe('next: Do not ask for it before then.');
  });
});

describe('on the screen', () => {
  test.each([40, 60, 80, 200])('lines of prose fit %d columns', (width) => {
    const shown = lines({ ...REFUND, message: 'word '.repeat(80), source: null }, { width, verbose: true });
    // An id stays whole.
    for (const line of shown.filter((each) => !each.includes(AGENT)))
      expect(columnsOf(line)).toBeLessThanOrEqual(width);
  });

  test('colour adds nothing but colour', () => {
    const strip = (text: string) => text.replace(/<\/?(?:b|dim|red|green|yellow|cyan)>/g, '');
    for (const verbose of [true, false]) {
      for (const decision of [ACCEPTED, REFUND]) {
        const look = { ...LOOK, verbose };
        expect(strip(renderDecision(decision, { ...look, paint: marked }))).toBe(renderDecision(decision, look));
      }
    }
    expect(renderDecision(REFUND, { ...LOOK, paint: marked })).toContain('<red><b>REFUSED</b></red>');
  });

  test('nothing a stranger wrote reaches the terminal as more than text, or a CI runner as a command', () => {
    fc.assert(
      fc.property(hostileDecision, fc.integer({ min: 10, max: 120 }), fc.boolean(), (decision, width, verbose) => {
        for (const line of lines(decision, { width, verbose })) {
          expect(line).not.toMatch(UNSAFE);
          expect(line).not.toMatch(/^\s*::/);
          expect(line).not.toContain('##[');
        }
      }),
    );
  });

  test('a name cannot bring a command to the start of a line', () => {
    const decision = refusal(
      'AIP-E201',
      'ACTION_NOT_DECLARED',
      {},
      { action: '::stop-commands::x', message: 'a ##[set] ::error::x' },
    );
    const shown = lines(decision, { width: 12 });
    expect(shown.filter((line) => /^\s*::|##\[/.test(line))).toEqual([]);
    expect(shown[1]).toMatch(/^: :stop-commands/);
  });
});

describe('the summary', () => {
  test('counts, with the commonest reasons first', () => {
    const codes = new Map([
      ['AIP-E301', 1],
      ['AIP-E203', 1],
      ['AIP-E202', 2],
    ]);
    expect(renderSummary({ verified: 12, refused: 4, codes }, plain)).toBe(
      '12 verified, 4 refused (2 AIP-E202, 1 AIP-E203, 1 AIP-E301)',
    );
    expect(renderSummary({ verified: 0, refused: 0 }, plain)).toBe('0 verified, 0 refused');
  });

  test('colours only what is there', () => {
    expect(renderSummary({ verified: 3, refused: 0 }, marked)).toBe('<green>3 verified</green>, 0 refused');
    expect(renderSummary({ verified: 0, refused: 1, codes: new Map([['a\u001b[2J', 1]]) }, marked)).toBe(
      '0 verified, <red>1 refused</red> (1 a)',
    );
  });
});
