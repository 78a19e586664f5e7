import { defineConfig, mergeConfig } from 'vitest/config';
import all from '../vitest.config.js';

/** A folder that `--dir` names: patterns of the other configurations begin at the root, and would find nothing below it. */
const below = mergeConfig(all, defineConfig({}));
below.test!.include = ['**/*.test.ts'];
delete below.test!.projects;
export default below;
