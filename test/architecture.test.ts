/** The house rules as a test. Each ban says why; change a rule here and in the README's "How it is built" together. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { PARTS } from '../.build/parts.mjs';
import { COMMANDS } from '../src/cli/registry.js';
import { flagOf } from '../src/cli/input/flags.js';
import { ALONE } from './alone.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Source {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Without comments, so that a word in prose is no use of a thing. */
  readonly code: string;
  readonly imports: readonly string[];
}

const SOURCES = sourcesIn('src');
const TESTS = sourcesIn('test');

const LAYERS: Readonly<Record<string, { readonly may: readonly string[]; readonly because: string }>> = {
  protocol: { may: [], because: 'documents and bytes can be audited, and taken elsewhere, alone' },
  verify: { may: ['protocol'], because: 'the decision is a pure function: no I/O can sway it' },
  trust: { may: ['protocol'], because: 'scores are folds over log entries and must be recomputable' },
  mesh: { may: ['protocol'], because: 'the rules of the mesh are tested without a socket or a timer' },
  app: { may: ['protocol', 'verify', 'trust', 'mesh'], because: 'use cases know ports, not what implements them' },
  adapters: {
    may: ['app', 'protocol', 'mesh', 'trust'],
    because: 'the outside world is replaceable: it keeps what the folds give it, and decides nothing',
  },
  workspace: {
    may: ['app', 'protocol', 'verify', 'trust', 'mesh', 'adapters'],
    because: 'it is the one wiring of adapters: this folder shows what a command or a program can touch',
  },
  library: {
    may: ['workspace', 'app', 'protocol', 'verify', 'trust', 'mesh'],
    because: 'it offers the use cases to programs: argument checks and public types over the workspace',
  },
  guard: {
    may: ['library', 'app', 'protocol', 'verify'],
    because: 'what stands before a tool decides nothing itself: it asks the library',
  },
  cli: {
    may: ['workspace', 'guard', 'app', 'protocol', 'verify', 'trust', 'mesh'],
    because: 'it declares and translates, over the workspace that the library stands on as well',
  },
};

/** Each package stands in one file, so that replacing it is an afternoon. */
const PACKAGES: Readonly<Record<string, string>> = {
  '@inquirer/prompts': 'src/cli/questions/prompts.ts',
  '@noble/ed25519': 'src/protocol/ed25519/sign.ts',
  'age-encryption': 'src/adapters/age.ts',
  ajv: 'src/adapters/json-schema.ts',
  chalk: 'src/cli/shell/colour.ts',
  commander: 'src/cli/shell/parse.ts',
  cosmiconfig: 'src/cli/config/files.ts',
  libsql: 'src/adapters/sqlite/engine/database.ts',
  pg: 'src/adapters/postgres/connection.ts',
  'string-width': 'src/cli/render/terminal/width.ts',
};

/** What an application that needs it has installed: no dependency of the package. */
const PEERS: Readonly<Record<string, string>> = { '@langchain/core': 'src/guard/frameworks/langchain.ts' };

/** Modules that compute and touch nothing; their other members are banned by name below. */
const PURE_MODULES = ['node:crypto', 'node:path', 'node:url', 'node:util', 'node:buffer'];

/** A folder holds at most this many files: what is in it can then be seen at one look. */
const FILES_A_FOLDER = 14;
/** Folders whose files are all of one kind may hold more: the next one goes beside them without a thought. */
const ONE_KIND: Readonly<Record<string, string>> = {
  'src/cli/commands': 'a file a command; the path is the words of the command, and the rooms are its nouns',
  'src/cli/help/topics': 'a file a help topic',
  'test/bench': 'a file a benchmark, and what measures them',
  'test/vectors': 'a file of cases a rule',
};

const A_FORM = 'each module of a table has it, and the table reads it from all of them';
const A_STAND_IN = 'the small program of the frequent commands takes that file in the place of the full one';
const A_CHECK = 'a check is called by what it checks, in each dialect; the pipeline of a dialect names its own';
const USE_CASE = 'the library offers the use case under its own name';
const PASSED_ON = 'the workspace passes it on to the adapter, which it loads when it is asked';
/** Names that several files export, though each should mean one thing. At most 20, each with its reason. */
const SHARED_NAMES: Readonly<Record<string, string>> = {
  command: A_FORM,
  text: A_FORM,
  COMMANDS: A_STAND_IN,
  SECTIONS: A_STAND_IN,
  commandHelp: A_STAND_IN,
  groupHelp: A_STAND_IN,
  overview: A_STAND_IN,
  pageWidth: A_STAND_IN,
  start: A_STAND_IN,
  BEFORE_HOOKS: 'each dialect says what it checks before a hook is asked',
  hooks: A_CHECK,
  nonce: A_CHECK,
  revocation: A_CHECK,
  signature: A_CHECK,
  trust: A_CHECK,
  createPassport: USE_CASE,
  signIntent: USE_CASE,
  growingFile: PASSED_ON,
  listenHere: PASSED_ON,
  guardTool: 'a framework a file: each is an entrance of its own to the package',
};

