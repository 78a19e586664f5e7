import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { partsForVite } from '../.build/parts.mjs';
import { ALONE } from './alone.js';

/** Where nothing is known of earlier runs the largest files come first. What takes long by itself says nothing of that: at the end it would run alone. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification): number =>
      project.name === 'alone' ? 0 : moduleId.includes('/test/mesh/simulation') ? 1 : 2;
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  plugins: [partsForVite],
  test: {
    globalSetup: ['test/run-folder.ts'],
    setupFiles: ['test/property-seed.ts', 'test/key-rounds.ts'],
    projects: [
      // These share what a worker has loaded; nothing stays behind after a test.
      { extends: true, test: { name: 'together', include: ['test/**/*.test.ts'], exclude: ALONE, isolate: false } },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
    sequence: { sequencer: LongFirst },
    // Many tests wait for a process, a clock or the disk. `VITEST_MAX_WORKERS` says another number.
    maxWorkers: availableParallelism() + 2,
    // Tests start real processes and servers; they say by themselves how long a step may take.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The next file of the same worker finds things as this one did.
    restoreMocks: true,
    unstubEnvs: true,
    // Nothing of the machine's own setup reaches a test.
    env: { AIP_HOME: '', AIP_KEY_PASSPHRASE: '', AGENT_PRIVATE_KEY: '', NO_COLOR: '1', CI: '1' },
  },
});
