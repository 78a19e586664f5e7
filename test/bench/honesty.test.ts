import { describe, expect, test } from 'vitest';
import { misleading } from './baseline.js';
import { measuredEnvironment } from './environment.mjs';
import { isMet, table, type Result } from './measure.js';

describe('a benchmark', () => {
  test('inherits nothing that changes what is measured', () => {
    const env = {
      PATH: '/bin',
      TMPDIR: '/tmp',
      NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca.pem',
      NODE_OPTIONS: '--require x',
      NODE_COMPILE_CACHE: '/tmp/cache',
      AIP_HOME: '/home/me/.aip',
      XDG_CACHE_HOME: '/home/me/.cache',
      HTTPS_PROXY: 'http://proxy',
      TEMP: undefined,
    };
    expect(measuredEnvironment(env)).toEqual({ PATH: '/bin', TMPDIR: '/tmp' });
  });

  test('reports nothing beside a baseline that is too slow', () => {
    expect(misleading(24)).toBeNull();
    expect(misleading(30)).toBeNull();
    expect(misleading(30.1)).toMatch(/^node -e 0 takes 30\.1 ms here, more than 30: .* Nothing is reported\.$/);
  });

  test('prints what it is measured against in ms', () => {
    const result: Result = {
      what: 'aip --version',
      against: 'node -e 0',
      target: { kind: 'most', value: 6, unit: 'ms more' },
      measured: 5.25,
      ours: [29_000, 30_000],
      base: [24_000, 24_500],
    };
    expect(isMet(result)).toBe(true);
    expect(table([result])).toMatch(/<= \+ 6\.0 ms +\+ 5\.3 ms +met +30\.0 \/ 30\.0 ms +24\.5 \/ 24\.5 ms/);
  });
});
