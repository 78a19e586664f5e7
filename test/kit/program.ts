/** The command line as a process, for tests: compiled from the sources, so that no build is needed. */
import { main } from '../../src/cli/main.js';

void main((href) => import(href));
