import { createReadStream } from 'node:fs';
import { Failure } from '../../app/failure.js';
import type { Submission, VerifierDeps, VerifyOptions } from '../../app/verification/intents.js';
import type { Decision } from '../../verify/decision.js';
import type { Judgement } from '../../verify/judge.js';
import { OutputClosed, stdinOnce, type Surroundings } from '../io.js';
import { FirstFailure } from '../input/first-failure.js';
import { inTime } from '../input/in-time.js';
import { lineBatches, type Line } from '../input/lines.js';
import { withAcceptedParams } from './accepted.js';
import { exitOf } from './refusal.js';
import { safeJson } from '../render/terminal/text.js';
import type { Format } from './results.js';
import { fileExists, isNamedPipe } from '../../workspace/files.js';
import type { Output } from '../output.js';
import type { Setting } from '../setting.js';
import { GroupCommit } from '../../workspace/group-commit.js';
import { maskName } from '../../protocol/log/secret-text.js';

/** What these functions need of a command. */
type Scene = Output & Surroundings & Pick<Setting, 'workspace'>;

/** Fewer lines than this are answered before more are read. */
const WORTH_AHEAD = 32;
/** Batches whose signatures are computed while an earlier one is committed: with one, the other cores would wait for the next. */
const MOST_AHEAD = 2;

export interface StreamRequest {
  readonly deps: VerifierDeps;
  readonly options: VerifyOptions;
  /** Files, or `-`. */
  readonly sources: readonly string[];
  readonly failFast: boolean;
  readonly format: Format;
  /** Gives the verified params with each decision. */
  readonly params?: boolean;
  /** Told of every decision, after it was given. */
  readonly onJudged: (decision: Decision, submission: Submission) => void;
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
      throw new Failure('NOT_FOUND', `There is no file ${maskName(source)}.`, {
        hint: 'name a file that exists, or - for stdin',
      });
    // Opening one waits for a writer in a thread that no signal ends; a shell can be stopped.
    if (await isNamedPipe(source)) {
      throw new Failure('UNREADABLE', `${source} is a named pipe.`, {
        hint: `aip intent verify - --ndjson < ${source}`,
      });
    }
  }
  const { deps, options, failFast } = request;
  const group = new GroupCommit(deps, cli.workspace.world.nextTurn, { inOrder: true, parallel: options.parallel });
  let judged = 0;
  let firstRefusal: Judgement | null = null;
  const answer = async (judgements: readonly Judgement[], submissions: readonly Submission[]): Promise<void> => {
    judged += judgements.length;
    firstRefusal ??= judgements.find(({ decision }) => !decision.success) ?? null;
    const told =
      request.params === true ? judgements.map((one, i) => withAcceptedParams(one, submissions[i]!)) : judgements;
    await cli.stream(told.map(({ decision }) => safeJson(decision)).join('\n'));
    for (const [i, { decision }] of judgements.entries()) request.onJudged(decision, submissions[i]!);
  };
  const due: Promise<void>[] = [];
  const incoming = batches(cli, request);
  const failed = new FirstFailure();
  try {
    for (;;) {
      const { done, value } = await failed.orElse(incoming.next());
      if (done === true) break;
      const { lines, source } = value;
      const submissions = lines.map(({ bytes, number }) => ({ bytes, source: `${source}:${number}` }));
      const answered = group.verifyAll(submissions, options, (judgements) => answer(judgements, submissions));
      answered.catch((error: unknown) => failed.is(error));
      due.push(answered);
      const ahead = options.parallel && !failFast && lines.length >= WORTH_AHEAD ? MOST_AHEAD : 0;
      while (due.length > ahead) await due.shift();
      if (failFast && firstRefusal !== null) return exitOf(firstRefusal);
    }
    await Promise.all(due);
  } catch (error) {
    // What was read whole is answered, though what comes after it cannot be read.
    await Promise.allSettled(due);
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

async function* batches(
  cli: Scene,
  { sources, failFast }: StreamRequest,
): AsyncGenerator<{ lines: Line[]; source: string }> {
  for (const source of sources) {
    const stream = source === '-' ? stdinOnce(cli.io) : createReadStream(source, { highWaterMark: 256 * 1024 });
    for await (const lines of lineBatches(
      inTime(stream as AsyncIterable<Uint8Array>, source === '-' ? 'stdin' : source),
    )) {
      if (!failFast) yield { lines, source };
      else for (const line of lines) yield { lines: [line], source };
    }
  }
}
