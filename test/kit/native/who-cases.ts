/** Steps 1 to 4: what is no intent, who signed it, and when. */
import { sha256Hex } from '../../../src/protocol/hash.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { Cases, intent, mail, operate, refund, SUPPORT_PASSPORT } from './intent-parts.js';
import { agent, line, nonceOf, NOW_S, SUPPORT } from './parts.js';

const FOREVER = 99_999_999_999;

/** Documents that are no intents: E100, and nothing in them is believed. */
export function malformedCases(cases: Cases): void {
  const text = line(refund('malformed')).trimEnd();
  const bad = (name: string, content: string | JsonObject, details: JsonObject = {}) =>
    cases.add(name, content, 'AIP-E100', 'passport', { details: { agent_id: null, ...details } });
  const badMember = (name: string, changes: object) => bad(name, refund(name, changes));

  bad('empty-file', '');
  bad('only-blanks', ' \n\t\n');
  bad('cut-short', text.slice(0, text.length / 2));
  bad('last-brace-missing', text.slice(0, -1), { reason: 'comma or closing brace expected' });
  bad('half-written-over-itself', text.slice(0, 200) + text.slice(100));
  bad('two-documents', `${text}\n${text}\n`, { reason: 'text after the value' });
  bad('in-a-list', `[${text}]\n`);
  bad('in-a-string', `${JSON.stringify(text)}\n`);
  bad('a-number', '8472\n');
  bad('null-document', 'null\n');
  bad('byte-order-mark', `\ufeff${text}\n`, { reason: 'byte order mark' });
  bad('member-given-twice', text.replace('{', '{"action":"send_email",'), { reason: 'duplicate member' });
  bad('member-given-twice-by-escape', text.replace('{', '{"\\u0061ction":"send_email",'), {
    reason: 'duplicate member',
  });
  bad('nested-deeper-than-32', text.replace('"8472"', `${'['.repeat(40)}${']'.repeat(40)}`));
  bad('number-beyond-doubles', text.replace(':50', ':1e400'));
  // Signed is what a double holds: ...776000. Other digits of the same double could be changed after signing.
  bad('integer-in-digits-that-are-not-signed', text.replace(':50', ':9223372036854775808'));
  bad('number-with-leading-zero', text.replace(':50', ':050'));
  bad('not-a-number', text.replace(':50', ':NaN'));
  bad('single-quotes', text.replaceAll('"', "'"));
  bad('trailing-comma', text.replace('}', ',}'));
  bad('comment', text.replace('{', '{/* approved */'));
  bad('lone-surrogate', text.replace('8472', '\\ud800'));
  bad('control-character-in-text', text.replace('8472', '84\u000072'));
  bad('yaml', 'agent_id: did:web:acme.com:agents:support-agent-v1\naction: issue_refund\n');
  bad('a-passport', { version: 1, agent_id: SUPPORT, actions: ['issue_refund'] });
  bad('empty-object', {}, { reason: 'the intent lacks "agent_id"' });
  badMember('unknown-member', { admin: true });
  badMember('prototype-member', JSON.parse('{"__proto__":{"admin":true}}') as object);
  for (const member of ['agent_id', 'action', 'params', 'timestamp', 'nonce'])
    badMember(`without-${member.replace('_', '-')}`, { [member]: undefined });
  bad('without-signature', { ...refund('without-signature'), signature: undefined } as never);
  badMember('agent-id-upper-case', { agent_id: SUPPORT.toUpperCase() });
  badMember('agent-id-of-a-principal', { agent_id: 'did:web:acme.com' });
  badMember('agent-id-with-a-fragment', { agent_id: `${SUPPORT}#key-1` });
  badMember('agent-id-null', { agent_id: null });
  badMember('action-empty', { action: '' });
  badMember('action-of-129-characters', { action: 'a'.repeat(129) });
  badMember('action-a-list', { action: ['issue_refund'] });
  badMember('params-a-list', { params: [{ amount: 50 }] });
  badMember('params-null', { params: null });
  badMember('timestamp-as-text', { timestamp: String(NOW_S) });
  badMember('timestamp-with-fraction', { timestamp: NOW_S + 0.5 });
  badMember('timestamp-negative', { timestamp: -1 });
  badMember('timestamp-beyond-integers', { timestamp: 2 ** 53 });
  badMember('nonce-a-number', { nonce: 123456 });
  badMember('nonce-null', { nonce: null });
  badMember('target-empty', { target: '' });
  badMember('target-a-number', { target: 1 });
  badMember('key-id-empty', { key_id: '' });
  bad('signature-null', { ...refund('signature-null'), signature: null });
}

