import { Failure } from '../../../app/failure.js';
import { diffPassports, type Flip, type PolicyDifference } from '../../../app/policy/diff.js';
import { isObject, type Json } from '../../../protocol/json/values.js';
import { throwawayVerifiers } from '../../../workspace/verification.js';
import { draftPassport } from '../../policy/documents.js';
import { shownChange } from '../../policy/shown.js';
import { clean, flowed } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

export const command: CommandSpec = {
  path: ['policy', 'diff'],
  summary: 'Show what a passport allows beyond another one, and what no longer, each with an intent that flips',
  detail:
    'Each difference is tried alone, with intents from its edge, through the real verifier and with throwaway keys. What no intent was found for is shown as changed.',
  args: [
    { name: 'old', description: 'the passport as it is: a file, or the name of one known here', values: 'agent' },
    { name: 'new', description: 'the passport as it would be, or a draft of it', values: 'agent' },
  ],
  examples: [{ run: 'aip policy diff bot.passport.json next.passport.json', why: 'before the new one is signed' }],
  exits: { 3: 'a passport does not exist, or the file holds no passport' },
  touches: ['files', 'state'],
  onlyReads: true,
  topics: ['policy', 'passports', 'constraints'],

  async run({ args: [oldPath = '', newPath = ''] }, cli) {
    const old = await draftPassport(oldPath, cli);
    const next = await draftPassport(newPath, cli, old.json);
    const agentId = old.passport.agent.id;
    if (next.passport.agent.id !== agentId) {
      throw new Failure('USAGE', `They are of two agents: ${agentId} and ${next.passport.agent.id}.`, {
        hint: 'aip policy diff bot.passport.json next.passport.json',
      });
    }
    const open = await throwawayVerifiers(cli.workspace);
    const differences = await diffPassports(old.json, next.json, open, async () => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      cli.io.interruption.throwIfTold();
    });
    if (cli.globals.json) {
      cli.json({
        agent_id: agentId,
        old: { file: oldPath, serial: old.passport.serial },
        new: { file: newPath, serial: next.passport.serial },
        differences,
      });
      return 0;
    }
    const colours = { wider: cli.paint.yellow, narrower: cli.paint.green, changed: cli.paint.dim };
    for (const each of differences)
      cli.out(flowed(`${colours[each.direction](each.direction.padEnd(8))} ${lineOf(each)}`, cli.width));
    if (differences.length === 0) cli.out('they allow the same');
    return 0;
  },
};

function lineOf({ path, before, after, example }: PolicyDifference): string {
  const change = path === 'constraints.require_approval.approvers' ? approversChanged(before, after) : null;
  const what = `${clean(path)}  ${change ?? shownChange(before, after)}`;
  return example === null ? `${what}; no intent was found that flips` : `${what};  ${flipOf(example)}`;
}

/** Who came, who went, and whose key is another one. */
function approversChanged(before: Json, after: Json): string {
  if (isCounted(before) && isCounted(after)) {
    const who = approversChanged(before.approvers, after.approvers);
    return `${who}; count ${shownChange(before.count, after.count)}`;
  }
  const [was, is] = [keysById(before), keysById(after)];
  if (was === null || is === null) {
    const told = (keys: typeof was): string =>
      keys === null ? 'the principal' : [...keys.keys()].map(clean).join(', ');
    return `${told(was)} -> ${told(is)}`;
  }
  const ids = [...new Set([...was.keys(), ...is.keys()])];
  const parts = [
    ['added', ids.filter((id) => !was.has(id))],
    ['removed', ids.filter((id) => !is.has(id))],
    ['another key of', ids.filter((id) => was.has(id) && is.has(id) && was.get(id) !== is.get(id))],
  ] as const;
  const said = parts.flatMap(([what, some]) => (some.length === 0 ? [] : [`${what} ${some.map(clean).join(', ')}`]));
  return said.length === 0 ? 'in another order' : said.join('; ');
}

function isCounted(value: Json): value is { readonly approvers: Json; readonly count: Json } {
  return isObject(value) && Object.hasOwn(value, 'approvers') && Object.hasOwn(value, 'count');
}

/** The keys of each approver; null for a passport that names none. */
function keysById(list: Json): Map<string, string> | null {
  if (!Array.isArray(list)) return null;
  const keys = new Map<string, string>();
  for (const each of (list as readonly Json[]).filter(isObject)) {
    const id = String(each['id']);
    keys.set(id, `${keys.get(id) ?? ''} ${String(each['public_key'])}`);
  }
  return keys;
}

function approvedBy(by: Flip['approved_by']): string {
  if (by === null) return '';
  const names = by.map(({ id, public_key: key }) =>
    key === null ? clean(id) : `${clean(id)} (${clean(key).slice(0, 16)})`,
  );
  return `, approved by ${names.length === 0 ? 'nobody' : names.join(' and ')},`;
}

function flipOf({ intent, history, history_s: over, now, geo, approved_by: by, old, new: next }: Flip): string {
  const { action, params, target } = intent;
  const where = `${target === undefined ? '' : ` target ${clean(JSON.stringify(target))}`}${geo === null ? '' : ` from ${clean(geo)}`}`;
  const within = over < 60 ? '' : ` within ${Math.ceil(over / 3600)} h`;
  const before = history === 0 ? '' : ` after ${history} of the same${within}`;
  return `${clean(String(action))} ${clean(JSON.stringify(params))}${where}${before}${approvedBy(by)} at ${now.slice(0, 16)}Z: ${old} -> ${next}`;
}
