/** What completion offers from this machine: known agents, pinned principals, topics, codes. Nothing is created by looking. */
import { NATIVE_CODES } from '../../protocol/codes.js';
import type { LocalValues } from './complete.js';
import { exists } from '../config/files.js';
import { TOPICS } from '../help/topics.js';
import type { Setting } from '../setting.js';

export const localValues: LocalValues = async (source, cli) => {
  switch (source) {
    case 'agent':
      return (await state(cli))?.passports().map(({ name, agentId }) => ({ value: name, why: agentId })) ?? [];
    case 'principal':
      return (await state(cli))?.pins().map(({ did }) => ({ value: did, why: 'pinned' })) ?? [];
    case 'code':
      return Object.values(NATIVE_CODES).map(({ code, name }) => ({ value: code, why: name }));
    case 'topic':
      return TOPICS.map(({ name, summary }) => ({ value: name, why: summary }));
    case 'file':
      return [];
  }
};

async function state(cli: Setting) {
  if (!exists(cli.workspace.paths().stateFile)) return null;
  const { localState } = await import('../../workspace/state.js');
  return localState(cli.workspace);
}
