import { createReadStream } from 'node:fs';
import { Failure } from '../../app/failure.js';
import {
  commitBatch,
  prepareBatch,
  type PreparedBatch,
  type Submission,
  type VerifierDeps,
  type VerifyOptions,
} from '../../app/verification/intents.js';
import type { Judgement } from '../../verify/judge.js';
import { OutputClosed, type Surroundings } from '../io.js';
import { inTime } from '../input/in-time.js';
import { lineBatches, type Line } from '../input/lines.js';
import { withAcceptedParams } from './accepted.js';
import { exitOf } from './refusal.js';
import { safeJson } from '../render/terminal/text.js';
import type { Format } from './results.js';
import { fileExists, isNamedPipe } from '../../workspace/files.js';
import type { Output } from '../output.js';

/** What these functions need of a command. */
type Scene = Output & Surroundings;

/** Fewer lines than this are committed at once. */
const WORTH_AHEAD = 32;
/** Batches whose signatures are computed while an earlier one is committed: with one, the other cores would wait for the next. */
const MOST_AHEAD = 2;
/** How long a prepared batch waits for the next one, in ms. */
const MOMENT_MS = 2;

export interface StreamRequest {
  readonly deps: VerifierDeps;
  readonly options: VerifyOptions;
  /** Files, or `-`. */
  readonly sources: readonly string[];
  readonly failFast: boolean;
  readonly format: Format;
  /** Gives the verified params with each decision. */
  readonly params?: boolean;
}

/** Judges NDJSON of any length in constant memory: the next batches' signatures are computed while this one is committed. */
export async function verifyStream(cli: Scene, request: StreamRequest): Promise<number> {
  if (request.format !== 'ndjson') {
    throw new Failure('USAGE', `A stream is answered line by line, not as ${request.format}.`, {
      hint: '--format ndjson',
    });
  }
  for (const source of request.sources) {
    if (source === '-') continue;
    if (!(await fileExists(source)))
      throw new Failure('NOT_FOUND', `There is no file ${source}.`, {
        hint: 'name a file that exists, or - for stdin',
      });
    // Opening one waits for a writer in a thread that no signal ends; a shell can be stopped.
    if (await isNamedPipe(source)) {
      throw new Failure('UNREADABLE', `${source} is a named pipe.`, {
        hint: `aip intent verify - --ndjson < ${source}`,
      });
    }
  }
  const { deps, options } = request;
  let judged = 0;
  let firstRefusal: Judgement | null = null;
  const ahead: { readonly batch: Promise<PreparedBatch>; readonly submissions: readonly Submission[] }[] = [];

  // Answers are written after the commit and before the next one, so that nothing is said that is not kept.
  const settleBut = async (most: number): Promise<void> => {
    while (ahead.length > most) {
      const { batch, submissions } = ahead.shift()!;
      const judgements = await commitBatch(deps, options, await batch);
      judged += judgements.length;
      firstRefusal ??= judgements.find(({ decision }) => !decision.success) ?? null;
      const told =
        request.params === true ? judgements.map((one, i) => withAcceptedParams(one, submissions[i]!)) : judgements;
      await cli.stream(told.map(({ decision }) => safeJson(decision)).join('\n'));
    }
  };
  const incoming = batches(cli, request);
  try {
    for (;;) {
      const arriving = incoming.next();
      // With an idle writer there is no next batch to work ahead on, and none to wait for.
      if (ahead.length > 0 && !(await arrives(arriving))) await settleBut(0);
      const { done, value } = await arriving;
      if (done === true) break;
      const { lines, source } = value;
      const submissions = lines.map(({ bytes, number }) => ({ bytes, source: `${source}:${number}` }));
      const batch = prepareBatch(deps, options, submissions);
      // Handled when its turn comes; until then a failure must not count as unhandled.
      batch.catch(() => undefined);
      ahead.push({ batch, submissions });
      await settleBut(options.parallel && !request.failFast && lines.length >= WORTH_AHEAD ? MOST_AHEAD : 0);
      if (request.failFast && firstRefusal !== null) return exitOf(firstRefusal);
    }
    await settleBut(0);
  } catch (error) {
    // A reader that stopped was not told everything, and must not be told that all was well.
    if (error instanceof OutputClosed && firstRefusal !== null) return exitOf(firstRefusal);
    throw error;
  } finally {
    // Not awaited: it ends once a writer who may never write again has written.
    void incoming.return(undefined).catch(() => undefined);
  }
  if (judged === 0) {
    throw new Failure('USAGE', 'There were no lines, so there is nothing to verify.', {
      hint: 'a line holds one intent',
    });
  }
  return firstRefusal === null ? 0 : exitOf(firstRefusal);
}

/** True when the promise settles within a moment. */
function arrives(promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, MOMENT_MS, false);
    const here = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    promise.then(here, here);
  });
}

async function* batches(
  cli: Scene,
  { sources, failFast }: StreamRequest,
): AsyncGenerator<{ lines: Line[]; source: string }> {
  for (const source of sources) {
    const stream = source === '-' ? cli.io.stdin : createReadStream(source, { highWaterMark: 256 * 1024 });
    for await (const lines of lineBatches(
      inTime(stream as AsyncIterable<Uint8Array>, source === '-' ? 'stdin' : source),
    )) {
      if (!failFast) yield { lines, source };
      else for (const line of lines) yield { lines: [line], source };
    }
  }
}
