import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { schemaProblems } from '../../../src/adapters/json-schema.js';
import { pagerDutyBody, slackBody, slackCode } from '../../../src/app/monitor/messages.js';
import { alertKey, turnOf, type AlertScope } from '../../../src/app/monitor/alerts.js';
import type { Condition, OpenAlert } from '../../../src/app/ports/monitor.js';
import { parseJsonText } from '../../../src/protocol/json/parse.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { alert } from '../../kit/alerts.js';
import { AGENT, OTHER, T0 } from '../../kit/state/drafts.js';

const closed = (required: string[], properties: object): object => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
const constant = (value: string): object => ({ const: value });
const text = (maxLength: number): object => ({ type: 'string', minLength: 1, maxLength });

/** Slack, "Incoming webhooks" and "Block Kit": the members that are used, with their published limits. */
const MRKDWN = closed(['type', 'text'], { type: constant('mrkdwn'), text: text(3000) });
const SLACK = closed(['text', 'blocks'], {
  text: text(4000),
  blocks: {
    type: 'array',
    minItems: 1,
    maxItems: 50,
    items: {
      oneOf: [
        closed(['type', 'text'], { type: constant('section'), text: MRKDWN }),
        closed(['type', 'elements'], {
          type: constant('context'),
          elements: { type: 'array', minItems: 1, maxItems: 10, items: MRKDWN },
        }),
      ],
    },
  },
});

/** PagerDuty, "Events API v2: send an alert event": required members, enums and limits. */
const ROUTING = { routing_key: { type: 'string', pattern: '^[A-Za-z0-9]{32}$' }, dedup_key: text(255) };
const PAGERDUTY = {
  oneOf: [
    closed(['routing_key', 'event_action', 'dedup_key'], { ...ROUTING, event_action: constant('resolve') }),
    closed(['routing_key', 'event_action', 'dedup_key', 'payload'], {
      ...ROUTING,
      event_action: constant('trigger'),
      client: text(255),
      payload: closed(['summary', 'source', 'severity'], {
        summary: text(1024),
        source: text(1024),
        severity: { enum: ['critical', 'error', 'warning', 'info'] },
        timestamp: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' },
        component: text(1024),
        group: text(1024),
        class: text(1024),
        custom_details: { type: 'object' },
      }),
    }),
  ],
};

const object = (json: string): JsonObject => parseJsonText(json) as JsonObject;
const problems = (schema: object, body: string) => schemaProblems(object(JSON.stringify(schema)), object(body));
const KEY = 'R'.repeat(32);
const HOSTILE = [
  '<!channel> *now*',
  '<https://evil.com|your bank>',
  '`*out*` <@U123>',
  '&lt;!here&gt;',
  'a\u0000\u001b[2J\u202eb\n> quote',
  '~x~ _y_ https://evil.com',
  'x'.repeat(100_000),
  '```',
  '',
];
const anything = () =>
  fc.record({
    agent_id: fc.oneof(fc.constantFrom(...HOSTILE), fc.string()),
    reason: fc.oneof(fc.constantFrom(...HOSTILE), fc.string()),
  });

