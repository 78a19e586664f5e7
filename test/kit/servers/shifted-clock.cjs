/** Preloaded by Node in tests: its clock is ahead by the ms that the file named in AIP_TEST_CLOCK holds. */
const { readFileSync } = require('node:fs');

const real = Date.now;
Date.now = () => real() + Number(readFileSync(process.env.AIP_TEST_CLOCK, 'utf8'));
