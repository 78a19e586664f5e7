/** As in package.json; a test keeps them equal. Written here so that `--version` reads no file. */
export const VERSION = '0.1.0';
