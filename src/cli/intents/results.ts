/** How `intent verify` answers: for people, for programs, for CI. */
import { appendFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Decision } from '../../verify/decision.js';
import type { Judgement } from '../../verify/judge.js';
import type { Unread } from '../render/formats/unread.js';
import { documentPlace } from '../render/decision/place.js';
import { repositoryFile } from '../render/formats/repository.js';
import { safeJson } from '../render/terminal/text.js';
import type { Output } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Output & Surroundings;

export type Format = 'human' | 'json' | 'ndjson' | 'github' | 'sarif' | 'junit';

export interface ResultWriter {
  /** Writes the whole answer. */
  finish(judgements: readonly Judgement[], unread?: readonly Unread[]): void;
}

/** Loads the one renderer that is asked for. */
export async function resultWriter(cli: Scene, format: Format, many: boolean): Promise<ResultWriter> {
  const decisionsOf = (judgements: readonly Judgement[]) => judgements.map(({ decision }) => decision);
  switch (format) {
    case 'json':
      // One document is indented for a person; several are a line each, as a stream is.
      if (!many) return { finish: (judgements) => decisionsOf(judgements).forEach((decision) => cli.json(decision)) };
      return { finish: (judgements) => decisionsOf(judgements).forEach((decision) => cli.out(safeJson(decision))) };
    case 'ndjson':
      return { finish: (judgements) => decisionsOf(judgements).forEach((decision) => cli.out(safeJson(decision))) };
    case 'github': {
      const { renderGithub } = await import('../render/formats/github.js');
      return {
        finish: (judgements, unread) => {
          const { lines, summary } = renderGithub(inRepository(cli, decisionsOf(judgements)), unread);
          if (lines !== '') cli.out(lines);
          appendSummary(cli, summary);
        },
      };
    }
    case 'sarif': {
      const { renderSarif } = await import('../render/formats/sarif.js');
      return {
        finish: (judgements, unread) => cli.out(renderSarif(inRepository(cli, decisionsOf(judgements)), unread)),
      };
    }
    case 'junit': {
      const { renderJunit } = await import('../render/formats/junit.js');
      return {
        finish: (judgements, unread) => cli.out(renderJunit(decisionsOf(judgements), 'aip intent verify', unread)),
      };
    }
    case 'human': {
      const { renderDecision, renderSummary } = await import('../render/decision/decision.js');
      const look = { paint: cli.paint, width: cli.width ?? 100, verbose: cli.globals.verbose };
      return {
        finish: (judgements) => {
          const decisions = decisionsOf(judgements);
          for (const decision of decisions)
            if (!cli.globals.quiet || !decision.success) cli.out(renderDecision(decision, look));
          if (!many) return;
          const codes = new Map<string, number>();
          for (const { error_code } of decisions)
            if (error_code !== null) codes.set(error_code, (codes.get(error_code) ?? 0) + 1);
          const verified = decisions.filter((decision) => decision.success).length;
          cli.note(renderSummary({ verified, refused: decisions.length - verified, codes }, cli.paintErr));
        },
      };
    }
  }
}

/** GitHub reads relative paths from the top of the checkout; a step may run in a folder of it. */
function inRepository(cli: Scene, decisions: readonly Decision[]): readonly Decision[] {
  const top = cli.io.env.GITHUB_WORKSPACE;
  if (top === undefined || top === '') return decisions;
  return decisions.map((decision) => {
    const { source } = decision;
    return source === null || documentPlace(source).file === null || isAbsolute(source)
      ? decision
      : { ...decision, source: repositoryFile(cli.io, source) };
  });
}

/** By now the decisions are committed: a summary that cannot be written takes none of them back. */
function appendSummary(cli: Scene, summary: string): void {
  const file = cli.io.env.GITHUB_STEP_SUMMARY;
  if (file === undefined || file === '') return;
  try {
    appendFileSync(file, `${summary}\n`);
  } catch (error) {
    cli.warn(`The step summary could not be written: ${(error as Error).message}`);
  }
}
