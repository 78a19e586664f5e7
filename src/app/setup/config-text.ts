/** Config in JSON is read as strictly as a document: of a member given twice a lenient parser keeps one, and not the one that was meant. */
import { Failure } from '../failure.js';
import { JsonError, parseJsonText } from '../../protocol/json/parse.js';
import { MAX_DOCUMENT_BYTES } from '../../protocol/limits.js';

/** The value in a config file's text; a failure names the line, and quotes nothing: the file may hold a webhook's secret. */
export function configJson(path: string, text: string): unknown {
  const plain = text.replace(/^\ufeff/, '');
  try {
    // A package.json may be longer than any document; its own tools read it leniently as well.
    if (Buffer.byteLength(plain) > MAX_DOCUMENT_BYTES) return JSON.parse(plain);
    return parseJsonText(plain, (written) => Number(written));
  } catch (error) {
    const where = error instanceof JsonError ? ` on line ${lineAt(plain, error.offset)}: ${error.reason}` : '';
    throw new Failure('USAGE', `the config file ${path} is not JSON${where}`, {
      hint: `correct ${path}`,
      cause: error,
    });
  }
}

/** The number, from 1, of the line that the byte at `offset` stands in. */
function lineAt(text: string, offset: number): number {
  return (
    Buffer.from(text)
      .subarray(0, offset)
      .filter((byte) => byte === 0x0a).length + 1
  );
}
