import { meantBy, type FindDeps } from './find.js';

/**
 * The agent id that people mean by `<agent>` where only its past or its standing is asked for: its passport need not be known here. A file
 * stands for the passport's agent.
 */
export async function agentNamed(deps: FindDeps, agent: string): Promise<string> {
  const meant = await meantBy(deps, agent);
  return 'file' in meant ? meant.file.passport.agent.id : meant.agentId;
}
