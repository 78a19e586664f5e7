/** The compiled forms in the user's cache folder: whatever is wrong with one, it is not taken, and nothing fails. */
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  formFolder,
  keptForms,
  folderProblem,
  readForm,
  writeForm,
  type FormFolder,
  type FormKey,
} from '../../../src/cli/boot/compiled-forms.js';
import { world } from '../../kit/world.js';

const uid = process.geteuid?.() ?? null;
const KEY: FormKey = {
  command: 'intent-verify',
  source: 'ab'.repeat(32),
  file: '1643032 1764000000000',
  node: 'v20.20.2',
  arch: 'x64',
  flags: '',
};
const BYTES = Buffer.from('what V8 made of it'.repeat(50));

function place(): FormFolder & { readonly file: () => string; readonly cwd: string } {
  const { cwd } = world();
  const parent = join(cwd, '.cache');
  const path = join(parent, 'aip');
  return { cwd, parent, path, file: () => join(path, readdirSync(path)[0]!) };
}

function kept() {
  const here = place();
  expect(writeForm(here, KEY, BYTES, true, uid)).toBe(true);
  return here;
}

describe('a compiled form', () => {
  test('comes back as it was kept, in a folder and a file of the user alone', () => {
    const here = kept();
    expect(readForm(here, KEY, uid)).toMatchObject({ bytes: BYTES, whole: true });
    expect(statSync(here.parent).mode & 0o777).toBe(0o700);
    expect(statSync(here.path).mode & 0o777).toBe(0o700);
    expect(statSync(here.file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(here.path)).toEqual(['intent-verify.v20.20.2-x64.abababababababab.v8']);
    expect(keptForms(here, KEY, [KEY.source, 'cd'.repeat(32)])).toEqual(['intent-verify']);
    expect(writeForm(here, KEY, Buffer.from('another'), false, uid)).toBe(true);
    expect(readForm(here, KEY, uid)).toMatchObject({ bytes: Buffer.from('another'), whole: false });
  });

  test.each(Object.keys(KEY) as (keyof FormKey)[])('is not taken for another %s', (member) => {
    const here = kept();
    const other = { ...KEY, [member]: member === 'source' ? 'cd'.repeat(32) : `${KEY[member]}x` };
    expect(readForm(here, other, uid)).toBeNull();
    // Nor under the other's name.
    const mine = here.file();
    writeForm(here, other, BYTES, true, uid);
    const theirs = readdirSync(here.path).find((name) => join(here.path, name) !== mine);
    renameSync(mine, theirs === undefined ? mine : join(here.path, theirs));
    expect(readForm(here, KEY, uid)).toBeNull();
    if (theirs !== undefined) expect(readForm(here, other, uid)).toBeNull();
  });

  test('is not taken with any byte changed, cut off or added', () => {
    const here = kept();
    const whole = readFileSync(here.file());
    const damaged = [
      ...[0, 15, 31, 32, 33, 40, whole.length >> 1, whole.length - 1].map((at) => {
        const bytes = Buffer.from(whole);
        bytes[at]! ^= 1;
        return bytes;
      }),
      ...[0, 1, 32, 33, 34, whole.length - 1].map((length) => whole.subarray(0, length)),
      Buffer.concat([whole, Buffer.from([0])]),
      Buffer.alloc(whole.length),
    ];
    for (const bytes of damaged) {
      writeFileSync(here.file(), bytes);
      expect(readForm(here, KEY, uid)).toBeNull();
    }
    writeFileSync(here.file(), whole);
    expect(readForm(here, KEY, uid)).not.toBeNull();
    expect(writeForm(here, KEY, BYTES, true, uid)).toBe(true);
  });

  test('makes room: a folder does not grow with every version and flag', () => {
    const here = kept();
    const old = new Date(Date.now() - 86_400_000);
    for (let n = 0; n < 70; n++) {
      writeForm(here, { ...KEY, flags: `--title=${n}` }, BYTES, true, uid);
      if (n === 0) utimesSync(here.file(), old, old);
    }
    expect(readdirSync(here.path).length).toBe(60);
  });
});

describe.runIf(uid !== null)('the folder is not used, for reading or writing, when', () => {
  const TROUBLE: Readonly<Record<string, [(here: FormFolder) => void, string]>> = {
    'the group may write it': [({ path }) => chmodSync(path, 0o770), 'others may read or change it'],
    'the group may read it': [({ path }) => chmodSync(path, 0o750), 'others may read or change it'],
    'everybody may enter it': [({ path }) => chmodSync(path, 0o701), 'others may read or change it'],
    'it is a link to another': [
      ({ path }) => {
        renameSync(path, `${path}.real`);
        symlinkSync(`${path}.real`, path);
      },
      'it is a symbolic link',
    ],
    'it is a file': [
      ({ path }) => {
        renameSync(path, `${path}.real`);
        writeFileSync(path, '');
      },
      'it is not a folder',
    ],
  };
  test.each(Object.entries(TROUBLE))('%s', (_, [spoil, why]) => {
    const here = kept();
    spoil(here);
    expect(folderProblem(here, uid)).toBe(why);
    expect(readForm(here, KEY, uid)).toBeNull();
    expect(writeForm(here, { ...KEY, command: 'revoke' }, BYTES, true, uid)).toBe(false);
    for (const folder of [here.path, `${here.path}.real`])
      if (existsSync(folder) && lstatSync(folder).isDirectory()) expect(readdirSync(folder)).toHaveLength(1);
  });

  test('it belongs to another user', () => {
    const here = kept();
    expect(folderProblem(here, uid! + 1)).toBe('it belongs to another user');
    expect(readForm(here, KEY, uid! + 1)).toBeNull();
    expect(writeForm(here, KEY, BYTES, true, uid! + 1)).toBe(false);
  });
});

describe.runIf(uid !== null)('a file is not taken when', () => {
  test.each([
    ['the group may write it', (file: string) => chmodSync(file, 0o660)],
    ['others may read it', (file: string) => chmodSync(file, 0o604)],
    [
      'it is a link',
      (file: string) => {
        renameSync(file, `${file}.real`);
        symlinkSync(`${file}.real`, file);
      },
    ],
    [
      'it is a folder',
      (file: string) => {
        renameSync(file, `${file}.real`);
        mkdirSync(file);
      },
    ],
  ])('%s', (_, spoil) => {
    const here = kept();
    spoil(here.file());
    expect(readForm(here, KEY, uid)).toBeNull();
  });

  test('the name of a draft is a link of somebody: drafts are made anew, and replace no target', () => {
    const here = kept();
    const outside = join(here.cwd, 'outside');
    writeFileSync(outside, 'precious');
    const file = here.file();
    renameSync(file, `${file}.old`);
    symlinkSync(outside, file);
    expect(writeForm(here, KEY, BYTES, true, uid)).toBe(true);
    expect(readFileSync(outside, 'utf8')).toBe('precious');
    expect(lstatSync(file).isFile()).toBe(true);
    linkSync(file, `${file}.second`);
    expect(readForm(here, KEY, uid)).not.toBeNull();
  });
});

describe('nothing is kept, and nothing fails, where', () => {
  test('there is no home', () => {
    const linux = { env: {}, platform: 'linux', uid };
    expect(formFolder({ ...linux, home: '' })).toBeNull();
    expect(formFolder({ ...linux, home: 'relative' })).toBeNull();
    expect(formFolder({ ...linux, env: { XDG_CACHE_HOME: 'relative' }, home: '' })).toBeNull();
    expect(formFolder({ env: {}, platform: 'win32', home: 'C:\\Users\\me', uid: null })).toBeNull();
  });

  test.each([
    ['linux', {}, '/home/me/.cache/aip'],
    ['linux', { XDG_CACHE_HOME: '/var/cache/me' }, '/var/cache/me/aip'],
    ['linux', { XDG_CACHE_HOME: 'relative' }, '/home/me/.cache/aip'],
    ['darwin', {}, '/home/me/Library/Caches/aip'],
    ['win32', { LOCALAPPDATA: 'C:\\Users\\me\\AppData\\Local' }, 'C:\\Users\\me\\AppData\\Local\\aip\\compiled'],
  ])('(and on %s with %j it is %s)', (platform, env, path) => {
    expect(formFolder({ env, platform, home: '/home/me', uid })?.path).toBe(path);
  });

  test.runIf(process.platform === 'linux')('home is /proc', () => {
    const folder = formFolder({ env: {}, platform: 'linux', home: '/proc', uid })!;
    expect(writeForm(folder, KEY, BYTES, true, uid)).toBe(false);
    expect(readForm(folder, KEY, uid)).toBeNull();
  });

  test('the folders above are missing, or a file stands in their place', () => {
    const { cwd } = world();
    const deep = { parent: join(cwd, 'no/such/.cache'), path: join(cwd, 'no/such/.cache/aip') };
    expect(writeForm(deep, KEY, BYTES, true, uid)).toBe(false);
    writeFileSync(join(cwd, 'file'), '');
    const inFile = { parent: join(cwd, 'file'), path: join(cwd, 'file/aip') };
    expect(writeForm(inFile, KEY, BYTES, true, uid)).toBe(false);
    expect(readForm(inFile, KEY, uid)).toBeNull();
  });

  test.runIf(uid !== null)('the folder is read-only', () => {
    const here = kept();
    // Root may write anywhere, so that another user tries.
    const other = uid === 0 ? 65_534 : uid!;
    if (uid === 0) for (const path of [here.path, here.file()]) chmodSync(path, 0o777);
    const before = readdirSync(here.path);
    chmodSync(here.path, uid === 0 ? 0o755 : 0o500);
    try {
      if (uid === 0) process.seteuid!(other);
      expect(writeForm(here, { ...KEY, command: 'revoke' }, BYTES, true, other)).toBe(false);
    } finally {
      if (uid === 0) process.seteuid!(0);
      chmodSync(here.path, 0o700);
    }
    expect(readdirSync(here.path)).toEqual(before);
  });
});
