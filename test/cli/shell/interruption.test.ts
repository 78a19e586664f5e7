import { expect, test } from 'vitest';
import { Interrupted, Interruption } from '../../../src/cli/shell/interruption.js';

test('it is told once, to those that watch and to those that come later', () => {
  const interruption = new Interruption();
  const told: string[] = [];
  const early = interruption.signal;
  interruption.watch(({ exitCode }) => told.push(`first ${exitCode}`));
  interruption.watch(() => told.push('gone'))();
  expect([interruption.reason, early.aborted]).toEqual([null, false]);
  interruption.throwIfTold();
  const reason = new Interrupted(130);
  interruption.tell(reason);
  interruption.tell(new Interrupted(143));
  interruption.watch(({ exitCode }) => told.push(`late ${exitCode}`));
  expect(told).toEqual(['first 130', 'late 130']);
  expect(() => interruption.throwIfTold()).toThrow(reason);
  expect([interruption.reason, early.reason, interruption.signal]).toEqual([reason, reason, early]);
});

test('a signal that is asked for afterwards is aborted', () => {
  const interruption = new Interruption();
  interruption.tell(new Interrupted(143));
  expect(interruption.signal).toMatchObject({ aborted: true, reason: { exitCode: 143 } });
});
