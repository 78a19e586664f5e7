import { describe, expect, test } from 'vitest';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { verifyKeyOf } from '../../../src/protocol/ed25519/verify.js';
import { ShapeError } from '../../../src/protocol/json/shape.js';
import {
  checkpointText,
  cosignature,
  cosignedMessage,
  noteKeyText,
  noteMessage,
  noteSignature,
  noteSignatureHolds,
  readCheckpointText,
  readNote,
  readNoteKey,
  readWitnessKey,
  writeNote,
  type Note,
} from '../../../src/protocol/transparency/note.js';
import { leafHash } from '../../../src/protocol/transparency/tree.js';

const SEED = new Uint8Array(32).fill(7);
const WITNESS = new Uint8Array(32).fill(9);
const ORIGIN = 'aip.log/0f1e2d3c';
const HEAD = { origin: ORIGIN, size: 3, root: leafHash('x') };
const TEXT = checkpointText(HEAD);
const key = (seed: Uint8Array) => verifyKeyOf(publicKeyOf(seed))!;

const NOTE: Note = {
  text: TEXT,
  signatures: [
    noteSignature(ORIGIN, publicKeyOf(SEED), signMessage(SEED, noteMessage(TEXT))),
    cosignature('w.example', publicKeyOf(WITNESS), 1771424625, signMessage(WITNESS, cosignedMessage(TEXT, 1771424625))),
  ],
};
const LOG = { name: ORIGIN, algorithm: 'ed25519', key: key(SEED) } as const;
const SEEN = { name: 'w.example', algorithm: 'cosignature-v1', key: key(WITNESS) } as const;

/** The key and the note that the public Go package documents, so that the two read each other's. */
const GO_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_NOTE =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n\n" +
  '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

describe('a signed note', () => {
  test('is read back as it was written, and both signatures hold', () => {
    const read = readNote(writeNote(NOTE));
    expect(writeNote(read)).toBe(writeNote(NOTE));
    expect(noteSignatureHolds(read, LOG)).toEqual({ time: null });
    expect(noteSignatureHolds(read, SEEN)).toEqual({ time: 1771424625 });
    expect(readCheckpointText(read.text)).toEqual({ ...HEAD, root: Buffer.from(HEAD.root) });
  });
  test('of another implementation holds', () => {
    expect(noteSignatureHolds(readNote(GO_NOTE), readNoteKey(GO_KEY))).toEqual({ time: null });
    expect(noteKeyText('PeterNeumann', 'ed25519', readNoteKey(GO_KEY).key.publicKey)).toBe(GO_KEY);
  });
  test('with one byte changed holds for neither key', () => {
    const text = writeNote(NOTE);
    for (let i = 0; i < text.length; i++) {
      const changed = text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1);
      let both: unknown[];
      try {
        const read = readNote(changed);
        both = [noteSignatureHolds(read, LOG), noteSignatureHolds(read, SEEN)];
      } catch {
        continue;
      }
      expect(both.filter((word) => word !== null).length, `byte ${i}`).toBeLessThan(2);
      if (i < TEXT.length) expect(both, `byte ${i}`).toEqual([null, null]);
    }
  });
  test.each([
    ['under another name', { ...LOG, name: 'aip.log/other' }],
    ['by another key', { ...LOG, key: key(WITNESS) }],
    ['as a cosignature', { ...LOG, algorithm: 'cosignature-v1' as const }],
    ['of a witness, as a plain signature', { ...SEEN, algorithm: 'ed25519' as const }],
  ])('is not believed %s', (_, other) => {
    expect(noteSignatureHolds(NOTE, other)).toBeNull();
  });
  test('with the time of a cosignature changed is not believed', () => {
    const [own, seen] = NOTE.signatures;
    const later = Uint8Array.from(seen!.signature);
    later[7]! ^= 1;
    expect(noteSignatureHolds({ text: TEXT, signatures: [own!, { ...seen!, signature: later }] }, SEEN)).toBeNull();
  });
  test.each([0, 4, 64, 71, 73])('with a cosignature of %i bytes is passed over', (length) => {
    const [own, seen] = NOTE.signatures;
    const signature = new Uint8Array(length);
    signature.set(seen!.signature.subarray(0, length));
    const note = { text: TEXT, signatures: [own!, { ...seen!, signature }] };
    expect([noteSignatureHolds(note, SEEN), noteSignatureHolds(note, LOG)]).toEqual([null, { time: null }]);
  });
  test.each([
    ['no empty line', 'text\n\u2014 a AAAAAAA=\n'],
    ['no line feed at the end', 'text\n\n\u2014 a AAAAAAA='],
    ['a control character', 'te\u0001xt\n\n\u2014 a AAAAAAA=\n'],
    ['a signature line without the dash', 'text\n\n- a AAAAAAA=\n'],
    ['base64 in a second spelling', 'text\n\n\u2014 a AAAAAAB=\n'],
    ['a signature without key hash', 'text\n\n\u2014 a AAAA\n'],
    ['too many signatures', `text\n\n${'\u2014 a AAAAAAA=\n'.repeat(65)}`],
    ['too many bytes', `${'x'.repeat(70_000)}\n\n\u2014 a AAAAAAA=\n`],
  ])('with %s is not read', (_, text) => {
    expect(() => readNote(text)).toThrow(ShapeError);
  });
});

describe('a note key', () => {
  test.each([
    ['of another hash', GO_KEY.replace('c74f20a3', 'c74f20a4')],
    ['of another name', GO_KEY.replace('Peter', 'Petra')],
    ['of another algorithm', GO_KEY.replace('+ARp', '+CRp')],
    ['of a small order', noteKeyText('x', 'ed25519', new Uint8Array(32))],
    ['cut short', GO_KEY.slice(0, -4)],
    ['with a byte more', `${GO_KEY}AA==`],
    ['of base64 in a second spelling', `x+c74f20a3+${Buffer.alloc(32, 1).toString('base64').replace('=', '')}`],
    ['under a name with a control character', noteKeyText('x\u0001y', 'ed25519', publicKeyOf(SEED))],
    ['without a name', GO_KEY.replace('PeterNeumann', '')],
    ['without a hash', GO_KEY.replace('+c74f20a3', '')],
    ['in capitals', GO_KEY.replace('c74f20a3', 'C74F20A3')],
    ['of nothing', ''],
  ])('%s is refused', (_, text) => {
    expect(() => readNoteKey(text)).toThrow(ShapeError);
  });
  test('is read back', () => {
    const text = noteKeyText('w.example', 'cosignature-v1', publicKeyOf(WITNESS));
    expect(readNoteKey(text)).toMatchObject({ name: 'w.example', algorithm: 'cosignature-v1' });
    expect(readWitnessKey(text)).toEqual(readNoteKey(text));
  });
});

test('the key that a log signs with is none of a witness', () => {
  expect(() => readWitnessKey(GO_KEY)).toThrow(/PeterNeumann/);
});

describe('the text of a checkpoint', () => {
  test.each([
    ['an empty origin', `\n3\n${Buffer.from(HEAD.root).toString('base64')}\n`],
    ['a size with a leading zero', TEXT.replace('\n3\n', '\n03\n')],
    ['a negative size', TEXT.replace('\n3\n', '\n-3\n')],
    ['a size past all bounds', TEXT.replace('\n3\n', '\n999999999999999\n')],
    ['a short root', `${ORIGIN}\n3\nAAAA\n`],
    ['no root', `${ORIGIN}\n3\n`],
  ])('with %s is not read', (_, text) => {
    expect(() => readCheckpointText(text)).toThrow(ShapeError);
  });
});
