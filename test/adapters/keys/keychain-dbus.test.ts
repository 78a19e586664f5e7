import fc from 'fast-check';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { socketPaths } from '../../../src/adapters/keys/keychain/dbus-client.js';
import {
  decodeMessage,
  encodeCall,
  MAX_MESSAGE_BYTES,
  Reader,
  Writer,
} from '../../../src/adapters/keys/keychain/dbus-wire.js';
import { ringState, sessionBus } from '../../../src/adapters/keys/keychain/secret-service.js';
import { FakeBus } from '../../kit/keyring/ring.js';

interface Call {
  readonly serial: number;
  readonly member: string;
}

/** The bytes of a reply; `error` names an error. Big-endian where asked for, as a service on such a machine would send it. */
function reply(serial: number, signature: string, body: Buffer, error: string | null = null): Buffer {
  const header = new Writer()
    .byte(0x6c, error === null ? 2 : 3, 1, 1)
    .u32(body.length)
    .u32(99)
    .array(8, (fields) => {
      fields.align(8).byte(5).signature('u').u32(serial);
      if (error !== null) fields.align(8).byte(4).signature('s').string(error);
      if (signature !== '') fields.align(8).byte(8).signature('g').signature(signature);
    });
  return Buffer.concat([header.align(8).done(), body]);
}

/** The member and the serial of a call: enough to answer it. */
function callIn(bytes: Buffer): { call: Call; size: number } | null {
  const message = decodeMessage(bytes);
  if (message === null) return null;
  const member = ['Hello', 'SearchItems', 'ReadAlias', 'Get'].find((name) => bytes.includes(`\0${name}\0`)) ?? '?';
  return { call: { serial: bytes.readUInt32LE(8), member }, size: message.size };
}

/** A bus that accepts the login and answers each call with what `answer` gives; null keeps silent. */
function speaking(answer: (call: Call) => Buffer | null, greeting = 'OK 1234deadbeef\r\n'): (socket: Socket) => void {
  return (socket) => {
    let received = Buffer.alloc(0);
    let begun = false;
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (!begun) {
        const begin = received.indexOf('BEGIN\r\n');
        if (begin < 0) {
          socket.write(greeting);
          return;
        }
        begun = true;
        received = received.subarray(begin + 7);
      }
      for (let next = callIn(received); next !== null; next = callIn(received)) {
        received = received.subarray(next.size);
        const bytes = answer(next.call);
        if (bytes !== null) socket.write(bytes);
      }
    });
  };
}

const paths = (...items: string[]): Writer =>
  new Writer().array(4, (array) => {
    for (const item of items) array.string(item);
  });
const two = (first: Writer, second: Writer): Buffer => {
  const bytes = first.align(4).done();
  return Buffer.concat([bytes, second.done()]);
};
const variant = (locked: number): Buffer => new Writer().signature('b').u32(locked).done();

/** A service in good order, except for what `other` answers. */
function service(other: (call: Call) => Buffer | null | undefined): (socket: Socket) => void {
  return speaking((call) => {
    const special = other(call);
    if (special !== undefined) return special;
    switch (call.member) {
      case 'Hello':
        return reply(call.serial, 's', new Writer().string(':1.1').done());
      case 'SearchItems':
        return reply(call.serial, 'aoao', two(paths('/a'), paths()));
      case 'ReadAlias':
        return reply(call.serial, 'o', new Writer().string('/ring').done());
      default:
        return reply(call.serial, 'v', variant(0));
    }
  });
}

let bus: FakeBus | null = null;
afterEach(() => bus?.close());

async function stateOf(serve: (socket: Socket) => void, timeoutMs = 2000): Promise<string> {
  bus = new FakeBus(serve);
  return ringState(await bus.listen(), 'aip', 'account', timeoutMs);
}

const posix = process.platform !== 'win32';
if (!posix) console.log('skipped: the tests against a bus on a unix socket');

