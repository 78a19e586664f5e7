import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatSeconds,
  parseDuration,
  parseInstant,
  parseTime,
  provenText,
  spanText,
} from '../../src/protocol/time.js';

describe('a time', () => {
  test('is what Date says of it, in every year that has four digits', () => {
    const whole = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(whole, (date) => {
        expect(parseTime(date.toISOString())).toBe(date.getTime());
      }),
      { numRuns: 2000 },
    );
  });

  test('of every day from 1896 to 2104 is right', () => {
    for (let ms = Date.UTC(1896, 0, 1); ms < Date.UTC(2104, 11, 31); ms += 86_400_000) {
      expect(parseTime(new Date(ms).toISOString())).toBe(ms);
    }
  });

  test.each([
    ['2026-02-18T14:23:45Z', 1771424625000],
    ['2024-02-29T00:00:00Z', 1709164800000],
    ['2000-02-29T23:59:59Z', 951868799000],
    ['1969-12-31T23:59:59.999Z', -1],
    ['2026-02-18T14:23:45.123456789Z', 1771424625123],
    ['2026-02-18T14:23:45.1Z', 1771424625100],
  ])('%s', (text, ms) => {
    expect(parseTime(text)).toBe(ms);
  });

  test.each([
    '2026-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-13-10T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-32T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T23:60:00Z',
    '2026-12-31T23:59:60Z',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00+00:00',
    '2026-01-01T00:00:00z',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00.1234567890Z',
    '+2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    '２０２６-01-01T00:00:00Z',
    '',
  ])('%j is none', (text) => {
    expect(parseTime(text)).toBeNull();
  });
});

describe('a duration', () => {
  test('is a number and a unit, up to a century', () => {
    expect(parseDuration('36525d')).toBe(36_525 * 86_400_000);
    expect(formatSeconds(Date.parse('2099-12-31T23:59:59Z') + parseDuration('36525d')!)).toMatch(/^2200-/);
  });

  // Added to a time it would give none, and a limit that long is a slip.
  test.each(['36526d', '999999999d', '999999999h', '1.5h', '1e3s', '10', 's', '-1s', '1w', ''])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );
});

describe('a span of time', () => {
  test.each([
    [0, '0 ms'],
    [812.4, '812 ms'],
    [1000, '1 s'],
    [59_600, '1 min'],
    [81_000, '1 min 21 s'],
    [3_600_000, '1 h'],
    [10_740_000, '2 h 59 min'],
    [90_061_000, '1 d 1 h'],
  ])('of %d ms is %s', (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });
  test('since a proof, or none', () => {
    expect([provenText(null), provenText(48_000)]).toEqual(['not proven current', 'proven current 48 s ago']);
  });
});

describe('a point in time as people write it', () => {
  const NOW = 1_771_424_625_000;
  test.each([
    ['now', NOW],
    ['1771424625', NOW],
    ['2026-02-18T14:23:45Z', NOW],
    ['2026-02-18', Date.UTC(2026, 1, 18)],
  ])('%s', (text, ms) => {
    expect(parseInstant(text, NOW)).toBe(ms);
  });
  test.each(['2026-02-30', '2026-2-1', '18.02.2026', '2026-02-18T14:23', '2026-02-18T14:23:45', 'yesterday', '', '-1'])(
    'not %j',
    (text) => {
      expect(parseInstant(text, NOW)).toBeNull();
    },
  );
});
