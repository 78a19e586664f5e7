import { counted } from '../../render/terminal/text.js';
import { Failure } from '../../../app/failure.js';
import { readUnpruned } from '../../../app/logs/check.js';
import { agentNamed } from '../../../app/passports/agent-named.js';
import type { EntryQuery } from '../../../app/ports/state.js';
import type { Entry, LogRecord } from '../../../protocol/log/entry.js';
import type { Cli } from '../../cli.js';
import type { CommandSpec } from '../../spec.js';
import { sinceWhen } from '../../input/values.js';
import { VERSION } from '../../version.js';
import { findingAnywhere } from '../../mesh/fleet.js';
import { knownMachineKey, machineKey } from '../../../workspace/mesh.js';
import { localState, type LocalState } from '../../../workspace/state.js';

interface Options {
  readonly format: 'jsonl' | 'csv' | 'ocsf' | 'cef';
  readonly out?: string;
  readonly encrypt: readonly string[];
  readonly agent?: string;
  readonly status?: 'success' | 'failed';
  readonly since?: string;
  readonly until?: string;
}

/** Characters written at once. */
const BLOCK = 64 * 1024;

export const command: CommandSpec<Options> = {
  path: ['logs', 'export'],
  summary: 'Write the verification log in a form that other tools read',
  detail:
    'Every form holds the hashes; a jsonl export can be checked with `aip logs verify --file`: a whole one as a chain, a selection entry by entry against the checkpoint in its first. What became of an action (`logs tail --type outcome`) is in a whole jsonl export alone.',
  options: [
    {
      title: 'How',
      options: [
        {
          flags: '--format <format>',
          description: 'what to write',
          choices: ['jsonl', 'csv', 'ocsf', 'cef'],
          default: 'jsonl',
        },
        {
          flags: '-o, --out <file>',
          description: 'write to a file instead of stdout; one that exists is replaced',
          values: 'file',
        },
        {
          flags: '--encrypt <recipient>',
          description: 'in the age format, for who holds the key: age1... or an ssh-ed25519 public key',
          repeatable: true,
        },
      ],
    },
    {
      title: 'Which',
      options: [
        { flags: '--agent <agent>', description: 'of this agent', values: 'agent' },
        { flags: '--status <status>', description: 'of this outcome', choices: ['success', 'failed'] },
        { flags: '--since <time>', description: 'from then on: a duration such as 90d, or a time' },
        { flags: '--until <time>', description: 'before then' },
      ],
    },
  ],
  examples: [
    {
      run: 'aip logs export --out log.jsonl && aip logs verify --file log.jsonl',
      why: 'an archive that can be checked',
    },
    { run: 'aip logs export --format csv --since 7d > week.csv', why: 'for a spreadsheet' },
    { run: 'aip logs export --format cef | logger -t aip', why: 'for a SIEM' },
    {
      run: 'aip logs export --encrypt age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p -o log.jsonl.age',
      why: 'an archive that its readers alone can open',
    },
  ],
  exits: { 3: 'the agent does not exist, the file cannot be written, or the tree is damaged' },
  touches: ['state', 'files'],
  onlyReads: true,
  topics: ['logs', 'retention', 'json'],

  async run({ options }, cli) {
    const state = await localState(cli.workspace);
    const render = await renderer(options.format);
    const query = await queryOf(options, cli);
    const target = await targetOf(options.out, options.encrypt.length > 0, cli);
    // A stream knows how it ended only if it says so.
    cli.onInterrupt(async () => {
      await target.discard();
      cli.note('interrupted: the export is not whole');
    });
    const selected = Object.keys(query).length > 0;
    const proven = selected && options.format === 'jsonl' ? await selectionOf(state, query, cli) : null;
    let count = 0;
    const blocks = async function* (): AsyncGenerator<string> {
      let block = render.header === null ? '' : `${render.header}\n`;
      for (const line of proven === null ? linesOf(state, query, render) : proven) {
        block += `${line}\n`;
        count += 1;
        if (block.length < BLOCK) continue;
        yield block;
        block = '';
      }
      if (block !== '') yield block;
    };
    try {
      for await (const block of await sealed(blocks(), options.encrypt, cli)) await target.write(block);
      await target.finish();
    } catch (error) {
      // What is left would stand in the way of the next export, and fill a full disk.
      await target.discard();
      throw error;
    }
    const parts = !selected
      ? ''
      : proven === null
        ? '; a selection is no chain, so it cannot be checked as one'
        : ', each with its place in the tree: aip logs verify --file';
    cli.note(`${counted(count, 'entry', 'entries')} exported${parts}`);
    return 0;
  },
};

