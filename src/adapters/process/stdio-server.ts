/** A program that speaks in lines over its standard streams: an MCP server. Its standard error passes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { isBlankLine, LineAssembler } from '../../protocol/framing/lines.js';

/** How the program is started. */
export interface StdioOptions {
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The most that a line may hold, in bytes; a longer one is handed on cut to one byte past it. */
  readonly maxLine: number;
  readonly onLine: (line: Uint8Array) => void;
}

/** A started program. */
export interface StdioServer {
  /** Its exit code, 128 and the number of the signal that ended it, or why it did not start. */
  readonly ended: Promise<number | { readonly unstarted: string }>;
  /** One line, without the line feed. */
  readonly send: (line: string) => void;
  /** Hands one of its lines on to `sink`; it is not read further while that takes no more. */
  readonly passOn: (sink: Writable, line: string) => void;
  /** Ends its input, then SIGTERM, then SIGKILL, each after `graceMs`. Resolves when it has ended. */
  readonly stop: (graceMs: number) => Promise<void>;
}

/** Starts a program without a shell. */
export function startStdioServer(file: string, args: readonly string[], options: StdioOptions): StdioServer {
  let child: ChildProcess;
  try {
    child = spawn(file, [...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: options.env,
      cwd: options.cwd,
      windowsHide: true,
    });
  } catch (cause) {
    const unstarted = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    return {
      ended: Promise.resolve({ unstarted }),
      send: () => undefined,
      passOn: () => undefined,
      stop: async () => undefined,
    };
  }
  const { stdin, stdout } = child;
  stdin!.on('error', () => undefined);
  let over = false;
  const read = readLines(stdout!, options.maxLine, options.onLine);
  const ended = new Promise<number | { unstarted: string }>((settle) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      if (child.pid === undefined) settle({ unstarted: cause.code ?? 'unknown error' });
    });
    child.once('exit', (code, signal) => {
      // What is left is little, and is read before the wait ends.
      over = true;
      stdout!.resume();
      const exit = signal === null ? code! : 128 + constants.signals[signal];
      // What it wrote last is still an answer; a grandchild that holds the pipe open is not waited for.
      void Promise.race([read, later(200)]).then(() => settle(exit));
    });
  });
  return {
    ended,
    send: (line) => void stdin!.write(`${line}\n`),
    passOn: (sink, line) => writeLine(sink, over ? null : stdout!, line),
    async stop(graceMs) {
      stdin!.end();
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        if (await Promise.race([ended.then(() => true), later(graceMs)])) return;
        child.kill(signal);
      }
      await ended;
    },
  };
}

/** Cuts a stream into lines, in constant memory whatever their length. Resolves at its end. */
export function readLines(stream: Readable, maxLine: number, onLine: (line: Uint8Array) => void): Promise<void> {
  const assembler = new LineAssembler(maxLine);
  const take = (line: Uint8Array | null): void => {
    if (line !== null && !isBlankLine(line)) onLine(line);
  };
  stream.on('data', (chunk: Buffer) => {
    for (const line of assembler.lines(chunk)) take(line);
  });
  return new Promise((resolve) => {
    const end = (): void => {
      take(assembler.end());
      resolve();
    };
    stream.once('end', end).once('error', end).once('close', end);
  });
}

/** Writes a line, and holds `source` back while the reader does not keep up. */
function writeLine(sink: Writable, source: Readable | null, line: string): void {
  if (sink.write(`${line}\n`) || source === null || source.isPaused()) return;
  source.pause();
  sink.once('drain', () => source.resume());
}

function later(ms: number): Promise<false> {
  return new Promise((resolve) => void setTimeout(() => resolve(false), ms).unref());
}
