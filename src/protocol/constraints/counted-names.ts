/**
 * The actions that `max_<things>_per_<unit>` counts: those that hold the thing. Everyone who counts actions by word has to use
 * `holdsThing`, so that a limit counts the same actions that it applies to.
 */
import { wordsOf } from '../naming/name-words.js';
import { singular } from '../naming/names.js';
import { ENVIRONMENT_WORDS, NOT_THESE_WORDS } from '../naming/vocabulary.js';

/** `orders` and `order` are one thing: the key under which they are counted. */
export function thingOf(name: string): string {
  return wordsOf(name).map(oneName).join('_');
}

function oneName(word: string): string {
  const one = singular(word);
  return ENVIRONMENT_WORDS.includes(one) ? 'environment' : one;
}

const MOST_ANSWERS = 2048;
const answers = new Map<string, boolean>();

/**
 * True when `thing`, as `thingOf` writes it, is among the words of the action: `order` is in `place_order`, `placeOrders`, `order.place`
 * and `PLACEORDER`. Actions that begin with `cancel` take back what was counted and are left out.
 */
export function holdsThing(action: string, thing: string): boolean {
  const key = `${thing} ${action}`;
  let answer = answers.get(key);
  if (answer === undefined) {
    answer = holds(wordsOf(action), thing);
    if (answers.size >= MOST_ANSWERS) answers.clear();
    answers.set(key, answer);
  }
  return answer;
}

function holds(words: readonly string[], thing: string): boolean {
  if (words[0] === 'cancel' && !thing.startsWith('cancel')) return false;
  if (`_${words.map(oneName).join('_')}_`.includes(`_${thing}_`)) return true;
  const folded = thing.replaceAll('_', '');
  if (folded.length < 5) return false;
  return words.some((word) => {
    const one = singular(word);
    if (NOT_THESE_WORDS.has(word) || NOT_THESE_WORDS.has(one)) return false;
    return one.endsWith(folded) || word.startsWith(folded);
  });
}