interface Rendering {
  readonly header: string | null;
  readonly line: (entry: Entry) => string;
  /** A record of any kind, where the form is the log's own; null in the forms of others, which know decisions only. */
  readonly record: ((record: LogRecord) => string) | null;
}

/** A whole export in the log's own form holds every record: without those of outcomes the chain would have holes. */
function* linesOf(state: LocalState, query: EntryQuery, { line, record }: Rendering): Iterable<string> {
  if (record !== null && Object.keys(query).length === 0)
    for (const each of readUnpruned(state, state.records({}))) yield record(each);
  else for (const each of readUnpruned(state, state.entries(query))) yield line(each);
}

/** The lines of a selection that proves itself; null where this machine has no key to sign a checkpoint with. */
async function selectionOf(state: LocalState, query: EntryQuery, cli: Cli): Promise<Iterable<string> | null> {
  if ((await knownMachineKey(cli.workspace)) === null) return null;
  const [{ provenSelection }, { safeJson }, { key }] = await Promise.all([
    import('../../../app/proof/selection.js'),
    import('../../render/terminal/text.js'),
    machineKey(cli.workspace),
  ]);
  const lines = provenSelection(state, readUnpruned(state, state.entries(query)), key);
  return (function* () {
    for (const each of lines) yield safeJson(each);
  })();
}

async function renderer(format: Options['format']): Promise<Rendering> {
  switch (format) {
    case 'jsonl': {
      const { safeJson } = await import('../../render/terminal/text.js');
      return { header: null, line: safeJson, record: safeJson };
    }
    case 'csv': {
      const { CSV_HEADER, csvRow } = await import('../../render/formats/csv.js');
      return { header: CSV_HEADER, line: csvRow, record: null };
    }
    case 'ocsf': {
      const [{ ocsfEvent }, { safeJson }] = await Promise.all([
        import('../../render/formats/ocsf.js'),
        import('../../render/terminal/text.js'),
      ]);
      return { header: null, line: (entry) => safeJson(ocsfEvent(entry, VERSION)), record: null };
    }
    case 'cef': {
      const { cefLine } = await import('../../render/formats/cef.js');
      return { header: null, line: (entry) => cefLine(entry, VERSION), record: null };
    }
  }
}

/** The blocks as they are, or encrypted to recipients. */
async function sealed(
  blocks: AsyncIterable<string>,
  recipients: readonly string[],
  cli: Cli,
): Promise<AsyncIterable<string | Uint8Array>> {
  if (recipients.length === 0) return blocks;
  const { encryptedArchive } = await import('../../../workspace/archives.js');
  return encryptedArchive(cli.workspace, recipients, blocks);
}

async function targetOf(out: string | undefined, encrypted: boolean, cli: Cli) {
  if (out === undefined || out === '-') {
    if (encrypted && cli.io.stdout.isTTY === true) {
      throw new Failure('USAGE', 'An encrypted archive is no text for a terminal.', { hint: '--out log.jsonl.age' });
    }
    const write = (block: string | Uint8Array): Promise<void> =>
      typeof block === 'string' ? cli.stream(block.replace(/\n$/, '')) : cli.streamBytes(block);
    return { write, finish: nothing, discard: nothing };
  }
  const { growingFile, refuseIrreplaceable } = await import('../../../workspace/files.js');
  await refuseIrreplaceable(out);
  return growingFile(out);
}

const nothing = (): Promise<void> => Promise.resolve();

async function queryOf(options: Options, cli: Cli): Promise<EntryQuery> {
  const now = cli.io.now();
  const since = options.since === undefined ? null : sinceWhen(options.since, now);
  const until = options.until === undefined ? null : sinceWhen(options.until, now);
  return {
    ...(options.agent === undefined ? {} : { agentId: await agentNamed(await findingAnywhere(cli), options.agent) }),
    ...(options.status === undefined ? {} : { status: options.status }),
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
  };
}
