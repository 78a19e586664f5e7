import { defineConfig, mergeConfig } from 'vitest/config';
import all from './vitest.config.js';

/** What needs no process, socket or file beside itself: the tests of `npm run test:unit`, `test:watch` and `quick`. */
export const UNIT = [
  'test/protocol/**/*.test.ts',
  'test/verify/**/*.test.ts',
  'test/trust/**/*.test.ts',
  'test/app/**/*.test.ts',
];

const unit = mergeConfig(all, defineConfig({}));
unit.test!.include = [...UNIT, 'test/architecture.test.ts'];
export default unit;
