/** The mesh's key where it lives elsewhere: commands first, the API keys in turns, and no question for those who have gone. */
import { expect, test } from 'vitest';
import { askedSigner } from '../../../../src/adapters/mesh/server/asked-key.js';
import { COMMAND_USE } from '../../../../src/mesh/log/signing.js';

/** A key that answers when the test says so, and what it was asked, in order. */
function slowKey() {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const key = {
    publicKey: new Uint8Array(32),
    sign: async (message: Uint8Array) => {
      asked.push(Buffer.from(message).toString());
      await new Promise<void>((resolve) => answers.push(resolve));
      return new Uint8Array(64);
    },
  };
  const troubles: string[] = [];
  const sign = askedSigner(
    key,
    async () => key,
    (message) => troubles.push(message),
  );
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const outcomes: string[] = [];
  return {
    asked,
    troubles,
    outcomes,
    settle,
    /** Asks, without waiting for it. */
    async ask(text: string, use: Parameters<typeof sign>[1]) {
      void Promise.resolve(sign(text, use)).then(
        () => outcomes.push(text),
        (error: Error) => outcomes.push(`${text}: ${error.message}`),
      );
      await settle();
    },
    /** Answers the oldest question that is under way. */
    async answer() {
      answers.shift()!();
      await settle();
    },
  };
}

test('a command finds a place however many ask for proofs, and those that wait come after it', async () => {
  const key = slowKey();
  for (let i = 0; i < 100; i++) await key.ask(`proof ${i}`, { keyId: 'flood' });
  expect(key.asked).toEqual(['proof 0', 'proof 1', 'proof 2', 'proof 3', 'proof 4', 'proof 5']);
  for (let i = 0; i < 3; i++) await key.ask(`command ${i}`, COMMAND_USE);
  expect(key.asked.slice(6)).toEqual(['command 0', 'command 1']);
  await key.answer();
  expect(key.asked.slice(8)).toEqual(['command 2']);
});

test('who has gone is not asked for, and its question is no trouble of the key', async () => {
  const key = slowKey();
  let isOver = false;
  for (let i = 0; i < 20; i++) await key.ask(`gone ${i}`, { keyId: 'flood', isOver: () => isOver });
  isOver = true;
  await key.ask('there', { keyId: 'flood', isOver: () => false });
  await key.answer();
  expect(key.asked.slice(6)).toEqual(['there']);
  expect(key.outcomes.filter((text) => text.includes('nobody waits'))).toHaveLength(14);
  expect(key.troubles).toEqual([]);
});

test('API keys take turns, and one of them fills its own line only', async () => {
  const key = slowKey();
  for (let i = 0; i < 300; i++) await key.ask(`a ${i}`, { keyId: 'a' });
  expect(key.outcomes).toHaveLength(300 - 6 - 256);
  expect(key.outcomes[0]).toBe('a 262: too many questions wait for the key of the mesh');
  await key.ask('b 0', { keyId: 'b' });
  await key.ask('b 1', { keyId: 'b' });
  for (let i = 0; i < 4; i++) await key.answer();
  expect(key.asked.slice(6)).toEqual(['a 6', 'b 0', 'a 7', 'b 1']);
});

test('a line that is full of those who have gone takes new ones', async () => {
  const key = slowKey();
  let isOver = false;
  for (let i = 0; i < 262; i++) await key.ask(`a ${i}`, { keyId: 'a', isOver: () => isOver });
  isOver = true;
  await key.ask('new', { keyId: 'a' });
  await key.answer();
  expect(key.asked.slice(6)).toEqual(['new']);
});
