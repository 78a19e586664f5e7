/** Which endpoint of several a follower is said to hear. */
import { expect, test } from 'vitest';
import { Follower } from '../../../src/mesh/client/follower.js';
import type { Effect, FollowInput } from '../../../src/mesh/client/messages.js';
import { unsignedCheckpoint } from '../../../src/mesh/log/checkpoint.js';
import { LOG_ID } from '../../kit/mesh/server.js';

const HEAD = { logId: LOG_ID, term: 1, seq: 5, hash: 'a'.repeat(64) };
const WALL = Date.parse('2026-02-18T14:00:00.000Z');
const CHALLENGE = 'c'.repeat(32);

test('an endpoint that a poll is only asked of is not heard, until it answers', () => {
  const follower = new Follower({
    ...{ endpoints: 2, maxAgeMs: 30_000, confirms: false, polls: true },
    ...{ check: () => true, random: () => 0.5, challenge: () => CHALLENGE },
  });
  follower.restore({ position: HEAD, standings: [], kept: [], knowsPassports: true });
  const heard: [string, number][] = [];
  let [conn, now] = [0, 0];
  const step = (input: FollowInput): void => {
    now += 100;
    for (const effect of follower.step(input, { mono: now, wall: WALL + now }) as Effect[]) {
      if (effect.type === 'poll') ({ conn } = effect);
      if (effect.type === 'state') heard.push([effect.to, effect.endpoint]);
    }
  };
  const dial = (): void => {
    for (const before = conn; conn === before;) step({ type: 'tick' });
  };
  const answered = (): void => {
    const at = { time: new Date(WALL + now).toISOString(), upMs: now, boot: 'b'.repeat(32) };
    const checkpoint = { ...unsignedCheckpoint(HEAD, at, CHALLENGE), signature: 'd'.repeat(128) };
    step({ type: 'polled', conn, body: JSON.stringify({ reset: null, events: [], checkpoint, received_up_ms: now }) });
  };
  const failed = (): void => step({ type: 'ended', conn, status: null, reason: 'nothing listens there' });

  step({ type: 'start' });
  answered();
  failed();
  dial();
  failed();
  dial();
  answered();
  expect(heard).toEqual([
    ['expired', 0],
    ['live', 0],
    ['stale', 1],
    ['live', 0],
  ]);
});
