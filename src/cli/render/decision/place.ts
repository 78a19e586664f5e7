/** Where a decision's document came from, as reports for machines name it. */
export interface DocumentPlace {
  /** A path as it was given; null for standard input. */
  readonly file: string | null;
  /** From 1, when the document is one of many lines. */
  readonly line: number | null;
}

const WITH_LINE = /^(.*?)(?::|[: ]+line )([1-9][0-9]{0,8})$/s;

/** Reads a decision's `source`: a path, `-`, `line 12`, or a path with a line (`batch.ndjson:12`, `batch.ndjson line 12`). */
export function documentPlace(source: string | null): DocumentPlace {
  const text = source?.startsWith('line ') === true ? `-:${source.slice('line '.length)}` : (source ?? '-');
  const match = WITH_LINE.exec(text);
  const file = match === null ? text : match[1]!;
  return { file: file === '-' || file === '' ? null : file, line: match === null ? null : Number(match[2]) };
}