/** In the pure folders the world comes in as an argument: a decision can then be replayed, and tested at any moment. */
const AMBIENT: Readonly<Record<string, RegExp>> = {
  'the clock': /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)|\bperformance\b|\bhrtime\b/,
  randomness: /\bMath\.random\b|\brandom(Bytes|UUID|Int|FillSync)\b|\bgetRandomValues\b|\bgenerateKey(Pair)?(Sync)?\b/,
  'the process': /\bprocess\.[a-z]/,
  timers: /\bset(Timeout|Interval|Immediate)\b/,
  'the network': /(?<![.\w])fetch\(|\bWebSocket\b|\bEventSource\b/,
  'the console': /\bconsole\./,
};

describe('imports', () => {
  test.each(Object.entries(LAYERS))('src/%s', (layer, { may, because }) => {
    const strays = SOURCES.filter((source) => layerOf(source.path) === layer).flatMap((source) =>
      source.imports
        .filter((target) => target.startsWith('src/'))
        .filter((target) => ![layer, ...may].includes(layerOf(target)))
        .map((target) => `${source.path} imports ${target}`),
    );
    expect(strays, because).toEqual([]);
  });
  test('every folder of src has its rule', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map((folder) => folder.name).sort()).toEqual(Object.keys(LAYERS).sort());
  });
  test('the whole of a command is known to commands and the shell; below, each function names the parts that it needs', () => {
    const strays = SOURCES.filter(
      ({ path }) => layerOf(path) === 'cli' && !/^src\/cli\/(commands\/|shell\/|spec\.ts$)/.test(path),
    ).filter(({ imports }) => imports.includes('src/cli/cli.ts'));
    expect(strays.map(({ path }) => path)).toEqual([]);
  });
  test('of the use cases, adapters know the ports and the failures', () => {
    const strays = SOURCES.filter((source) => layerOf(source.path) === 'adapters').flatMap((source) =>
      source.imports
        .filter(
          (target) => layerOf(target) === 'app' && !/^src\/app\/(ports\/|(?:system-)?failures?\.ts$)/.test(target),
        )
        .map((target) => `${source.path} imports ${target}`),
    );
    expect(strays).toEqual([]);
  });
  test('each package is imported by one file', () => {
    const found: Record<string, string[]> = {};
    for (const source of SOURCES) {
      for (const target of source.imports) {
        if (target.startsWith('src/') || target.startsWith('node:')) continue;
        const name = target
          .split('/')
          .slice(0, target.startsWith('@') ? 2 : 1)
          .join('/');
        found[name] = [...new Set([...(found[name] ?? []), source.path])];
      }
    }
    const allowed = Object.entries({ ...PACKAGES, ...PEERS });
    expect(found).toEqual(Object.fromEntries(allowed.map(([name, path]) => [name, [path]])));
  });
  test('every dependency is used, and none is used undeclared', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: object };
    expect(Object.keys(dependencies).sort()).toEqual(Object.keys(PACKAGES).sort());
  });
  test('modules with effects stay in adapters and cli', () => {
    const strays = pure().flatMap((source) =>
      source.imports
        .filter((target) => target.startsWith('node:') && !PURE_MODULES.includes(target))
        .map((target) => `${source.path} imports ${target}`),
    );
    expect(strays).toEqual([]);
  });
  test('nothing is imported in a circle: a file can be read before those that use it', () => {
    expect(circles()).toEqual([]);
  });
  test('no `export *`: what is public is named', () => {
    expect(SOURCES.filter((source) => /^export \*/m.test(source.code)).map((source) => source.path)).toEqual([]);
  });
});

describe('pure code takes the world as an argument', () => {
  test.each(Object.entries(AMBIENT))('no ambient reading of %s', (_, pattern) => {
    const strays = pure().flatMap((source) =>
      source.code
        .split('\n')
        .filter((line) => pattern.test(line))
        .map((line) => `${source.path}: ${line.trim()}`),
    );
    expect(strays).toEqual([]);
  });
});

