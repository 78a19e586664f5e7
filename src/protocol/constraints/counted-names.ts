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
    answer = holds(traitsOf(action), thing);
    if (answers.size >= MOST_ANSWERS) answers.clear();
    answers.set(key, answer);
  }
  return answer;
}

/** What of an action's name `max_<things>_per_<unit>` goes by, for a memory that looks for the thing in a language of its own. */
export interface NameTraits {
  /** It takes back what was counted. */
  readonly cancels: boolean;
  /** Its words as things are written, with `_` around each, and neighbouring ones as one word as well. */
  readonly words: string;
  /** A thing of `FOLDED` letters or more, without its `_`, is also held where one of these begins with it, or one of `ends` ends with it. */
  readonly starts: readonly string[];
  readonly ends: readonly string[];
}

/** Fewest letters of a thing that is found inside of a word. */
const FOLDED = 5;

/** What of an action's name counts. */
export function traitsOf(action: string): NameTraits {
  const words = wordsOf(action);
  const open = words.filter((word) => !NOT_THESE_WORDS.has(word) && !NOT_THESE_WORDS.has(singular(word)));
  const longEnough = (word: string): boolean => word.length >= FOLDED;
  return {
    cancels: words[0] === 'cancel',
    words: `_${words.map(oneName).join('_')}_${joined(words)
      .map((run) => `_${run.map(oneName).join('_')}_`)
      .join('')}`,
    starts: open.filter(longEnough),
    ends: open.map(singular).filter(longEnough),
  };
}

/** Letters of neighbouring words that are read as one (`send_e_mail`, `log_in`), as in the names of params. */
const LONGEST_RUN = 16;

/** Each of them between the words around it: `send_e_mail` holds `send_email`. */
function joined(words: readonly string[]): readonly (readonly string[])[] {
  const runs: (readonly string[])[] = [];
  for (let from = 0; from < words.length; from++) {
    let run = words[from]!;
    for (let to = from + 1; to < words.length; to++) {
      run += words[to]!;
      if (run.length > LONGEST_RUN) break;
      runs.push([...words.slice(Math.max(0, from - 1), from), run, ...words.slice(to + 1, to + 2)]);
    }
  }
  return runs;
}

function holds({ cancels, words, starts, ends }: NameTraits, thing: string): boolean {
  if (cancels && !thing.startsWith('cancel')) return false;
  if (words.includes(`_${thing}_`)) return true;
  const folded = thing.replaceAll('_', '');
  return (
    folded.length >= FOLDED &&
    (starts.some((word) => word.startsWith(folded)) || ends.some((word) => word.endsWith(folded)))
  );
}
