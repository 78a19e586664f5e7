/** Files that people name: documents, output, lines that another program writes. */
import type { GrowingFile } from '../adapters/files/streams/growing-file.js';
import { readDocument } from '../adapters/files/document.js';
import { disowned } from '../adapters/files/secret/ownership.js';
import { Failure } from '../app/failure.js';
import type { LocalWorkspace } from './workspace.js';

export { readDocument } from '../adapters/files/document.js';
export {
  createFile,
  expandPattern,
  fileExists,
  FORCE,
  isNamedPipe,
  isTaken,
  orForce,
  placeFile,
  removeFile,
  replaceFile,
} from '../adapters/files/plain-file.js';
export { refuseIrreplaceable, replaceOutput } from '../adapters/files/irreplaceable.js';
export { temporaryFolder } from '../adapters/files/temporary-folder.js';
export { isFolder, jsonFilesIn, makeFolder } from '../adapters/files/folders.js';
export { disowned, isForeign } from '../adapters/files/secret/ownership.js';
export { fileBytes, pause } from '../adapters/files/streams/follow-file.js';

/** A new file of any length, beside `path` until it is whole. */
export async function growingFile(path: string): Promise<GrowingFile> {
  return (await import('../adapters/files/streams/growing-file.js')).growingFile(path);
}

/** The conformance cases that come with this package. */
export async function conformanceFile(): Promise<string> {
  const { packageFile } = await import('../adapters/files/package-file.js');
  return packageFile('fixtures', 'aip-1', 'conformance.json');
}

/** The user's config file; null when there is none. @throws Failure USAGE where another user wrote it or can */
export async function userConfig(
  workspace: LocalWorkspace,
): Promise<{ readonly path: string; readonly text: string } | null> {
  const path = workspace.paths().userConfigFile;
  const bytes = await readDocument(path);
  const problem = bytes === null ? null : disowned(path, workspace.world.owner);
  if (problem !== null) throw new Failure('USAGE', problem.message, { hint: problem.hint });
  return bytes === null ? null : { path, text: Buffer.from(bytes).toString('utf8') };
}
