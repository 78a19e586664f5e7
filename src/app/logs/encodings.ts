/** Files that hold lines, and not as plain text: they are named, with the command that unpacks them, and never read as an empty log. */
import { Failure, shellWord } from '../failure.js';

/** Bytes that decide; what needs the most is UTF-32, and xz. */
const ENOUGH = 6;

interface Encoding {
  readonly name: string;
  /** Hexadecimal digits of the first bytes. */
  readonly start: RegExp;
  /** Reads the file named after it, or standard input, and writes UTF-8. */
  readonly unpack: string;
}

const ENCODINGS: readonly Encoding[] = [
  { name: 'compressed with gzip', start: /^1f8b/, unpack: 'gzip -dc' },
  { name: 'compressed with zstd', start: /^28b52ffd/, unpack: 'zstd -dc' },
  { name: 'compressed with xz', start: /^fd377a585a00/, unpack: 'xz -dc' },
  { name: 'compressed with bzip2', start: /^425a683[1-9]31/, unpack: 'bzip2 -dc' },
  { name: 'compressed with LZ4', start: /^04224d18/, unpack: 'lz4 -dc' },
  { name: 'a ZIP archive', start: /^504b0304/, unpack: 'unzip -p' },
  { name: 'UTF-32 text', start: /^(?:fffe0000|0000feff)/, unpack: 'iconv -f UTF-32 -t UTF-8' },
  { name: 'UTF-16 text', start: /^(?:fffe|feff)/, unpack: 'iconv -f UTF-16 -t UTF-8' },
  // Without a mark a JSON object still begins with a brace and a quote, a bracket or a space.
  { name: 'UTF-16 text', start: /^7b00(?:22|20|7d)00/, unpack: 'iconv -f UTF-16LE -t UTF-8' },
  { name: 'UTF-16 text', start: /^007b00(?:22|20|7d)/, unpack: 'iconv -f UTF-16BE -t UTF-8' },
];

/**
 * The same chunks without a mark at their start, once their first bytes are known to be text that is read here.
 * @param path of the file; `-` is standard input.
 * @param command the words after `aip` that read it, for the hint.
 * @throws Failure UNREADABLE where they are compressed or in another encoding.
 */
export async function* plainBytes(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  command: string,
): AsyncGenerator<Uint8Array> {
  let first: Buffer | null = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (first === null) {
      yield chunk;
      continue;
    }
    // The chunk is valid until the next is asked for, and this one may be a byte of a slow pipe.
    first = Buffer.concat([first, chunk]);
    if (first.length < ENOUGH && chunk.length > 0 && !first.includes(0x0a)) continue;
    refuseEncoded(first, path, command);
    if (first.length > 0) yield withoutMark(first);
    if (chunk.length === 0) yield chunk;
    first = first.length > 0 ? null : first;
  }
  if (first !== null && first.length > 0) {
    refuseEncoded(first, path, command);
    yield withoutMark(first);
  }
}

/** Editors and shells of Windows begin a file with the mark of UTF-8, which belongs to no line. */
function withoutMark(first: Buffer): Buffer {
  return first.subarray(0, 3).toString('hex') === 'efbbbf' ? first.subarray(3) : first;
}

function refuseEncoded(first: Buffer, path: string, command: string): void {
  const digits = first.subarray(0, ENOUGH).toString('hex');
  const found = ENCODINGS.find(({ start }) => start.test(digits));
  if (found === undefined) return;
  const from = path === '-' ? `... | ${found.unpack} |` : `${found.unpack} ${shellWord(path)} |`;
  throw new Failure('UNREADABLE', `${path === '-' ? 'Stdin' : path} is ${found.name}, not lines of UTF-8 text.`, {
    hint: `${from} aip ${command} --file -`,
  });
}