describe('a body for Slack', () => {
  test('is of the published form, whatever strangers call themselves', () => {
    fc.assert(
      fc.property(anything(), ({ agent_id, reason }) => {
        for (const event of ['raised', 'resolved'] as const) {
          expect(problems(SLACK, slackBody(alert({ event, agent_id, facts: { reason, by: null } })))).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });
  test('holds no markup that is not ours', () => {
    fc.assert(
      fc.property(anything(), ({ agent_id, reason }) => {
        const { text: said, blocks } = JSON.parse(slackBody(alert({ agent_id, facts: { reason } }))) as {
          text: string;
          blocks: [{ text: { text: string } }, { elements: [{ text: string }] }];
        };
        for (const each of [said, blocks[0].text.text, blocks[1].elements[0].text]) {
          expect(each).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
          expect(each.split('`').length % 2).toBe(1);
          // Outside of backticks stand our own words only.
          expect(each.replace(/`[^`]*`/g, '')).toMatch(/^[🔴🟠🟡🟢\w\s*:.,%-]*$/u);
        }
      }),
      { numRuns: 60 },
    );
  });
  test.each([
    ['<!channel>', '`&lt;!channel&gt;`'],
    ['a`b', "`a'b`"],
    ['a\nb\u202e\u001b', '`a b`'],
    ['', '`-`'],
  ])('%j is shown as %j', (from, to) => {
    expect(slackCode(from)).toBe(to);
  });
  test.each(['critical', 'error', 'warning'] as const)('says in words that it is %s', (severity) => {
    expect(slackBody(alert({ severity }))).toContain(`*${severity}*`);
    expect(slackBody(alert({ severity, event: 'resolved' }))).toContain('*resolved*');
  });
});

describe('a body for PagerDuty', () => {
  test('is of the published form, whatever strangers call themselves', () => {
    fc.assert(
      fc.property(anything(), ({ agent_id, reason }) => {
        for (const event of ['raised', 'resolved'] as const) {
          for (const severity of ['critical', 'error', 'warning'] as const) {
            expect(
              problems(PAGERDUTY, pagerDutyBody(alert({ event, severity, agent_id, facts: { reason } }), KEY)),
            ).toEqual([]);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
  test('resolves under the key that it triggered', () => {
    const [raised, resolved] = (['raised', 'resolved'] as const).map(
      (event) => JSON.parse(pagerDutyBody(alert({ event }), KEY)) as { dedup_key: string; event_action: string },
    );
    expect([raised!.event_action, resolved!.event_action]).toEqual(['trigger', 'resolve']);
    expect(resolved!.dedup_key).toBe(raised!.dedup_key);
  });
  test('the schema can fail', () => {
    const body = object(pagerDutyBody(alert(), KEY));
    for (const wrong of [{ event_action: 'page' }, { payload: null }, { routing_key: 'x' }, { extra: 1 }]) {
      expect(problems(PAGERDUTY, JSON.stringify({ ...body, ...wrong }))).not.toEqual([]);
    }
    expect(problems(SLACK, '{"text":"x","blocks":[{"type":"divider","text":"x"}]}')).not.toEqual([]);
  });
});

const condition = (changes: Partial<Condition> = {}): Condition => ({
  kind: 'low_trust',
  subject: AGENT,
  severity: 'warning',
  message: 'm',
  facts: {},
  ...changes,
});
const at = (changes: Partial<AlertScope> = {}): AlertScope => ({
  now: T0,
  verifier: 'v1',
  looked: () => true,
  ended: () => null,
  ...changes,
});

describe('what is told', () => {
  const told = (open: readonly OpenAlert[], conditions: readonly Condition[], moment = at()) =>
    turnOf(open, conditions, moment).events.map(({ event, severity }) => `${event} ${severity}`);
  const { open } = turnOf([], [condition()], at());

  test('once when it begins, once when it ends', () => {
    expect(told([], [condition()])).toEqual(['raised warning']);
    expect(told(open, [condition({ message: 'other words' })])).toEqual([]);
    expect(told(open, [])).toEqual(['resolved warning']);
    expect(told([], [])).toEqual([]);
  });
  test('again when it gets worse or better', () => {
    expect(told(open, [condition({ severity: 'critical' })])).toEqual(['raised critical']);
    const worse = turnOf(open, [condition({ severity: 'critical' })], at({ now: T0 + 1 })).open;
    expect(told(worse, [condition()])).toEqual(['raised warning']);
    expect(worse[0]!.since).toBe(open[0]!.since);
  });
  test('nothing of whom nobody looked at, who stays as they were', () => {
    const turn = turnOf(open, [], at({ looked: () => false }));
    expect(turn).toEqual({ open, events: [] });
  });
  test('ids differ for different events and are the same for the same', () => {
    const ids = [T0, T0 + 1].flatMap((now) =>
      [turnOf([], [condition()], at({ now })), turnOf(open, [], at({ now }))].map(({ events }) => events[0]!.id),
    );
    expect(new Set(ids).size).toBe(4);
    expect(turnOf([], [condition()], at()).events[0]!.id).toBe(ids[0]);
  });
});

describe('a key', () => {
  test('is one for the same trouble and differs for any other', () => {
    const keys = [
      alertKey('low_trust', AGENT, 'v1'),
      alertKey('low_trust', OTHER, 'v1'),
      alertKey('low_trust', AGENT, 'v2'),
      alertKey('high_failure_rate', AGENT, 'v1'),
      alertKey('revoked', AGENT, 'v1'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(alertKey('low_trust', AGENT, 'v1')).toBe(keys[0]);
    for (const key of keys) expect(key).toMatch(/^[a-z_-]{8,25}[0-9a-f]{32}$/);
  });
  test('of a standing is the same on every machine', () => {
    expect(alertKey('revoked', AGENT, 'v1')).toBe(alertKey('revoked', AGENT, 'v2'));
  });
});
