/** The names of a path as file systems compare them: some take several spellings for one name. */
import { posix } from 'node:path';

/** Some file systems pass over these. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;
/** A file's own content, or a folder's own list, by the name of its stream. */
const STREAM = /:(?:\$\w+)?:\$\w+$/;
/** A name of eight letters that Windows gives beside a longer one. */
const SHORT = /^([^~.]{1,6})~\d+(?:\.([^.]{1,3}))?$/;

/** In one case and one form, whatever a file system makes of case and accents. */
export function folded(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

/** The names of `path`, each in its plainest spelling; steps up stay where they are. */
export function namesOf(path: string): string[] {
  return plainLetters(path)
    .split(/[\\/]/)
    .map((name) => (/^[. ]*$/.test(name) ? name : name.replace(STREAM, '').replace(/[. ]+$/, '')))
    .filter((name) => name !== '' && name !== '.');
}

function plainLetters(path: string): string {
  if (/^[ -~]*$/.test(path)) return path.toLowerCase();
  return path.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').replaceAll(UNSEEN, '');
}

/** The same once the steps up are taken. */
export function namesTaken(path: string): string[] {
  return namesOf(posix.normalize(path.replaceAll('\\', '/')));
}

/** True where `names` hold the names of `wanted`, one after the other, from the place `at` on. */
export function holdsNamesAt(wanted: readonly string[], names: readonly string[], at: number): boolean {
  return wanted.every((name, i) => {
    const found = names[at + i];
    return found !== undefined && (found === name || isShortFor(found, name) || isShortFor(name, found));
  });
}

function isShortFor(short: string, name: string): boolean {
  const [, start, end = ''] = SHORT.exec(short) ?? [];
  if (start === undefined) return false;
  const letters = name.replace(/^\.+/, '').replaceAll(' ', '');
  const dot = letters.lastIndexOf('.');
  const [stem, extension] = dot < 0 ? [letters, ''] : [letters.slice(0, dot), letters.slice(dot + 1)];
  return stem.replaceAll('.', '').slice(0, 6) === start && extension.slice(0, 3) === end;
}
