#!/usr/bin/env node
const missing = (error) => error.code === 'ERR_MODULE_NOT_FOUND' && /dist.cli.main\.js/.test(error.message);
import('../dist/cli/main.js').then(
  (aip) => aip.main(),
  (error) => {
    console.error(missing(error) ? 'error: aip is not built yet; run `npm run build` in its folder' : error);
    process.exit(1);
  },
);
