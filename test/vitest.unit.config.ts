import { defineConfig, mergeConfig } from 'vitest/config';
import { UNIT_FOLDERS } from '../.build/nearest.mjs';
import all from './vitest.config.js';

const unit = mergeConfig(all, defineConfig({}));
unit.test!.include = [...UNIT_FOLDERS.map((folder) => `test/${folder}/**/*.test.ts`), 'test/architecture.test.ts'];
export default unit;
