/** Where things live, for what loads nothing else. */
export { pathsOf } from '../../adapters/files/paths.js';