describe.skipIf(!posix)('the condition of the ring', () => {
  test('is asked of the first of several addresses that can be reached', async () => {
    bus = new FakeBus(service(() => undefined));
    const address = await bus.listen();
    const state = (all: string) => ringState(all, 'aip', 'account', 2000);
    expect(await state(`unix:path=/nonexistent/bus;${address}`)).toBe('open');
    expect(await state(`tcp:host=127.0.0.1,port=1;${address};unix:path=/nonexistent/bus`)).toBe('open');
    expect(await state('unix:path=/nonexistent/a;unix:path=/nonexistent/b')).toBe('unreachable');
  });

  test('is open when the default ring is', async () => {
    expect(await stateOf(service(() => undefined))).toBe('open');
  });

  test.each([
    ['locked', 'the default ring is', (c: Call) => (c.member === 'Get' ? reply(c.serial, 'v', variant(1)) : undefined)],
    [
      'locked',
      'the item is in another ring that is',
      (c: Call) => (c.member === 'SearchItems' ? reply(c.serial, 'aoao', two(paths(), paths('/x'))) : undefined),
    ],
    [
      'empty',
      'there is no default ring',
      (c: Call) => (c.member === 'ReadAlias' ? reply(c.serial, 'o', new Writer().string('/').done()) : undefined),
    ],
    [
      'unknown',
      'the answer is of another type',
      (c: Call) => (c.member === 'Get' ? reply(c.serial, 'v', new Writer().signature('u').u32(0).done()) : undefined),
    ],
    [
      'unknown',
      'the answer ends early',
      (c: Call) => (c.member === 'Get' ? reply(c.serial, '', Buffer.alloc(0)) : undefined),
    ],
    [
      'unknown',
      'an array claims more than there is',
      (c: Call) =>
        c.member === 'SearchItems' ? reply(c.serial, 'aoao', new Writer().u32(0xfffffff0).done()) : undefined,
    ],
    ['silent', 'the service keeps silent', (c: Call) => (c.member === 'Hello' ? undefined : null)],
    [
      'silent',
      'somebody else is answered',
      (c: Call) => (c.member === 'Get' ? reply(c.serial + 1, 'v', variant(0)) : undefined),
    ],
    ['silent', 'the bus talks rubbish', (c: Call) => (c.member === 'Get' ? Buffer.alloc(64, 'x') : undefined)],
    ['silent', 'a message announces more than is read', (c: Call) => (c.member === 'Get' ? oversized() : undefined)],
  ] as const)('is %s when %s', async (state, _, other) => {
    expect(await stateOf(service(other), 400)).toBe(state);
  });

  test.each([
    ['ServiceUnknown', 'absent'],
    ['NameHasNoOwner', 'absent'],
    ['Spawn.ExecFailed', 'absent'],
    ['NoReply', 'silent'],
    ['TimedOut', 'silent'],
    ['AccessDenied', 'unknown'],
    ['UnknownMethod', 'unknown'],
  ])('after the error %s is %s', async (error, state) => {
    const name = `org.freedesktop.DBus.Error.${error}`;
    expect(
      await stateOf(
        service((c) => (c.member === 'SearchItems' ? reply(c.serial, '', Buffer.alloc(0), name) : undefined)),
      ),
    ).toBe(state);
  });

  test.each([
    ['refuses the login', 'REJECTED EXTERNAL\r\n', 'unreachable'],
    ['greets with rubbish', 'HTTP/1.1 400 Bad Request\r\n', 'unreachable'],
    ['greets without end', 'x'.repeat(100), 'silent'],
  ])('is not known when the bus %s', async (_, greeting, state) => {
    expect(
      await stateOf(
        speaking(() => null, greeting),
        400,
      ),
    ).toBe(state);
  });

  test('is not known when the bus hangs up, or floods', async () => {
    expect(await stateOf((socket) => socket.destroy())).toBe('unreachable');
    await bus?.close();
    expect(await stateOf((socket) => void socket.write(Buffer.alloc(2 * MAX_MESSAGE_BYTES, 'x')))).toBe('silent');
  });

  test('behind an address of another kind cannot be asked for', async () => {
    expect(await ringState('tcp:host=127.0.0.1,port=1', 'aip', 'account', 100)).toBe('unknown');
  });
});

function oversized(): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.set([0x6c, 2, 1, 1]);
  bytes.writeUInt32LE(0xfffffff0, 4);
  return bytes;
}