/** Steps 1 and 2. */
export function speakerCases(cases: Cases): void {
  const good = refund('refund');
  const file = cases.file('refund', good);
  cases.on('the guide: a refund of $50', file, null, null);
  cases.on('a passport without its optional members', cases.file('by-minimal-passport', minimal()), null, null, {
    passports: ['passport-without-optional-members.json'],
  });
  cases.add('names-its-key', refund('names-its-key', { key_id: `${SUPPORT}#key-1` }), null, null);

  const unknown = { details: { agent_id: SUPPORT } };
  cases.on('no passport at all', file, 'AIP-E102', 'passport', { passports: [], ...unknown });
  cases.on("only another agent's passport", file, 'AIP-E102', 'passport', {
    passports: ['passport-operator.json'],
    ...unknown,
  });
  for (const name of ['edited-limit', 'edited-actions', 'edited-key', 'signed-by-its-agent', 'signed-by-a-stranger']) {
    cases.on(`a passport that is ${name.replaceAll('-', ' ')}`, file, 'AIP-E103', 'passport', {
      passports: [`passport-${name}.json`],
      details: { principal: 'did:web:acme.com', agent_id: SUPPORT },
    });
  }
  for (const name of ['wrong-version', 'unknown-constraint', 'key-of-low-order', 'principal-of-another-domain']) {
    cases.on(`a passport with ${name.replaceAll('-', ' ')}`, file, 'AIP-E103', 'passport', {
      passports: [`passport-${name}.json`],
      details: { principal: null, agent_id: SUPPORT },
    });
  }
  const globex = 'did:web:globex.com:agents:support-agent-v1';
  cases.add('under-unpinned-principal', refund('unpinned', { agent_id: globex }, 'agent'), 'AIP-E103', 'passport', {
    passports: ['passport-unpinned-principal.json'],
    details: { principal: 'did:web:globex.com', agent_id: globex },
  });
  cases.on('an expired passport', file, 'AIP-E104', 'passport', {
    passports: ['passport-expired.json'],
    details: { expires_at: '2026-02-18T14:23:45Z', agent_id: SUPPORT },
  });
  signatureCases(cases, good);
  rotationCases(cases);
}

function signatureCases(cases: Cases, good: JsonObject): void {
  const signature = String(good.signature);
  const forged = (name: string, changes: object, reason = 'mismatch') =>
    cases.add(name, { ...good, ...changes }, 'AIP-E101', 'signature', {
      details: { reason, agent_id: SUPPORT },
    });
  forged('amount-changed', { params: { order_id: '8472', amount: 51 } });
  forged('order-changed', { params: { order_id: '8473', amount: 50 } });
  forged('param-added', { params: { order_id: '8472', amount: 50, note: 'urgent' } });
  forged('param-taken-out', { params: { order_id: '8472' } });
  forged('action-changed', { action: 'send_email' });
  forged('target-added', { target: 'production' });
  forged('key-id-added', { key_id: `${SUPPORT}#key-1` });
  forged('timestamp-renewed', { timestamp: NOW_S + 1 });
  forged('nonce-renewed', { nonce: nonceOf('a fresh one') });
  forged('nonce-in-other-letter-case', { nonce: String(good.nonce).toUpperCase() });
  forged('signature-of-another-intent', { signature: refund('another').signature! });
  forged('signature-all-zero', { signature: '0'.repeat(128) });
  forged('signature-with-s-plus-order', { signature: plusOrder(signature) });
  forged('signature-upper-case', { signature: signature.toUpperCase() }, 'form');
  forged('signature-cut-short', { signature: signature.slice(0, -2) }, 'form');
  forged('signature-too-long', { signature: `${signature}00` }, 'form');
  forged('signature-in-base64', { signature: Buffer.from(signature, 'hex').toString('base64') }, 'form');
  forged('signature-empty', { signature: '' }, 'form');
  cases.add('signed-by-a-stranger', refund('stranger', {}, 'stranger'), 'AIP-E101', 'signature');
  cases.add('signed-by-the-principal', refund('principal', {}, 'principal'), 'AIP-E101', 'signature');
}

