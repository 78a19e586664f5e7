/** One table of what the world can do to a file or a connection; every adapter speaks from it. */
import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { fileFailure, fromSystem, meaningOf } from '../../src/app/system-failures.js';
import { StoreTrouble } from '../../src/mesh/log/store.js';

const errno = (code: string, more: object = {}) =>
  Object.assign(new Error(`${code}: as the system says it`), { code, syscall: 'open', ...more });

/** What only a fault of this program, or a kind of call that it does not make, can cause. */
const OURS =
  /^(?:E(?:2BIG|BADF|FAULT|SRCH|INTR|CHILD|DOM|RANGE|NOTTY|SPIPE|DEADLK|IDRM|NOMSG|BADMSG|MULTIHOP|NOLINK|NOSTR|NODATA|NOSR|TIME|ALREADY|INPROGRESS|WOULDBLOCK|ISCONN|NOTCONN|DESTADDRREQ|MSGSIZE|PROTOTYPE|NOPROTOOPT|PROTONOSUPPORT|NETRESET|NOTSOCK|CANCELED))$/;

test.each(Object.keys(constants.errno))('%s has a meaning, or the world cannot cause it here', (code) => {
  if (OURS.test(code)) return;
  expect(meaningOf(code)).toMatchObject({ meaning: expect.stringMatching(/^[a-z].*[^.]$/) });
  const failure = fileFailure('/a b/c', 'written', errno(code));
  expect(failure.message).toMatch(new RegExp(`^/a b/c cannot be written: .+ \\(${code}\\)\\.$`));
  expect(failure.hint).toBeTruthy();
  expect(failure.hint).not.toContain('/a b/c ');
  expect(failure.exitCode).toBeGreaterThan(1);
});

test.each([
  ['ENOSPC', 'STATE', 'df -h; df -i', true],
  ['EFBIG', 'STATE', 'ulimit -f unlimited', false],
  ['EMFILE', 'STATE', 'ulimit -n 1024', true],
  ['EROFS', 'UNREADABLE', "findmnt -T '/a b/c'", false],
  ['EACCES', 'UNREADABLE', "ls -ld '/a b/c'", false],
] as const)('%s is %s, with a command to paste', (code, kind, hint, retryable) => {
  expect(fileFailure('/a b/c', 'read', errno(code))).toMatchObject({ code: kind, hint, retryable });
  expect(fileFailure('/a b/c', 'read', errno(code), { kind: 'KEYSTORE_DENIED' })).toMatchObject({
    code: 'KEYSTORE_DENIED',
    hint,
  });
});

test('what the table does not know keeps its code, and what is no system error is none', () => {
  expect(fileFailure('/x', 'used', errno('EWEIRD')).message).toBe('/x cannot be used: EWEIRD.');
  expect(fileFailure('/x', 'used', new Error('odd')).message).toBe('/x cannot be used: unknown error.');
  expect(fromSystem(new Error('odd'))).toBeNull();
  expect(fromSystem(errno('EBADF'))).toBeNull();
});

test('a copy that has no room names where it was to go; one that cannot be read, where it comes from', () => {
  const ends = { syscall: 'copyfile', path: '/a/from', dest: '/b/to' };
  expect(fromSystem(errno('ENOSPC', ends))?.message).toBe('copyfile /b/to: the disk is full');
  expect(fromSystem(errno('EACCES', ends))?.message).toBe('copyfile /a/from: permission denied');
});

test('the silence of a mesh’s store is the world’s, and says what may have been kept', () => {
  const cause = Object.assign(new Error('ended'), { hint: 'look at it' });
  expect(fromSystem(new StoreTrouble('unavailable', 'db:5432: it is being stopped', cause))).toMatchObject({
    ...{ code: 'NETWORK', exitCode: 5, hint: 'look at it', retryable: true },
    message: 'The store of the mesh gives no answer: db:5432: it is being stopped.',
  });
  expect(fromSystem(new StoreTrouble('in-doubt', 'No answer.'))).toMatchObject({
    message: 'The store of the mesh gives no answer: No answer. It may have kept what was asked.',
    hint: 'aip help growing',
  });
});
