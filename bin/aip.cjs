#!/usr/bin/env -S node --
if (!require('node:fs').existsSync(`${__dirname}/../dist/start.cjs`)) {
  console.error('error: aip is not built yet; run `npm run build` in its folder');
  process.exit(1);
}
require('../dist/start.cjs');