/** Key 3 is current; key 2 verifies until 15:00, key 1 did until 14:00. */
function rotationCases(cases: Cases): void {
  const id = agent('rotated');
  const mailBy = (name: string, changes: object, signer: 'agent' | 'agent key 2' | 'agent key 3') =>
    intent(name, { agent_id: id, action: 'send_email', params: { to: 'a@acme.com' }, ...changes }, signer);
  const passports = ['passport-rotated-twice.json'];
  const named = (n: number) => ({ key_id: `${id}#key-${n}` });
  cases.add('by-the-new-key', mailBy('new', {}, 'agent key 3'), null, null, { passports });
  cases.add('by-the-new-key-named', mailBy('new named', named(3), 'agent key 3'), null, null, { passports });
  cases.add('by-the-old-key-in-its-overlap', mailBy('old', {}, 'agent key 2'), null, null, { passports });
  const old = cases.file('by-the-old-key-named', mailBy('old named', { ...named(2), timestamp: NOW_S }, 'agent key 2'));
  cases.on('by the old key named, in its overlap', old, null, null, { passports });
  const late = { passports, max_age_s: 7200 };
  cases.on('by the old key named, a second before its overlap ends', old, null, null, {
    ...late,
    at: '2026-02-18T14:59:59Z',
  });
  cases.on('by the old key named, when its overlap ends', old, 'AIP-E105', 'signature', {
    ...late,
    at: '2026-02-18T15:00:00Z',
    details: { key_id: `${id}#key-2`, valid_until: '2026-02-18T15:00:00.000Z', agent_id: id },
  });
  cases.on(
    'by the old key unnamed, when its overlap ends',
    'intent-by-the-old-key-in-its-overlap.json',
    'AIP-E101',
    'signature',
    { ...late, at: '2026-02-18T15:00:00Z' },
  );
  cases.add('by-a-retired-key', mailBy('retired', {}, 'agent'), 'AIP-E101', 'signature', { passports });
  cases.add('by-a-retired-key-named', mailBy('retired named', named(1), 'agent'), 'AIP-E105', 'signature', {
    passports,
    details: { key_id: `${id}#key-1`, valid_until: '2026-02-18T14:00:00.000Z' },
  });
  cases.add('by-a-key-that-never-was', mailBy('never', named(9), 'agent key 3'), 'AIP-E105', 'signature', {
    passports,
    details: { key_id: `${id}#key-9`, valid_until: null },
  });
  const foreign = { key_id: `${SUPPORT}#key-3` };
  cases.add('by-the-key-id-of-another-agent', mailBy('foreign', foreign, 'agent key 3'), 'AIP-E105', 'signature', {
    passports,
  });
  cases.add('names-the-new-key-signed-by-the-old', mailBy('mixed', named(3), 'agent key 2'), 'AIP-E101', 'signature', {
    passports,
  });
}