describe('the session bus', () => {
  test.each([
    ['unix:path=/run/user/1000/bus', '/run/user/1000/bus'],
    ['unix:guid=ab,path=/run/bus', '/run/bus'],
    ['unix:abstract=/tmp/dbus-x,guid=ab', '\0/tmp/dbus-x'],
    ['unix:path=/a%20b', '/a b'],
    ['tcp:host=localhost,port=1;unix:path=/second', '/second'],
    ['tcp:host=localhost,port=1', null],
    ['autolaunch:', null],
    ['unix:runtime=yes', null],
    ['disabled:', null],
    ['rubbish', null],
    ['', null],
  ])('at %j is the socket %j', (address, path) => expect(socketPaths(address)[0] ?? null).toBe(path));

  test('is only taken from where libsecret looks for it', () => {
    expect(sessionBus({ DBUS_SESSION_BUS_ADDRESS: 'unix:path=/x', XDG_RUNTIME_DIR: '/y' })).toBe('unix:path=/x');
    expect(sessionBus({ DBUS_SESSION_BUS_ADDRESS: '', XDG_RUNTIME_DIR: '/nonexistent' })).toBe(null);
    expect(sessionBus({ DISPLAY: ':0' })).toBe(null);
    for (const address of ['disabled:', 'autolaunch:', 'disabled:;', 'autolaunch:scope=x'])
      expect(sessionBus({ DBUS_SESSION_BUS_ADDRESS: address, XDG_RUNTIME_DIR: '/y' })).toBe(null);
    expect(sessionBus({ DBUS_SESSION_BUS_ADDRESS: 'disabled:;unix:path=/x;unix:path=/y' })).toBe(
      'unix:path=/x;unix:path=/y',
    );
  });
});

describe('the wire format', () => {
  const call = { destination: 'd.e', path: '/p', interface: 'i.f', member: 'M' };

  test('a call reads back, after padding of any length', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.integer({ min: 1, max: 0xffffffff }), (member, text, serial) => {
        const bytes = encodeCall(serial, { ...call, member, signature: 's', body: new Writer().string(text).done() });
        const message = decodeMessage(bytes)!;
        expect([message.type, message.signature, message.size]).toEqual([1, 's', bytes.length]);
        expect(message.body.string()).toBe(Buffer.from(text).toString());
        expect(bytes.readUInt32LE(8)).toBe(serial);
      }),
    );
  });

  test('a message that is not all there is waited for', () => {
    const bytes = encodeCall(1, { ...call, signature: '', body: Buffer.alloc(0) });
    for (let length = 0; length < bytes.length; length++) expect(decodeMessage(bytes.subarray(0, length))).toBe(null);
    expect(decodeMessage(Buffer.concat([bytes, Buffer.from('next')]))?.size).toBe(bytes.length);
  });

  test('a big-endian reply is read', () => {
    const bytes = Buffer.from('4202010100000004000000010000000f0501750000000007080167000176000000000001', 'hex');
    expect(decodeMessage(bytes)).toMatchObject({ type: 2, replyTo: 7, signature: 'v' });
    expect(decodeMessage(bytes)?.body.u32()).toBe(1);
  });

  test('any bytes are a message, not yet one, or a RangeError', () => {
    const outcome = (bytes: Uint8Array): string => {
      try {
        return decodeMessage(Buffer.from(bytes)) === null ? 'wait' : 'message';
      } catch (cause) {
        return cause instanceof RangeError ? 'RangeError' : String(cause);
      }
    };
    const good = reply(1, 's', new Writer().string('x').done(), 'e.r');
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(good);
        changed[at] = byte;
        expect(['wait', 'message', 'RangeError']).toContain(outcome(changed));
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(['wait', 'message', 'RangeError']).toContain(outcome(bytes));
      }),
    );
  });

  test('nothing is read past the end', () => {
    for (const hex of ['', '05000000', '0500000061620000']) {
      expect(() => new Reader(Buffer.from(hex, 'hex'), true).string()).toThrow(RangeError);
    }
    expect(() => new Reader(Buffer.from('0561', 'hex'), true).signature()).toThrow(RangeError);
  });
});