describe('files', () => {
  test('are small enough to read in one sitting', () => {
    const long = SOURCES.map((source) => ({ path: source.path, lines: source.text.split('\n').length - 1 }));
    expect(long.filter((source) => source.lines > 350)).toEqual([]);
  });
  test('stand in rooms that can be seen at one look', () => {
    const oneKind = (folder: string): boolean =>
      Object.keys(ONE_KIND).some(
        (known) => folder === known || (known === 'src/cli/commands' && folder.startsWith(`${known}/`)),
      );
    const crowded = ['src', 'test']
      .flatMap(foldersIn)
      .map((folder) => ({
        folder,
        files: readdirSync(join(ROOT, folder), { withFileTypes: true }).filter((entry) => entry.isFile()).length,
      }))
      .filter(({ folder, files }) => files > FILES_A_FOLDER && !oneKind(folder));
    expect(crowded).toEqual([]);
    const all = new Set(['src', 'test'].flatMap(foldersIn));
    expect(Object.keys(ONE_KIND).filter((folder) => !all.has(folder))).toEqual([]);
  });
  test('of tests that replace a module or keep a browser share no worker with others', () => {
    const keeps = /\bvi\.(?:un|do|doUn)?mock\(|kit\/browser\.js'/i;
    const found = TESTS.filter(({ path, code }) => path.endsWith('.test.ts') && keeps.test(code));
    expect(found.map(({ path }) => path).filter((path) => path !== 'test/architecture.test.ts')).toEqual(ALONE);
  });
  test('are named for what they hold', () => {
    const vague = /^(utils?|helpers?|common|managers?|services?|misc|impl|base|shared|lib|types)$/;
    const named = SOURCES.filter((source) => {
      // The Secret Service is what freedesktop.org calls its keychain.
      const words = source.path.replace('secret-service', '').replace(/\.ts$/, '').split(/[/-]/).slice(1);
      return words.some((word) => vague.test(word));
    });
    expect(named.map((source) => source.path)).toEqual([]);
  });
  test('no program stands in a string, where nothing checks it: .build/parts.mjs compiles each by itself', () => {
    // What is started from a text, and code that is made into one.
    const written = /\brequire\('node:|\bString\(main\)|\.toString\(\)\s*\+\s*['"`]\(/;
    const strings = /`(?:[^`\\]|\\.)*`/g;
    const strays = SOURCES.filter((source) => (source.code.match(strings) ?? []).some((text) => written.test(text)));
    expect(strays.map((source) => source.path)).toEqual([]);
    const started = SOURCES.filter((source) => /\beval: true\b|'-e'/.test(source.code));
    expect(started.filter((source) => !/from 'built:/.test(source.code)).map((source) => source.path)).toEqual([]);
    expect(SOURCES.filter((source) => /\bString\(main\)/.test(source.code))).toEqual([]);
  });
  test('each part is started by one file', () => {
    const users = SOURCES.flatMap((source) => [...source.code.matchAll(/'built:([^']*)'/g)].map((match) => match[1]));
    expect(users.sort()).toEqual([...Object.keys(PARTS), 'meta-schema'].sort());
  });
  test('no script of package.json is a program of its own', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    expect(Object.entries(scripts).filter(([, line]) => String(line).length > 160)).toEqual([]);
  });
  test('every export of the layers that others build on says what it is', () => {
    const documented = /^src\/(protocol|verify|trust|mesh|app|workspace|library|guard)\//;
    const bare = SOURCES.filter(({ path }) => documented.test(path)).flatMap(({ path, text }) => {
      const lines = text.split('\n');
      return lines.flatMap((line, i) => {
        const name = /^export (?:async |abstract )*(?:function\*?|class|interface|type|const|enum) (\w+)/.exec(
          line,
        )?.[1];
        if (name === undefined) return [];
        let above = i - 1;
        while (/^\s*(\/\/|@)/.test(lines[above] ?? '')) above -= 1;
        return /\*\/\s*$/.test(lines[above] ?? '') ? [] : [`${path}: ${name}`];
      });
    });
    expect(bare).toEqual([]);
  });
  test('the top level stays what it is', () => {
    const allowed = [
      'README.md',
      'LICENSE',
      'bin',
      'fixtures',
      'package-lock.json',
      'package.json',
      'src',
      'test',
      'tsconfig.json',
    ];
    const made = ['dist', 'node_modules', 'coverage'];
    const found = readdirSync(ROOT).filter((name) => !name.startsWith('.') && !made.includes(name));
    expect(found.filter((name) => !allowed.includes(name))).toEqual([]);
  });
});

describe('names', () => {
  test('one word is exported by one file, and means one thing', () => {
    const files = new Map<string, Set<string>>();
    for (const source of SOURCES) {
      for (const name of exportsOf(source.code)) {
        if (!files.has(name)) files.set(name, new Set());
        files.get(name)!.add(source.path);
      }
    }
    const shared = [...files].filter(([, { size }]) => size > 1);
    expect(Object.fromEntries(shared.filter(([name]) => !(name in SHARED_NAMES)))).toEqual({});
    expect(shared.map(([name]) => name).sort()).toEqual(Object.keys(SHARED_NAMES).sort());
    expect(Object.keys(SHARED_NAMES).length).toBeLessThanOrEqual(20);
  });
});

describe('tests', () => {
  test('none is switched off, and none shuts out the others', () => {
    const off = /\b(test|it|describe)\.(only|todo|skip)\b|^\s*(xit|xtest|xdescribe|fit|fdescribe)\(/m;
    expect(TESTS.filter((source) => off.test(source.code)).map((source) => source.path)).toEqual([]);
  });
  test('every flag that is declared is used by one', async () => {
    const texts = TESTS.filter((source) => source.path.endsWith('.test.ts')).map((source) => source.text);
    const unused: string[] = [];
    for (const listing of COMMANDS) {
      const { command } = await listing.load();
      for (const option of (command.options ?? []).flatMap((group) => group.options)) {
        const { long, names } = flagOf(option);
        const used = names.some((name) =>
          texts.some((text) => new RegExp(`'${name}[' ]|\\s${name}(?![\\w-])`).test(text)),
        );
        if (!used) unused.push(`${command.path.join(' ')} ${long}`);
      }
    }
    expect(unused).toEqual([]);
  });
});

function sourcesIn(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => read(`${folder}/${name.split(sep).join('/')}`))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** `folder` and every folder below it. */
function foldersIn(folder: string): string[] {
  return [
    folder,
    ...readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/')),
  ];
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
  const targets = [
    ...code.matchAll(/(?<!['\w.])(?:from\s+|import\s*\(\s*|require\s*\(\s*|^import\s+)'([^'\n]+)'/gm),
  ].map((match) => match[1]!);
  return { path, text, code, imports: targets.map((target) => resolved(path, target)) };
}

/** The names that a file gives away, types included. What it passes on from another file under the same name is that file's. */
function exportsOf(code: string): string[] {
  const declared = [
    ...code.matchAll(
      /^export (?:declare )?(?:async |abstract )*(?:function\*?|class|interface|type|const|let|enum) (\w+)/gm,
    ),
  ].map((match) => match[1]!);
  const listed = [...code.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names]) =>
    names!
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== '')
      .flatMap((name) => {
        const [own, given] = name.split(/ as /);
        const here = new RegExp(`^(?:async )?(?:function\\*?|class|interface|type|const|let|enum) ${own}\\b`, 'm').test(
          code,
        );
        return given !== undefined || here ? [given ?? own!] : [];
      }),
  );
  return [...declared, ...listed];
}

/** A file of ours from the root, or the specifier as it is. */
function resolved(from: string, target: string): string {
  // A program that is compiled by itself stands where its source is.
  // What else is built, ajv writes.
  if (target.startsWith('built:')) return PARTS[target.slice('built:'.length)]?.entry ?? 'ajv';
  if (!target.startsWith('.')) return target;
  const path = normalize(join(dirname(from), target))
    .split(sep)
    .join('/');
  return path.replace(/\.js$/, '.ts');
}

/** `protocol` of `src/protocol/json/parse.ts`; empty for a file of src itself, and for what is not ours. */
function layerOf(path: string): string {
  const [root, layer, ...rest] = path.split('/');
  return root === 'src' && rest.length > 0 ? layer! : '';
}

function pure(): Source[] {
  return SOURCES.filter(
    (source) =>
      !['adapters', 'cli', ''].includes(layerOf(source.path)) &&
      source.path !== 'src/library/world.ts' &&
      // This runs in the operator's browser, and is handed its window.
      !source.path.startsWith('src/mesh/dashboard/page/'),
  );
}

/** The circles of imports: types included, for what a type speaks of has to be read first as well, and imports on demand. */
function circles(): string[] {
  const imports = new Map(
    SOURCES.map((source) => {
      const targets = [...source.code.matchAll(/\b(?:from\s*|import\(\s*)'(\.[^']+)'/g)].map((match) =>
        resolved(source.path, match[1]!),
      );
      return [source.path, targets] as const;
    }),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}
