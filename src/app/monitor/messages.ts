/** Alerts in the forms that receivers read: Slack's incoming webhooks, PagerDuty's Events API v2, and plain signed JSON. */
import { createHmac } from 'node:crypto';
import type { AlertEvent, Notice } from '../ports/monitor.js';

const MARK = { raised: { critical: '🔴', error: '🟠', warning: '🟡' }, resolved: '🟢' } as const;

/**
 * Text of strangers as Slack's mrkdwn shows it literally: `&`, `<` and `>` are what mentions and links are made of, and inside of
 * backticks nothing else has a meaning.
 */
export function slackCode(text: string): string {
  return `\`${slackText(plain(text, 300).replaceAll('`', "'"))}\``;
}

function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The body for a Slack incoming webhook: `text` for notifications, `blocks` for the channel. */
export function slackBody(event: AlertEvent): string {
  const mark = event.event === 'resolved' ? MARK.resolved : MARK.raised[event.severity];
  const word = event.event === 'resolved' ? 'resolved' : event.severity;
  const headline = `${mark} *${word}* ${slackCode(event.agent_id)}: ${slackText(event.message)}`;
  const facts = Object.entries(event.facts)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${slackText(name)} ${slackCode(String(value))}`);
  const context = [...facts, `since ${event.since}`, `verifier ${slackCode(event.verifier)}`].join('  ');
  return JSON.stringify({
    text: headline,
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: headline } },
      { type: 'context', elements: [{ type: 'mrkdwn', text: context.slice(0, 2900) }] },
    ],
  });
}

/** The body for PagerDuty's Events API v2. */
export function pagerDutyBody(event: AlertEvent, routingKey: string): string {
  const start = { routing_key: routingKey, dedup_key: event.key };
  if (event.event === 'resolved') return JSON.stringify({ ...start, event_action: 'resolve' });
  return JSON.stringify({
    ...start,
    event_action: 'trigger',
    client: 'aip monitor',
    payload: {
      summary: `${plain(event.agent_id, 300)}: ${plain(event.message, 600)}`,
      source: plain(event.verifier, 200),
      severity: event.severity,
      timestamp: event.time,
      component: plain(event.agent_id, 300),
      class: event.kind,
      custom_details: Object.fromEntries(
        Object.entries(event.facts).map(([name, value]) => [
          name,
          typeof value === 'string' ? plain(value, 1000) : value,
        ]),
      ),
    },
  });
}

/** An alert as a message to an incoming webhook of Slack. */
export function slackNotice(event: AlertEvent, url: string): Notice {
  return { url, body: slackBody(event), headers: () => ({}) };
}

/** An alert as an event of PagerDuty (Events API v2). */
export function pagerDutyNotice(event: AlertEvent, url: string, routingKey: string): Notice {
  return { url, body: pagerDutyBody(event, routingKey), headers: () => ({}) };
}

/** An alert as JSON, signed with HMAC under `key` (Standard Webhooks). */
export function webhookNotice(event: AlertEvent, url: string, key: Uint8Array): Notice {
  return signedNotice(event.id, JSON.stringify(event), url, key);
}

/** Signed as Standard Webhooks 1.0 says: over id, time and body, so that a copy sent later or under another id is noticed. */
export function signedNotice(id: string, body: string, url: string, key: Uint8Array): Notice {
  return {
    url,
    body,
    headers: (now) => {
      const time = String(Math.floor(now / 1000));
      const mac = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64');
      return { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${mac}` };
    },
  };
}

const LEAST_SECRET = 24;

/** The key in AIP_WEBHOOK_SECRET: `whsec_` and base64 of 24 bytes or more, or text of 24 characters or more; null when it is neither. */
export function webhookKey(secret: string): Uint8Array | null {
  if (!secret.startsWith('whsec_')) return secret.length < LEAST_SECRET ? null : Buffer.from(secret, 'utf8');
  const coded = secret.slice('whsec_'.length);
  const key = Buffer.from(coded, 'base64');
  return key.length < LEAST_SECRET || key.toString('base64') !== coded ? null : key;
}

/** An integration key of the Events API v2. */
export function isRoutingKey(text: string): boolean {
  return /^[A-Za-z0-9]{32}$/.test(text);
}

/** One line without what is invisible or turns text around, of at most so many characters. */
function plain(text: string, most: number): string {
  const shown = text.replace(/[\p{Zl}\p{Zp}\s]+/gu, ' ').replace(/[\p{C}\p{Cf}]/gu, '');
  // Receivers refuse an empty text, and a stranger chose this one.
  if (shown.trim() === '') return '-';
  const characters = [...shown];
  return characters.length <= most ? shown : `${characters.slice(0, most - 1).join('')}…`;
}
