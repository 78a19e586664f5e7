import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { UNIT_FOLDERS } from '../.build/nearest.mjs';
import { partsForVite } from '../.build/parts.mjs';

const UNIT = [...UNIT_FOLDERS.map((folder) => `test/${folder}/**/*.test.ts`), 'test/architecture.test.ts'];
/** Those of them that replace a module. */
const ALONE = ['test/app/redteam/approvals.test.ts'];

/** Where nothing is known of earlier runs the largest files come first; of these the file says nothing, and the last one would run alone. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => moduleId.includes('/test/mesh/simulation');
    return (await super.sort(files)).sort((a, b) => Number(isLong(b)) - Number(isLong(a)));
  }
}

export default defineConfig({
  plugins: [partsForVite],
  test: {
    setupFiles: ['test/property-seed.ts', 'test/key-rounds.ts'],
    projects: [
      // Pure code leaves nothing behind, so that its tests can share what is loaded.
      { extends: true, test: { name: 'unit', include: UNIT, exclude: ALONE, isolate: false } },
      { extends: true, test: { name: 'unit-alone', include: ALONE } },
      { extends: true, test: { name: 'world', include: ['test/**/*.test.ts'], exclude: UNIT } },
    ],
    sequence: { sequencer: LongFirst },
    // Many tests wait for a process, a clock or the disk. `VITEST_MAX_WORKERS` says another number.
    maxWorkers: availableParallelism() + 1,
    // Tests start real processes and servers; they say by themselves how long a step may take.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Nothing of the machine's own setup reaches a test.
    env: { AIP_HOME: '', AIP_KEY_PASSPHRASE: '', AGENT_PRIVATE_KEY: '', NO_COLOR: '1', CI: '1' },
  },
});
