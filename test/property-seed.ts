import fc from 'fast-check';

// The same documents in every run, so that a change is what turns a test red. AIP_TEST_SEED=random looks elsewhere;
// a failure prints its seed, and AIP_TEST_SEED=<number> repeats it.
const asked = process.env['AIP_TEST_SEED'];
if (asked !== 'random') fc.configureGlobal({ seed: asked === undefined ? 20_26 : Number(asked) });
