/** Stands in for `help/pages.ts` in the bundle of the frequent commands: a line that asks for help goes to the other one. */
type Pages = typeof import('../help/pages.js');

function elsewhere(): never {
  throw new Error('help is not in this bundle');
}

export const pageWidth: Pages['pageWidth'] = elsewhere;
export const commandHelp: Pages['commandHelp'] = elsewhere;
export const overview: Pages['overview'] = elsewhere;
export const start: Pages['start'] = elsewhere;
export const groupHelp: Pages['groupHelp'] = elsewhere;
