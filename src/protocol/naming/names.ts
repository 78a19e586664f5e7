/**
 * The one matcher for names (protocol, section 5.4). A limit reads what is there: case, separators, full-width letters, nesting and
 * plurals are the agent's to choose, so they never decide whether a limit sees a param.
 */
import { wordsOf } from './name-words.js';
import { hidesCharacter } from './hidden.js';
import { NOT_THESE_WORDS } from './vocabulary.js';

/** A name of a param, read once. */
export interface Name {
  readonly text: string;
  /** Case folded, as written in number. */
  readonly words: readonly string[];
  /** Every run of last words, joined, in both readings of its number: `stop_losses` is `loss` and `stoploss`. */
  readonly tails: readonly string[];
  /** All words joined: one text for every spelling of a name. */
  readonly key: string;
  /** It could itself be an address or a URL, as in `{"a@acme.com": "Ann"}`. */
  readonly addressed: boolean;
  /** It holds an invisible character. */
  readonly hidden: boolean;
}

/** A name may be as long as a document; longer words than this are in no table. */
const MAX_RUN = 64;
const SHORTEST_FOLDED = 5;
const MOST_NAMES = 4096;
const LONGEST_KEPT = 128;
const known = new Map<string, Name>();

/** The name as limits read it. */
export function nameOf(text: string): Name {
  let name = known.get(text);
  if (name !== undefined) return name;
  const words = wordsOf(text);
  name = {
    text,
    words,
    tails: tailsOf(words),
    key: keyOfWords(words),
    addressed: /[@:\\\uff20\ufe6b\uff1a\ufe55\uff3c\ufe68]|\/\//.test(text),
    hidden: hidesCharacter(text),
  };
  if (text.length <= LONGEST_KEPT) {
    if (known.size >= MOST_NAMES) known.clear();
    known.set(text, name);
  }
  return name;
}

/** The key of the name alone. */
export function keyOf(text: string): string {
  return keyOfWords(wordsOf(text));
}

function keyOfWords(words: readonly string[]): string {
  return words.map(singular).join('');
}

/**
 * Both numbers of a word fold to one key, which need not be a word itself: cache and caches are `cach`, status and statuses `statu`.
 */
export function singular(word: string): string {
  if (word.length < 3) return word;
  let one = withoutS(word);
  if (one.endsWith('ie')) return `${one.slice(0, -2)}y`;
  if (one.endsWith('e') && SIBILANTS.some((end) => one.endsWith(end))) one = one.slice(0, -1);
  return withoutS(one);
}

/** Their plural is spoken with a syllable more. Compared one by one: a pattern costs a short process more to compile. */
const SIBILANTS = ['se', 'xe', 'ze', 'che', 'she'];

