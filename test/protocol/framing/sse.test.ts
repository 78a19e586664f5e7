import { expect, test } from 'vitest';
import { comment, frame, FrameParser, type Frame } from '../../../src/protocol/framing/sse.js';

const parsed = (text: string, size = text.length): Frame[] => {
  const parser = new FrameParser(1000);
  const bytes = Buffer.from(text);
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += size) frames.push(...parser.push(bytes.subarray(at, at + size)));
  return frames;
};

test.each([1, 2, 3, 1000])('frames are the same however their bytes are cut (%i at a time)', (size) => {
  const text = `${comment('hi')}${frame('event', '7', '{"a":"ü"}')}${frame(null, null, 'two')}\r\ndata:x\r\ndata: y\r\nfoo\r\n\r\nid: a\0b\ndata\n\n\n`;
  expect(parsed(text, size)).toEqual([
    { event: 'event', id: '7', data: '{"a":"ü"}' },
    { event: 'message', id: '7', data: 'two' },
    { event: 'message', id: '7', data: 'x\ny' },
    { event: 'message', id: '7', data: '' },
  ]);
});

test.each([1, 2, 3, 1000])('a line ends with CR alone as well, and is not waited on further (%i at a time)', (size) => {
  expect(parsed('id: 1\rdata: a\r\rdata: b\r\n\rdata: c\r\r', size)).toEqual([
    { event: 'message', id: '1', data: 'a' },
    { event: 'message', id: '1', data: 'b' },
    { event: 'message', id: '1', data: 'c' },
  ]);
});

test('a line, a frame and bytes that are too much or no text are errors', () => {
  expect(() => new FrameParser(10).push(Buffer.from('x'.repeat(11)))).toThrow(RangeError);
  expect(() => new FrameParser(10).push(Buffer.from('data: 123456\ndata: 123456\n'))).toThrow(RangeError);
  expect(() => new FrameParser(10).push(Uint8Array.of(0xff, 0x0a))).toThrow(TypeError);
});

test('the wait before the stream is asked for again is what it said last, where that is a number', () => {
  const parser = new FrameParser(100);
  expect(parser.retryMs).toBe(null);
  parser.push(Buffer.from('retry: 50\nretry: soon\nretry: -1\ndata: \n\n'));
  expect(parser.retryMs).toBe(50);
});
