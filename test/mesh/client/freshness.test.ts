import { describe, expect, test } from 'vitest';
import { unsignedCheckpoint, type Checkpoint } from '../../../src/mesh/log/checkpoint.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import { FreshnessClock } from '../../../src/mesh/client/freshness.js';
import { reconnectDelay } from '../../../src/mesh/client/reconnect.js';
import { cheapSign, LOG_ID } from '../../kit/mesh/server.js';

const WALL = Date.parse('2026-02-18T14:00:00.000Z');

function checkpoint(
  head: number,
  upMs: number,
  fields: { boot?: string; challenge?: string | null; wall?: number } = {},
) {
  const at = { time: new Date(fields.wall ?? WALL + upMs).toISOString(), upMs, boot: fields.boot ?? 'b1' };
  const place = { logId: LOG_ID, term: 1, seq: head, hash: 'c'.repeat(64) };
  const body = unsignedCheckpoint(place, at, fields.challenge === undefined ? null : fields.challenge);
  return { ...body, signature: cheapSign(canonicalize(body)) };
}

const moment = (ms: number, wallSkew = 0) => ({ mono: 1_000 + ms, wall: WALL + ms + wallSkew });

function asked(ms = 0): FreshnessClock {
  const freshness = new FreshnessClock();
  freshness.asking('c1', moment(ms));
  return freshness;
}

describe('the age of a proof', () => {
  test("counts from the request for the first answer, and by the server's clock for those that follow", () => {
    const freshness = asked();
    freshness.heard(checkpoint(0, 50_000), 0, moment(40));
    expect(freshness.age(moment(40))).toBe(41);
    freshness.heard(checkpoint(0, 52_000), 0, moment(2_030));
    expect(freshness.age(moment(2_030))).toBe(31);
  });

  test('is not younger than it is when everything is delayed', () => {
    const freshness = asked();
    freshness.heard(checkpoint(0, 50_000), 0, moment(10));
    freshness.heard(checkpoint(0, 52_000), 0, moment(12_000));
    expect(freshness.age(moment(12_000))).toBe(10_001);
  });

  test('is that of the last checkpoint whose events were all applied', () => {
    const freshness = asked();
    freshness.heard(checkpoint(3, 50_000), 3, moment(0));
    freshness.heard(checkpoint(5, 54_000), 4, moment(4_000));
    expect(freshness.age(moment(4_000))).toBe(4_001);
    freshness.applied(4);
    expect(freshness.age(moment(4_000))).toBe(4_001);
    freshness.applied(5);
    expect(freshness.age(moment(4_000))).toBe(1);
  });

  test.each([
    ['wall clock an hour ahead', 3_600_000, 3_600_000],
    ['wall clock an hour back', -3_600_000, 1],
  ])('with the %s is the larger of both clocks', (_, jump, least) => {
    const freshness = asked();
    freshness.heard(checkpoint(0, 50_000), 0, moment(0));
    const age = freshness.age(moment(5, jump));
    expect(age).toBeGreaterThanOrEqual(least);
    expect(age).toBeLessThanOrEqual(least + 10);
  });

  test('of a poll counts the wait of the server, not of the network', () => {
    const freshness = asked();
    freshness.heard(checkpoint(0, 60_000), 0, moment(20_400), 40_000);
    expect(freshness.age(moment(20_400))).toBe(401);
  });

  test('is unknown before the first proof, and without a request nothing is proven', () => {
    const freshness = new FreshnessClock();
    freshness.heard(checkpoint(0, 1), 0, moment(0));
    expect(freshness.age(moment(0))).toBeNull();
  });

  test('does not go back when an earlier checkpoint comes again', () => {
    const freshness = asked();
    freshness.heard(checkpoint(0, 50_000), 0, moment(0));
    freshness.heard(checkpoint(0, 54_000), 0, moment(4_000));
    freshness.heard(checkpoint(0, 52_000), 0, moment(4_010));
    expect(freshness.age(moment(4_010))).toBe(11);
    freshness.heard(checkpoint(0, 49_000), 0, moment(4_020));
    expect(freshness.age(moment(4_020))).toBe(21);
  });
});

describe('a recorded conversation', () => {
  const belongs = (freshness: FreshnessClock, given: Checkpoint) => freshness.belongs(given);

  test('cannot open a connection: its greeting answers another challenge', () => {
    const freshness = asked();
    expect(belongs(freshness, checkpoint(0, 1, { challenge: 'c0' }))).toBe(false);
    expect(belongs(freshness, checkpoint(0, 1, { challenge: null }))).toBe(false);
    expect(belongs(freshness, checkpoint(0, 1, { challenge: 'c1' }))).toBe(true);
  });

  test('cannot take one over: its heartbeats are of another server process', () => {
    const freshness = asked();
    freshness.heard(checkpoint(0, 1, { challenge: 'c1' }), 0, moment(0));
    expect(belongs(freshness, checkpoint(0, 99_999, { boot: 'b2' }))).toBe(false);
    expect(belongs(freshness, checkpoint(0, 99_999))).toBe(true);
  });
});

describe('the time by which suspensions end', () => {
  test('is never ahead of the server, and goes on without it', () => {
    const freshness = asked();
    expect(freshness.time(moment(0, 3_600_000))).toBe(WALL + 3_600_000);
    freshness.heard(checkpoint(0, 0, { wall: WALL }), 0, moment(0, 3_600_000));
    expect(freshness.time(moment(10, 3_600_000))).toBe(WALL + 10);
    expect(freshness.time(moment(10, -60_000))).toBe(WALL + 10 - 60_000);
  });
});

describe('reconnecting', () => {
  test.each([
    [0, 0, 0],
    [0, 0.999, 250],
    [1, 0, 100],
    [1, 0.999, 500],
    [4, 0.999, 4_000],
    [10, 0.999, 10_000],
    [1_000, 0.999, 10_000],
  ])('after %i failures with random %d: about %i ms', (failures, random, ms) => {
    expect(Math.abs(reconnectDelay(failures, random) - ms)).toBeLessThanOrEqual(10);
  });
});