function withoutS(word: string): string {
  return word.length > 2 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

function tailsOf(words: readonly string[]): string[] {
  const tails = new Set<string>();
  let joined = '';
  let each = '';
  for (let i = words.length - 1; i >= 0; i--) {
    joined = words[i]! + joined;
    if (joined.length > MAX_RUN) break;
    each = singular(words[i]!) + each;
    tails.add(singular(joined)).add(each);
  }
  return [...tails];
}

/** What a constraint is named after, compiled: matches names whose last words are its own. */
export interface Thing {
  readonly keys: ReadonlySet<string>;
  /** As the constraint writes it. */
  readonly written: string;
  /** Of these a name without separators may end in: `targetinstances`. */
  readonly folded: readonly string[];
  readonly matches: Map<string, boolean>;
}

/** The thing that `names` are spellings of. */
export function thingNamed(...names: readonly string[]): Thing {
  const keys = new Set<string>();
  for (const each of names) {
    const words = wordsOf(each);
    keys.add(singular(words.join(''))).add(keyOfWords(words));
  }
  return {
    keys,
    written: names[0] ?? '',
    folded: [...keys].filter((key) => key.length >= SHORTEST_FOLDED),
    matches: new Map(),
  };
}

/** True when the last words of the name are the thing. */
export function endsWith(name: Name, thing: Thing): boolean {
  let found = thing.matches.get(name.text);
  if (found !== undefined) return found;
  found = name.tails.some((tail) => thing.keys.has(tail)) || endsFolded(name, thing);
  if (name.text.length <= LONGEST_KEPT) {
    if (thing.matches.size >= 1024) thing.matches.clear();
    thing.matches.set(name.text, found);
  }
  return found;
}

function endsFolded({ words }: Name, { folded }: Thing): boolean {
  const last = words.at(-1);
  if (last === undefined || folded.length === 0 || isException(last)) return false;
  const one = singular(last);
  return folded.some((key) => one.length > key.length && one.endsWith(key));
}

function isException(word: string): boolean {
  return NOT_THESE_WORDS.has(word) || NOT_THESE_WORDS.has(singular(word));
}

/** Words that a name may hold anywhere. */
export interface Vocabulary {
  /** The word behind each key. */
  readonly words: ReadonlyMap<string, string>;
  readonly folded: readonly string[];
}

/** The words ready for any number of comparisons, in the singular. */
export function vocabularyOf(words: readonly string[]): Vocabulary {
  const keys = new Map(words.map((word) => [singular(word), word]));
  return { words: keys, folded: [...keys.keys()].filter((key) => keys.get(key)!.length >= SHORTEST_FOLDED) };
}

/** A word that a name holds, and where. */
export interface HeldWord {
  readonly word: string;
  /** The name begins with it. */
  readonly first: boolean;
  /** The name ends with it. */
  readonly last: boolean;
}

/**
 * Every word of the vocabulary that the name holds. Neighbouring words are also read as one (`web_hook`, `am-ount`), and a word of five
 * letters or more is found at either end of one that is written without separators (`REFUNDAMOUNT`, `callbackurl`).
 */
export function heldBy(name: Name, vocabulary: Vocabulary): HeldWord[] {
  const { words } = name;
  const held: HeldWord[] = [];
  const longest = 16;
  for (let from = 0; from < words.length; from++) {
    let run = '';
    for (let to = from; to < words.length; to++) {
      run += words[to]!;
      if (run.length > longest) break;
      const word = vocabulary.words.get(singular(run));
      if (word !== undefined) held.push({ word, first: from === 0, last: to === words.length - 1 });
    }
    foldedIn(words[from]!, vocabulary, from === 0, from === words.length - 1, held);
  }
  return held;
}

function foldedIn(word: string, { words, folded }: Vocabulary, first: boolean, last: boolean, held: HeldWord[]): void {
  if (word.length <= SHORTEST_FOLDED || words.has(singular(word)) || isException(word)) return;
  const one = singular(word);
  for (const key of folded) {
    if (word.startsWith(key) && one !== key) {
      held.push({ word: words.get(key)!, first, last: false });
      const rest = words.get(singular(word.slice(key.length)));
      if (rest !== undefined) held.push({ word: rest, first: false, last });
    }
    if (one.endsWith(key) && one !== key) {
      held.push({ word: words.get(key)!, first: false, last });
    }
  }
}

/** The last word of a name; of one without separators that begins with a word of the vocabulary, what follows that word. */
export function lastWords(name: Name, { folded }: Vocabulary): string[] {
  const last = name.words.at(-1);
  if (last === undefined) return [];
  const rests = folded.filter((key) => last.startsWith(key)).map((key) => singular(last.slice(key.length)));
  return [singular(last), ...rests.filter((rest) => rest !== ''), ...name.tails];
}

/** True when the two are spellings of one name. */
export function isSameName(name: Name, other: Name): boolean {
  return name.key === other.key;
}

/** A part of a path that is longer than any param that a passport names is none of them, however it is spelled. */
const LONGEST_PART = 256;
const INDEX = /\[[0-9]+\]/g;
const NO_PATH: readonly string[] = [];
/** The keys of names that are paths; empty for any other name. */
const paths = new WeakMap<Name, readonly string[]>();

function pathOf(meant: Name): readonly string[] {
  let keys = paths.get(meant);
  if (keys === undefined) {
    keys = meant.text.includes('.') ? meant.text.split('.').map((each) => nameOf(each).key) : NO_PATH;
    if (keys.includes('')) keys = NO_PATH;
    paths.set(meant, keys);
  }
  return keys;
}

/**
 * True when who names `meant` means a param of this name, or of this path where `meant` is written as one: `order.total` is the `total` of
 * an `order`, at any depth and in lists. Without a path the last name decides.
 */
export function isMeant(meant: Name, name: Name, path: string | null = null): boolean {
  if (isSameName(meant, name)) return true;
  const wanted = pathOf(meant);
  if (wanted.length === 0) return false;
  if (path === null) return wanted.at(-1) === name.key;
  // From behind, and no further than the names differ: a path may be as long as the params are.
  let end = path.length;
  for (let i = wanted.length - 1; i >= 0; i--) {
    if (end < 0) return false;
    const dot = path.lastIndexOf('.', end - 1);
    if (end - dot > LONGEST_PART) return false;
    const part = path.slice(dot + 1, end);
    const { key } = part === name.text ? name : nameOf(part.replace(INDEX, ''));
    if (key !== wanted[i]) return false;
    end = dot;
  }
  return true;
}
