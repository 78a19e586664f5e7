/** The guide's trading agent: node trading.mjs "buy 5 AAPL at $150 stop $140" */
import { ensurePassport, shield } from 'aip-cli';
import { main } from './planner.mjs';

const passport = await ensurePassport({
  domain: 'acme.com',
  agentName: 'trading-agent',
  actions: ['place_order', 'cancel_order'],
  constraints: {
    monetary_limit: 1000,
    allowed_symbols: ['AAPL', 'GOOGL', 'MSFT'],
    max_orders_per_hour: 10,
    require_stop_loss: true,
  },
  keyStore: 'file',
  passphrase: process.env.AIP_KEY_PASSPHRASE,
});
const tool = (action, params, run) =>
  shield({ passport, actions: [action], params, passphrase: process.env.AIP_KEY_PASSPHRASE }, run);

const tools = {
  order: tool(
    'place_order',
    ['symbol', 'qty', 'side', 'amount', 'stop_loss'],
    (symbol, qty, side, amount, stop) => `${side} ${qty} ${symbol} for $${amount}, stop $${stop}`,
  ),
  cancel: tool('cancel_order', ['order_id'], (id) => `cancelled ${id}`),
  withdraw: tool('withdraw_funds', ['amount', 'to'], (amount, to) => `$${amount} to ${to}`),
};

await main(
  [
    [
      /(buy|sell) (\d+) ([A-Za-z]+) at \$(\d+)(?: stop \$(\d+))?/gi,
      (side, qty, symbol, price, stop) => [
        'order',
        symbol,
        Number(qty),
        side.toLowerCase(),
        Number(qty) * Number(price),
        ...(stop === undefined ? [] : [Number(stop)]),
      ],
    ],
    [/cancel order (\S+)/gi, (id) => ['cancel', id]],
    [/withdraw \$(\d+) to (\S+)/gi, (amount, to) => ['withdraw', Number(amount), to]],
  ],
  tools,
);