/** Steps 3 and 4. */
export function freshnessCases(cases: Cases): void {
  const file = 'intent-refund.json';
  const spent = cases.file('nonce-of-the-refund', mail('reuse', { nonce: nonceOf('refund') }));
  cases.on('the guide: the same intent again', file, 'AIP-E301', 'nonce', {
    before: [file],
    details: { nonce: nonceOf('refund'), first_result: 'accepted', agent_id: SUPPORT },
  });
  cases.on('another intent with a nonce that was spent', spent, 'AIP-E301', 'nonce', { before: [file] });
  const over = cases.file('refund-of-10000', refund('ten thousand', { params: { order_id: 'FAKE', amount: 10000 } }));
  // A refusal that would be the same again spends nothing.
  cases.on('a refused intent again', over, 'AIP-E202', 'constraints', { before: [over, over] });
  const forgedFirst = { before: ['intent-amount-changed.json'] };
  cases.on('after a forgery with its nonce', file, null, null, forgedFirst);
  cases.on('after a malformed copy of it', file, null, null, { before: ['intent-cut-short.json'] });
  const other = operate('other', 'publish', {}, { nonce: nonceOf('refund') });
  cases.on("another agent's nonce", cases.file('nonce-of-another-agent', other), null, null, {
    passports: ['passport-operator.json', SUPPORT_PASSPORT],
    before: [file],
  });

  const long = sha256Hex('long').repeat(2);
  cases.add('nonce-of-128-digits', refund('n', { nonce: long }), null, null);
  cases.add('nonce-upper-case', refund('n', { nonce: nonceOf('upper').toUpperCase() }), null, null);
  for (const [name, nonce] of Object.entries({
    'nonce-empty': '',
    'nonce-of-31-digits': nonceOf('n').slice(1),
    'nonce-of-129-digits': `${long}0`,
    'nonce-not-hex': `${nonceOf('n').slice(1)}g`,
    'nonce-with-blank': ` ${nonceOf('n').slice(1)}`,
    'nonce-of-the-guide-cut-short': '8f7a3c...',
    'nonce-a-uuid': '123e4567-e89b-42d3-a456-426614174000',
  }))
    cases.add(name, refund('n', { nonce }), 'AIP-E304', 'nonce', { details: { reason: 'form', agent_id: SUPPORT } });

  const dated = (name: string, timestamp: number) => refund(name, { timestamp });
  cases.add('exactly-300-s-old', dated('300 s', NOW_S - 300), null, null);
  cases.add('exactly-30-s-ahead', dated('30 s', NOW_S + 30), null, null);
  cases.add('301-s-old', dated('301 s', NOW_S - 301), 'AIP-E302', 'timestamp', {
    details: { timestamp: NOW_S - 301, age_s: 301, max_age_s: 300, agent_id: SUPPORT },
  });
  cases.on('half a second too old', 'intent-exactly-300-s-old.json', 'AIP-E302', 'timestamp', {
    at: '2026-02-18T14:23:45.500Z',
    details: { age_s: 300.5, max_age_s: 300 },
  });
  cases.add('six-minutes-old', mail('six', { timestamp: NOW_S - 400 }), 'AIP-E302', 'timestamp');
  cases.add('of-1970', dated('1970', 0), 'AIP-E302', 'timestamp');
  cases.add('31-s-ahead', dated('31 s', NOW_S + 31), 'AIP-E303', 'timestamp', {
    details: { timestamp: NOW_S + 31, ahead_s: 31, max_ahead_s: 30, agent_id: SUPPORT },
  });
  cases.add('of-the-year-5138', dated('far', FOREVER), 'AIP-E303', 'timestamp');
  cases.on('an intent from ahead, again when its time has come', 'intent-31-s-ahead.json', 'AIP-E301', 'nonce', {
    before: ['intent-31-s-ahead.json'],
    at: '2026-02-18T14:24:16Z',
    details: { first_result: 'AIP-E303' },
  });
  cases.add('in-milliseconds', dated('ms', NOW_S * 1000), 'AIP-E303', 'timestamp');
  cases.add('of-the-largest-integer', dated('largest', Number.MAX_SAFE_INTEGER), 'AIP-E303', 'timestamp');
  cases.on('a longer freshness window', 'intent-301-s-old.json', null, null, { max_age_s: 301 });
  cases.on('a shorter freshness window', 'intent-exactly-300-s-old.json', 'AIP-E302', 'timestamp', { max_age_s: 299 });
  cases.on('judged as of a minute later', file, null, null, { at: '2026-02-18T14:24:45Z' });
  cases.on('judged as of a day later', file, 'AIP-E302', 'timestamp', { at: '2026-02-19T14:23:45Z' });
  cases.on('judged as of a day earlier', file, 'AIP-E303', 'timestamp', { at: '2026-02-17T14:23:45Z' });
}

function minimal(): JsonObject {
  return intent('minimal', { agent_id: agent('minimal'), action: 'send_email', params: { to: 'a@b.com' } });
}

/** The same signature with the order of the group added to S: plain arithmetic would accept it. */
function plusOrder(signature: string): string {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const little = (hex: string) => Buffer.from(hex, 'hex').reverse().toString('hex');
  const s = BigInt(`0x${little(signature.slice(64))}`) + order;
  return signature.slice(0, 64) + little(s.toString(16).padStart(64, '0'));
}
