/** What completion offers from this machine: known agents and their actions, pinned principals, topics, codes. Nothing is created by looking. */
import { NATIVE_CODES } from '../../protocol/codes.js';
import type { State } from '../../app/ports/state.js';
import type { Candidate, LocalValues } from './complete.js';
import { exists } from '../config/files.js';
import { TOPICS } from '../help/topics.js';
import type { Setting } from '../setting.js';
import type { LocalState } from '../../workspace/state.js';

export const localValues: LocalValues = async (source, cli, agent) => {
  switch (source) {
    case 'action':
      return actionsOf(await state(cli), agent);
    case 'agent':
      return agentsOf(await state(cli));
    case 'subject':
      return [...agentsOf(await state(cli)), ...principalsOf(await state(cli))];
    case 'request':
      return requestsOf(await state(cli), cli.workspace.world.clock());
    case 'principal':
      return principalsOf(await state(cli));
    case 'code':
      return Object.values(NATIVE_CODES).map(({ code, name }) => ({ value: code, why: name }));
    case 'topic':
      return TOPICS.map(({ name, summary }) => ({ value: name, why: summary }));
    case 'file':
      return [];
  }
};

function agentsOf(known: State | null): Candidate[] {
  return known?.passports().map(({ name, agentId }) => ({ value: name, why: agentId })) ?? [];
}

function principalsOf(known: State | null): Candidate[] {
  const dids = new Set(known?.pins().map(({ did }) => did));
  return [...dids].map((did) => ({ value: did, why: 'pinned' }));
}

/** Those raised here that wait for an answer. */
function requestsOf(known: LocalState | null, now: number): Candidate[] {
  const open = known?.look((ledger) => ledger.requests('open', now)) ?? [];
  return open.map(({ id, agentId }) => ({ value: id, why: `asked by ${agentId}` }));
}

/** What the agent's passport declares; what any declares where no agent is named. */
async function actionsOf(known: State | null, agent: string | null): Promise<Candidate[]> {
  const [{ readPassport }, { shortName }] = await Promise.all([
    import('../../protocol/passport.js'),
    import('../../app/passports/find.js'),
  ]);
  const passports = (known?.passports() ?? []).filter(
    ({ name, agentId, path }) =>
      agent === null || [name, agentId, shortName(agentId)].includes(agent) || path?.endsWith(`/${agent}`) === true,
  );
  const actions = new Map<string, string>();
  for (const { name, text } of passports)
    for (const action of readPassport(Buffer.from(text)).actions.keys())
      if (!actions.has(action)) actions.set(action, name);
  return [...actions].map(([value, why]) => ({ value, why }));
}

async function state(cli: Setting) {
  if (!exists(cli.workspace.paths().stateFile)) return null;
  const { localState } = await import('../../workspace/state.js');
  return localState(cli.workspace);
}
