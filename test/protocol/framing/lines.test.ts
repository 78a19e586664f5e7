import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isBlankLine, LineAssembler, linesIn } from '../../../src/protocol/framing/lines.js';

/** The lines of `text`, which arrives in pieces that end at `cuts`. */
function assembled(text: string, cuts: readonly number[], most: number): string[] {
  const bytes = Buffer.from(text);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const assembler = new LineAssembler(most);
  // As a reader that fills one buffer again and again: what was held on to must be a copy.
  const shared = Buffer.alloc(bytes.length);
  const lines: string[] = [];
  let from = 0;
  for (const end of ends) {
    bytes.copy(shared, 0, from, end);
    for (const line of assembler.lines(shared.subarray(0, end - from))) lines.push(Buffer.from(line).toString());
    shared.fill(0x78);
    from = end;
  }
  const last = assembler.end();
  return last === null ? lines : [...lines, Buffer.from(last).toString()];
}

describe('lines', () => {
  test.each([
    ['', []],
    ['one', ['one']],
    ['one\n', ['one']],
    ['one\ntwo', ['one', 'two']],
    ['\n\none\n\n', ['', '', 'one', '']],
    ['one\r\ntwo\r\n', ['one\r', 'two\r']],
  ])('%j', (text, lines) => {
    expect(assembled(text, [], 100)).toEqual(lines);
    for (let cut = 0; cut <= text.length; cut++) expect(assembled(text, [cut], 100), String(cut)).toEqual(lines);
  });

  test('are the same however the bytes arrive', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', ' ') });
    fc.assert(
      fc.property(text, fc.array(fc.nat()), fc.integer({ min: 1, max: 6 }), (whole, cuts, most) => {
        const lines = whole.split('\n');
        if (lines.at(-1) === '') lines.pop();
        expect(assembled(whole, cuts, most)).toEqual(lines.map((line) => line.slice(0, most + 1)));
      }),
    );
  });

  test('one that never ends holds no more than it may', () => {
    const assembler = new LineAssembler(4);
    for (let i = 0; i < 1000; i++) expect([...assembler.lines(Buffer.from('xxx'))]).toEqual([]);
    expect(Buffer.from(assembler.end()!).toString()).toBe('xxxxx');
    expect(assembler.end()).toBeNull();
  });

  test('of a block have no limit unless one is given', () => {
    const block = Buffer.from('a\nbbbb\n');
    expect([...linesIn(block)].map((line) => Buffer.from(line).toString())).toEqual(['a', 'bbbb', '']);
    expect([...linesIn(block, 2)].map((line) => Buffer.from(line).toString())).toEqual(['a', 'bbb', '']);
  });

  test('blank ones hold spaces, tabs and carriage returns alone', () => {
    for (const text of ['', ' ', '\t \r']) expect(isBlankLine(Buffer.from(text)), JSON.stringify(text)).toBe(true);
    for (const text of ['x', ' x', '\0', '\u00a0', '\v', '\ufeff'])
      expect(isBlankLine(Buffer.from(text)), JSON.stringify(text)).toBe(false);
  });
});
