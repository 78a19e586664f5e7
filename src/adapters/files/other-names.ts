/** Other names of files: where a file really lies, and whether another name is a hard link to it. */
import { lstatSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { namesInFolder } from './folders.js';
import { followed } from './followed.js';

/** More files than this are not looked through: whether one of them is meant is not known then. */
const MOST_FILES = 10_000;

/** Where `files`, names below each of the `folders`, really lie, also those that can still be made; links are followed. */
export function placesBehind(folders: readonly string[], files: readonly string[]): string[] {
  const places: string[] = [];
  for (const folder of folders) {
    const there = new Map<string, boolean>();
    for (const file of files) {
      const first = file.split('/', 1)[0]!;
      const known = there.get(first) ?? linkStat(join(folder, first)) !== null;
      there.set(first, known);
      if (known) places.push(followed(join(folder, file)));
    }
  }
  return [...new Set(places)];
}

/** True where the file at `path` is by another name one of the `places`, or a file below one of them. Links at `path` are followed. */
export function isHardLink(path: string, places: readonly string[]): boolean {
  const file = statOf(path);
  if (file === null || !file.isFile() || file.nlink < 2) return false;
  const open = [...places];
  let looked = 0;
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    looked += 1;
    if (looked > MOST_FILES) return true;
    const found = linkStat(place);
    if (found === null) continue;
    if (found.isFile() && found.ino === file.ino && found.dev === file.dev) return true;
    if (found.isDirectory()) open.push(...namesInFolder(place).map((name) => join(place, name)));
  }
  return false;
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

function linkStat(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}
