import { expect, test } from 'vitest';
import { UnderWay } from '../../../src/library/calls/under-way.js';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('calls that begin meanwhile are not waited for, or closing would end with the traffic', async () => {
  const calls = new UnderWay();
  let traffic = true;
  const stream = async (): Promise<void> => {
    for (; traffic; await Promise.resolve()) await calls.during(turn);
  };
  const streams = [stream(), turn().then(stream)];
  let over = false;
  const first = calls.during(async () => {
    await turn();
    over = true;
  });
  await calls.idle();
  expect([over, traffic]).toEqual([true, true]);
  traffic = false;
  await Promise.all([...streams, first]);
});

test('a part beside a call is not waited for, and the call again once that is over', async () => {
  const calls = new UnderWay();
  let answer = (): void => undefined;
  let ended = false;
  const call = calls.during(async (besides) => {
    await besides(() => new Promise<void>((resolve) => (answer = resolve)));
    await turn();
    ended = true;
  });
  await calls.idle();
  expect(ended).toBe(false);
  answer();
  await turn();
  await calls.idle();
  await call;
  expect(ended).toBe(true);
});
