import { availableParallelism } from 'node:os';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { UNIT_FOLDERS } from '../.build/nearest.mjs';
import { partsForVite } from '../.build/parts.mjs';

const UNIT = [...UNIT_FOLDERS.map((folder) => `test/${folder}/**/*.test.ts`), 'test/architecture.test.ts'];
/** Those of them that replace a module. */
const UNIT_ALONE = ['test/app/redteam/approvals.test.ts'];
/** Those of the rest that replace a module, or keep a browser for all their tests. */
const WORLD_ALONE = [
  'test/adapters/keys/file-pem.test.ts',
  'test/{browser/*,cli/conduct/health}.test.ts',
  'test/guard/frameworks/{frameworks,packages}.test.ts',
];

/** The files in `include` share what a worker has loaded, but for those in `alone`. */
function together(
  name: string,
  include: readonly string[],
  exclude: readonly string[],
  alone: readonly string[],
): TestProjectInlineConfiguration[] {
  return [
    { extends: true, test: { name, include: [...include], exclude: [...exclude, ...alone], isolate: false } },
    { extends: true, test: { name: `${name}-alone`, include: [...alone] } },
  ];
}

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
    globalSetup: ['test/run-folder.ts'],
    setupFiles: ['test/property-seed.ts', 'test/key-rounds.ts'],
    projects: [
      ...together('unit', UNIT, [], UNIT_ALONE),
      ...together('world', ['test/**/*.test.ts'], UNIT, WORLD_ALONE),
    ],
    sequence: { sequencer: LongFirst },
    // Many tests wait for a process, a clock or the disk. `VITEST_MAX_WORKERS` says another number.
    maxWorkers: availableParallelism() + 1,
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
