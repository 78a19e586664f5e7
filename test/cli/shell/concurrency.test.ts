import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openState } from '../../../src/adapters/sqlite/open.js';
import { START, verifyChain, type Link } from '../../../src/protocol/log/chain.js';
import type { Entry } from '../../../src/protocol/log/entry.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import type { Decision } from '../../../src/verify/decision.js';
import { aip, crowd, launch, place, start, type Place } from '../../kit/built/binary.js';
import { operate, refund } from '../../kit/native/intent-parts.js';
import { line, PRINCIPAL, publicKeyText } from '../../kit/native/parts.js';
import { fixture, INTENTS } from '../../kit/native/vectors.js';

const CROWD = 64;
const FEWER = 24;
const CRASHES = Number(process.env['AIP_TEST_CRASHES'] ?? 20);
const LONG = 300_000 + CRASHES * 3000;
const AT = ['--at', INTENTS.at];

/** A machine that knows the fixtures' principal and one passport. */
function machine(passport: string): Place {
  const where = place();
  expect(aip(where, ['principal', 'add', PRINCIPAL, '--public-key', publicKeyText('principal')]).code).toBe(0);
  expect(aip(where, ['passport', 'import', fixture(passport)]).code).toBe(0);
  return where;
}

/** Has `racers` processes verify an intent each, and says how often each code was the answer. */
async function race(
  where: Place,
  racers: number,
  intentOf: (i: number) => JsonObject,
): Promise<Record<string, number>> {
  mkdirSync(join(where.folder, 'intents'));
  const files = Array.from({ length: racers }, (_, i) => {
    const path = join(where.folder, 'intents', `${i}.json`);
    writeFileSync(path, line(intentOf(i)));
    return path;
  });
  const answers = await crowd(racers, (i) => launch(where, ['intent', 'verify', files[i]!, ...AT, '--json']));
  const counts: Record<string, number> = {};
  for (const { code, out } of answers) {
    const { success, error_code } = JSON.parse(out) as Decision;
    expect(success).toBe(code === 0);
    counts[error_code ?? 'ok'] = (counts[error_code ?? 'ok'] ?? 0) + 1;
  }
  return counts;
}

function logOf(where: Place): Entry[] {
  const state = openState(join(where.env.AIP_HOME!, 'state.db'), { random: (n) => new Uint8Array(n) });
  try {
    expect(verifyChain(state.entries({}), state.bounds())).toMatchObject({ ok: true });
    return [...state.entries({})];
  } finally {
    state.close();
  }
}

test(
  `of ${CROWD} processes that verify one intent, exactly one says yes`,
  async () => {
    const where = machine('passport-support-agent.json');
    const intent = refund('one for all');
    expect(await race(where, CROWD, () => intent)).toEqual({ ok: 1, 'AIP-E301': CROWD - 1 });
    expect(logOf(where)).toHaveLength(CROWD);
  },
  LONG,
);

test(
  `of ${CROWD} processes that race for the last place of a rate limit, exactly one gets it`,
  async () => {
    const where = machine('passport-support-agent.json');
    const nine = Array.from({ length: 9 }, (_, i) => line(refund(`before ${i}`))).join('');
    expect(aip(where, ['intent', 'verify', '-', '--ndjson', ...AT], nine).code).toBe(0);
    expect(await race(where, CROWD, (i) => refund(`racer ${i}`))).toEqual({ ok: 1, 'AIP-E205': CROWD - 1 });
    expect(logOf(where).filter(({ status }) => status === 'success')).toHaveLength(10);
  },
  LONG,
);

test(
  `${FEWER} processes that start with an empty window fill it, and no more`,
  async () => {
    const where = machine('passport-operator.json');
    const counts = await race(where, FEWER, (i) => operate(`order ${i}`, 'place_order', {}));
    expect(counts).toEqual({ ok: 2, 'AIP-E205': FEWER - 2 });
  },
  LONG,
);

test(
  `${FEWER} processes never spend more than a day has`,
  async () => {
    const where = machine('passport-operator.json');
    const amount = (i: number) => 20 + (i % 7) * 10;
    const counts = await race(where, FEWER, (i) => operate(`pay ${i}`, 'pay', { amount: amount(i) }));
    expect(Object.keys(counts).sort()).toEqual(['AIP-E212', 'ok']);
    const spent = logOf(where)
      .filter(({ status }) => status === 'success')
      .reduce((sum, { params }) => sum + Number(params!.amount), 0);
    expect(spent).toBeLessThanOrEqual(250);
    // What is left does not buy the cheapest: nobody was turned away for nothing.
    expect(spent).toBeGreaterThan(250 - 20);
  },
  LONG,
);

