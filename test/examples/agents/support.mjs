/** The guide's support agent: node support.mjs "Please refund $50 for order 8472" */
import { ensurePassport, shield } from 'aip-cli';
import { main } from './planner.mjs';

const passport = await ensurePassport({
  domain: 'acme.com',
  agentName: 'support-agent-v1',
  actions: ['send_email', 'issue_refund'],
  constraints: { monetary_limit: 100, allowed_domains: ['acme.com'], rate_limit: '20/hour' },
  keyStore: 'file',
  passphrase: process.env.AIP_KEY_PASSPHRASE,
});
const tool = (action, params, run) =>
  shield({ passport, actions: [action], params, passphrase: process.env.AIP_KEY_PASSPHRASE }, run);

const tools = {
  refund: tool('issue_refund', ['order_id', 'amount', 'reason'], (order, amount) => `refunded $${amount} for ${order}`),
  email: tool('send_email', ['to', 'subject', 'body'], (to) => `sent to ${to}`),
  deleteAll: tool('delete_customer_data', ['scope'], (scope) => `deleted ${scope}`),
  disable: tool('disable_checks', ['code'], () => 'nothing is checked any more'),
};

const dollars = (text) => Number(text.replaceAll(',', ''));
await main(
  [
    [
      /refund \$([\d,.]*\d)(?: for order (\w+))?/gi,
      (amount, order = '1') => ['refund', order, dollars(amount), 'asked'],
    ],
    [/issue \$([\d,.]*\d) refund/gi, (amount) => ['refund', '1', dollars(amount), 'asked']],
    [/unlimited refunds/gi, () => ['refund', '1', 1_000_000, 'a new directive']],
    [/email (?:everything )?to (\S+@\S+)/gi, (to) => ['email', to, 'Hello', 'text']],
    [/delete all customer data/gi, () => ['deleteAll', 'all']],
    [/disable security checks/gi, () => ['disable', 'ADMIN-2026']],
  ],
  tools,
);