test(
  'of several streams with the same intents, each intent is accepted in one',
  async () => {
    const where = machine('passport-operator.json');
    const lines = Array.from({ length: 300 }, (_, i) => line(operate(`shared ${i}`, 'scale_service', {})));
    writeFileSync(join(where.folder, 'forth.ndjson'), lines.join(''));
    writeFileSync(join(where.folder, 'back.ndjson'), lines.reverse().join(''));
    const answers = await crowd(4, (i) =>
      launch(where, ['intent', 'verify', i % 2 === 0 ? 'forth.ndjson' : 'back.ndjson', '--ndjson', ...AT]),
    );
    const decisions = answers.flatMap(({ out }) =>
      out
        .trimEnd()
        .split('\n')
        .map((text) => JSON.parse(text) as Decision),
    );
    expect(decisions).toHaveLength(1200);
    const accepted = decisions.filter(({ success }) => success).map(({ intent_hash }) => intent_hash);
    expect([accepted.length, new Set(accepted).size]).toEqual([300, 300]);
    expect(decisions.filter(({ error_code }) => error_code === 'AIP-E301')).toHaveLength(900);
  },
  LONG,
);

test(
  `after SIGKILL at any moment (${CRASHES} times) every yes is in the log, and none can be had twice`,
  async () => {
    let where = machine('passport-operator.json');
    let checked: Link = START;
    let reported = 0;
    for (let round = 0; round < CRASHES; round++) {
      if (round > 0 && round % 40 === 0) [where, checked] = [machine('passport-operator.json'), START];
      const intents = Array.from({ length: 500 }, (_, i) => operate(`round ${round}, ${i}`, 'scale_service', { i }));
      const child = start(where, ['intent', 'verify', '-', '--ndjson', ...AT, '--jobs', round % 2 === 0 ? '1' : '2']);
      let said = '';
      const spoke = new Promise<void>((resolve) => {
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          said += text;
          resolve();
        });
      });
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
      child.stdin.write(intents.map(line).join(''));
      if (round % 3 === 0) await sleep(randomInt(200));
      else {
        await Promise.race([spoke, ended]);
        await sleep(randomInt(60));
      }
      child.kill('SIGKILL');
      await ended;
      // A line that was cut off was not said.
      const answers = said
        .split('\n')
        .slice(0, -1)
        .map((text) => JSON.parse(text) as Decision);
      expect(answers.every(({ success }) => success)).toBe(true);
      reported += answers.length;

      const state = openState(join(where.env.AIP_HOME!, 'state.db'), { random: (n) => new Uint8Array(n) });
      const bounds = state.bounds();
      const kept = [...state.entries({ afterSeq: checked.seq })];
      expect(verifyChain(kept, { after: checked, head: bounds.head })).toMatchObject({ ok: true });
      state.close();
      checked = bounds.head;
      const accepted = new Set(kept.filter(({ status }) => status === 'success').map(({ intent_hash }) => intent_hash));
      for (const { intent_hash } of answers) expect(accepted).toContain(intent_hash);

      // All of them once more: what the log holds is spent, the rest is not.
      const again = aip(where, ['intent', 'verify', '-', '--ndjson', ...AT], intents.map(line).join(''));
      const codes = again.out
        .trimEnd()
        .split('\n')
        .map((text) => JSON.parse(text) as Decision);
      expect(codes).toHaveLength(intents.length);
      for (const { intent_hash, error_code } of codes)
        expect(error_code).toBe(accepted.has(intent_hash) ? 'AIP-E301' : null);
      const after = openState(join(where.env.AIP_HOME!, 'state.db'), { random: (n) => new Uint8Array(n) });
      checked = after.bounds().head;
      after.close();
    }
    expect(reported).toBeGreaterThan(CRASHES);
  },
  LONG,
);

test('the checks above look at the log that the binary writes', () => {
  const where = machine('passport-support-agent.json');
  writeFileSync(join(where.folder, 'i.json'), line(refund('logged')));
  const { out } = aip(where, ['intent', 'verify', 'i.json', ...AT, '--json']);
  const { intent_hash } = JSON.parse(out) as Decision;
  expect(logOf(where)).toMatchObject([{ intent_hash, status: 'success', seq: 1 }]);
  expect(readFileSync(join(where.env.AIP_HOME!, 'state.db')).length).toBeGreaterThan(0);
});

test('of several first passports at once, each is made, and one key signs them all', async () => {
  const where = place({ AIP_KEY_PASSPHRASE: 'correct horse' });
  const made = await crowd(4, (i) =>
    launch(where, [
      'passport',
      'create',
      `bot-${i}`,
      '--domain',
      'acme.com',
      '-a',
      'pay',
      '--key-store',
      'file',
      '--json',
    ]),
  );
  expect(made.map(({ code, err }) => (code === 0 ? '' : err))).toEqual(['', '', '', '']);
  const keys = made.map(({ out }) => (JSON.parse(out) as JsonObject).principal_public_key);
  expect(new Set(keys).size).toBe(1);
}, 60_000);
