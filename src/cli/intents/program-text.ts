/** Where in a command an argument would be run, or read as a program, by what the command starts. */

/** What makes a shell or an interpreter read the next argument as a program. A longer word behind one dash, such as `-name`, is no cluster. */
const PROGRAM_FLAG = /^(?:-[A-Za-z]{0,2}[ce]|--?exec|--eval|--(?:[a-z-]+-)?command|--[a-z-]+-program|--rsh)$/;
/** The same with the program behind `=`. */
const PROGRAM_VALUE = /^(?:-[ce]|--exec|--eval|--(?:[a-z-]+-)?command|--[a-z-]+-program|--rsh)=$/;
/** What the same means to one interpreter, and to other programs means something harmless: a port, a pattern, a folder. More flags may stand between. */
const OWN_FLAGS: Readonly<Record<string, RegExp>> = {
  node: /^(?:-p|-p?e|--print|--import|--(?:experimental-)?loader)=?$/,
  bun: /^(?:-p|-p?e|--print)=?$/,
  deno: /^eval$/,
  perl: /^-\w*[eE]$/,
  ruby: /^-\w*e$/,
  lua: /^-\w*e$/,
  python: /^-\w*c$/,
  pypy: /^-\w*c$/,
  php: /^(?:-[rBRE]|--run|--process-code)=?$/,
  pwsh: /^-(?:c|command|e|ec|encodedcommand)$/i,
  powershell: /^-(?:c|command|e|ec|encodedcommand)$/i,
  cmd: /^\/[ck]$/i,
  env: /^(?:-S|--s[a-z-]*)=?$/,
  awk: /^--[a-z-]+=$/,
  gawk: /^--[a-z-]+=$/,
  sed: /^--[ef][a-z-]*=$/,
  crystal: /^eval$/,
  'ts-node': /^(?:-p|--print=?)$/,
};
/** The same to programs whose flag takes the argument right behind it: nothing later is announced by it. */
const FLAGS_OF_OTHERS: Readonly<Record<string, RegExp>> = {
  julia: /^(?:-E|--print)=?$/,
  erl: /^-(?:eval|run|s)$/,
  swipl: /^-[gt]$/,
  clisp: /^-x$/,
  matlab: /^-(?:batch|r)$/,
  vim: /^--cmd$/,
  nvim: /^--cmd$/,
  emacs: /^(?:-f|--?(?:eval|execute|funcall)=?)$/,
  gdb: /^--?i?(?:ex|init-eval-command|eval-command)=?$/,
  lldb: /^(?:-[oOk]|--one-line[a-z-]*=?)$/,
  mysql: /^(?:-[^\WDPSehpu]*e|--execute=?)$/,
  mariadb: /^(?:-[^\WDPSehpu]*e|--execute=?)$/,
  psql: /^-[^\WFLPRTUcdfhopv]*c$/,
  sqlite: /^--?cmd$/,
  duckdb: /^--?(?:cmd|s)$/,
  'clickhouse-client': /^(?:-q|--query=?)$/,
  find: /^-(?:exec|ok)(?:dir)?$/,
  tar: /^(?:-[IF]|--(?:checkpoint-action|(?:info|new-volume)-script)=?)$/,
  rsync: /^(?:-[^\WBMTef]*e|--rsync-path=?)$/,
  script: /^-[^\WBEIOTcmot]*c$/,
  su: /^-[^\WGcgsuw]*c$/,
  runuser: /^-[^\WGcgsuw]*c$/,
  flock: /^-[^\WEcw]*c$/,
  nc: /^-[^\W_]*[ce]$/,
  ncat: /^-[^\W_]*[ce]$/,
  git: /^--(?:upload-pack|receive-pack|extcmd|config|[a-z]+-filter)=?$/,
  docker: /^--entrypoint=?$/,
  podman: /^--entrypoint=?$/,
  nerdctl: /^--entrypoint=?$/,
  go: /^-?-toolexec=?$/,
  man: /^(?:-P|--pager=?)$/,
  split: /^--filter=?$/,
  wget: /^--execute=?$/,
  'nix-shell': /^--run$/,
  'start-stop-daemon': /^(?:-[ax]|--startas=?)$/,
  ssh: /^-o$/,
  scp: /^-[oS]$/,
  sftp: /^-[oS]$/,
};
/** Flags behind which a shell reads all arguments as one line of code, not the next alone. */
const LINE_FLAGS: Readonly<Record<string, RegExp>> = {
  cmd: /^\/[ckr]$/i,
  pwsh: /^[-/]c(?:om?m?a?n?d?)?$/i,
  powershell: /^[-/]c(?:om?m?a?n?d?)?$/i,
};
/** Programs of Windows that read all their arguments so, and what says that a program with arguments of its own comes instead. */
const LINE_READERS: Readonly<Record<string, RegExp>> = {
  cmd: /^(?!)/,
  powershell: /^[-/]f(?:il?e?)?$/i,
  wsl: /^(?:-e|--exec)$/,
};
const SHELL = /^(?:a|ba|da|fi|k|mk|pdk|ya|z|c|tc)?sh$|^rbash$/;
const SHELL_FLAG = /^(?:[-+][A-Za-z]*[cC][A-Za-z]*|--(?:init-)?command)$/;
/** What has a shell take the next argument for itself: `-o errexit`. */
const SHELL_VALUE = /^(?:[-+][A-Za-z]*[oO][A-Za-z]*|--(?:rcfile|init-file|emulate))$/;

/** A program that runs one of its arguments, or reads it as its program. */
interface Runner {
  /** How many arguments of its own stand before that one. */
  readonly operands?: number;
  /** Options that surely take no argument of their own; any other may. */
  readonly bare?: RegExp;
  /** `NAME=value` stands before that one. */
  readonly assigns?: boolean;
  /** Options that give the program in another way: behind the next argument all is data. */
  readonly supplies?: RegExp;
  /** Options that take the next argument for themselves. */
  readonly valued?: RegExp;
  /** A shell reads all of its arguments together. */
  readonly joins?: boolean;
  /** A shell reads together what stands behind its own arguments, elsewhere. */
  readonly joinsRest?: boolean;
}

const AWK: Runner = { bare: /^-[Fv]./, supplies: /^(?:-[A-Za-z]*[efE]|--(?:file|source|exec))$/ };
const RUNNERS: Readonly<Record<string, Runner>> = {
  env: {
    bare: /^(?:-|-[i0v]+|--ignore-environment|--null|--debug)$/,
    valued: /^(?:-[uC]|--unset|--chdir)$/,
    assigns: true,
  },
  timeout: { operands: 1, bare: /^(?:-[fpv]+|-[ks].+|--foreground|--preserve-status|--verbose)$/ },
  nice: { bare: /^(?:-n?-?\d+)$/, valued: /^(?:-n|--adjustment)$/ },
  nohup: {},
  stdbuf: { bare: /^-[ioe]./ },
  setsid: { bare: /^(?:-[cfw]+|--ctty|--fork|--wait)$/ },
  xargs: {
    bare: /^(?:-[0prtxo]+|-[ILnPsdEa].+|--null|--no-run-if-empty|--verbose|--open-tty|--exit)$/,
    valued: /^-[ILnPsdEa]$/,
  },
  sudo: {
    bare: /^(?:-[AbEHnPSis]+|-[ugpCTDR].+|--preserve-env|--login|--shell|--non-interactive|--set-home)$/,
    valued: /^(?:-[ugpCTDR]|--(?:user|group|prompt|close-from|command-timeout|chdir|chroot))$/,
    assigns: true,
  },
  doas: { bare: /^-[ns]+$/ },
  time: { bare: /^(?:-[apqvV]+|--append|--portability|--verbose)$/ },
  chroot: { operands: 1, bare: /^--skip-chdir$/ },
  ionice: { bare: /^(?:-t|-[cn]\d+|--ignore)$/ },
  chrt: { operands: 1, bare: /^-[abfior]+$/ },
  taskset: { operands: 1, bare: /^-[ac]+$/ },
  flock: { operands: 1, bare: /^(?:-[sxneuoF]+|--shared|--exclusive|--nonblock|--close|--no-fork|--verbose)$/ },
  busybox: {},
  fakeroot: {},
  unbuffer: { bare: /^-p$/ },
  torsocks: {},
  proxychains: { bare: /^-q$/ },
  pkexec: {},
  tini: { bare: /^-[gsvw]+$/ },
  'dumb-init': { bare: /^(?:-[cv]+|--single-child|--verbose)$/ },
  gosu: { operands: 1 },
  'su-exec': { operands: 1 },
  npx: { bare: /^(?:-[qy]|--yes|--no|--quiet)$/, valued: /^(?:-p|--package)$/ },
  uvx: { bare: /^(?:-q|--(?:quiet|offline|isolated))$/, valued: /^(?:-[pw]|--(?:from|python|with))$/ },
  bunx: { bare: /^--bun$/ },
  unshare: { bare: /^(?:-[CfimnprTuUc]+|--(?:fork|keep-caps|map-[a-z-]+|mount|mount-proc|net|pid|user|uts|ipc))$/ },
  strace: { bare: /^(?:-[cCDfFhiknqrtTvVwxyYzZ]+|--follow-forks)$/, valued: /^-[abeEIoOpPsSuUX]$/ },
  'systemd-run': {
    bare: /^(?:-[dGPqrSt]+|--(?:user|system|scope|wait|pipe|pty|quiet|collect|no-block|same-dir))$/,
    valued: /^(?:-[EHMpu]|--(?:unit|property|setenv|uid|gid|slice|machine|host|description|working-directory))$/,
  },
  watch: { joins: true },
  parallel: { joins: true },
  ssh: {
    operands: 1,
    bare: /^-(?:[46AaCfGgKkMNnqsTtVvXxYy]+|[BbcDEeFIiJLlmOopQRSWw].+)$/,
    valued: /^-[46AaCfGgKkMNnqsTtVvXxYy]*[BbcDEeFIiJLlmOopQRSWw]$/,
    joinsRest: true,
  },
  duckdb: { operands: 1, bare: /^-/, valued: /^--?(?:init|newline|nullvalue|separator)$/ },
  sqlite: { operands: 1, bare: /^-/, valued: /^--?(?:init|mmap|newline|nullvalue|separator|vfs|zip)$/ },
  awk: AWK,
  gawk: AWK,
  mawk: AWK,
  nawk: AWK,
  sed: {
    bare: /^(?:-[nErsuz]*(?:i.*)?|--(?:quiet|silent|in-place|regexp-extended|null-data|separate|posix|sandbox))$/,
    supplies: /^(?:-[nErsuz]*[ef]|--(?:expression|file))$/,
  },
};

const IN_CONTAINER: Runner = {
  operands: 1,
  bare: /^(?:-[ditTq]+|--(?:detach|interactive|no-tty|no-TTY|privileged|quiet|stdin|tty))$/,
  valued:
    /^(?:-[cefnsuw]|--(?:cluster|container|context|env|env-file|filename|index|kubeconfig|namespace|server|user|workdir))$/,
};
const IN_PACKAGES: Runner = {
  bare: /^(?:-[qy]|--(?:yes|no|quiet|frozen|locked|offline))$/,
  valued: /^(?:-[mpw]|--(?:module|package|python|with|workspace))$/,
};
/** Programs of many commands, and the words of the one that runs what stands behind its own arguments. */
const COMMANDS: readonly (readonly [programs: RegExp, words: readonly string[], runner: Runner])[] = [
  [/^(?:docker|podman|nerdctl)(?:-compose)?$|^kubectl$|^oc$/, ['exec'], IN_CONTAINER],
  [/^git$/, ['bisect', 'run'], {}],
  [/^git$/, ['submodule', 'foreach'], { bare: /^--(?:quiet|recursive)$/ }],
  [/^(?:npm|pnpm|yarn|bundle)$/, ['exec'], IN_PACKAGES],
  [/^(?:npm|bun)$/, ['x'], IN_PACKAGES],
  [/^(?:pnpm|yarn)$/, ['dlx'], IN_PACKAGES],
  [/^(?:uv|poetry|pipenv|pipx|op|doppler)$/, ['run'], IN_PACKAGES],
  [/^(?:lxc|incus)$/, ['exec'], { operands: 1, bare: /^-[tTn]$/ }],
  [/^aws-vault$/, ['exec'], { operands: 1 }],
];
/** Behind one of these, words are names of scripts, packages or images, whatever they are: `npm run exec`. */
const TAKES_NAMES =
  /^(?:add|i|info|install|link|list|ls|outdated|remove|rm|run|run-script|search|show|start|test|uninstall|update|upgrade|view|why)$/;

/**
 * True where a placeholder behind `before`, alone or behind the `=` of `flag`, would be run or read as a program. Where options leave open
 * which argument that is, each that it may be counts.
 */
export function readsProgram(before: readonly string[], flag: string): boolean {
  const asked = flag === '' ? before.at(-1)! : flag;
  if ((flag === '' ? PROGRAM_FLAG : PROGRAM_VALUE).test(asked)) return true;
  const names = before.map(baseName);
  // Also where another program starts it.
  if ([OWN_FLAGS, FLAGS_OF_OTHERS].some((flags) => names.some((name) => flagsIn(flags, name)?.test(asked) === true)))
    return true;
  if (names.some((name, i) => isInLine(name, before.slice(i + 1), i === 0))) return true;
  if (flag === '' && names.some((name, i) => isCode(name, before.slice(i + 1)))) return true;
  return isRun(before, flag);
}

function flagsIn(flags: Readonly<Record<string, RegExp>>, name: string): RegExp | null {
  return Object.hasOwn(flags, name) ? flags[name]! : null;
}

/** True where a shell reads what comes behind `args` of it together with them. `first`: it is the program that is run. */
function isInLine(name: string, args: readonly string[], first: boolean): boolean {
  const own = first ? flagsIn(LINE_READERS, name) : null;
  if (own !== null && !args.some((arg) => own.test(arg))) return true;
  const announces = flagsIn(LINE_FLAGS, name);
  return announces !== null && args.some((arg) => announces.test(arg));
}

/** True where what comes behind `args` of a shell or an interpreter is the program that one of them announced. */
function isCode(name: string, args: readonly string[]): boolean {
  const shell = SHELL.test(name);
  const announces = shell ? SHELL_FLAG : flagsIn(OWN_FLAGS, name);
  if (announces === null || Object.hasOwn(RUNNERS, name)) return false;
  let announced = false;
  let own = false;
  for (const [i, arg] of args.entries()) {
    const ended = args[i - 1] === '--' || args[i - 1] === '-';
    if (announces.test(arg) || (!shell && PROGRAM_FLAG.test(arg))) announced = true;
    else if (own) own = false;
    else if (ended || !/^[-+]/.test(arg)) return false;
    if (shell && SHELL_VALUE.test(arg)) own = true;
  }
  return announced;
}

/** True where a placeholder behind `command` would be what its program runs. */
function isRun([program = '', ...args]: readonly string[], flag: string): boolean {
  const name = baseName(program);
  if (Object.hasOwn(RUNNERS, name)) return isRunBy(RUNNERS[name]!, name, args, flag);
  return COMMANDS.some(([programs, words, runner]) => {
    if (!programs.test(name) || (args[0] !== words[0] && TAKES_NAMES.test(args[0] ?? ''))) return false;
    const at = args.findIndex((_, i) => words.every((word, j) => args[i + j] === word));
    return at >= 0 && isRunBy(runner, name, args.slice(at + words.length), flag);
  });
}

function isRunBy(
  { operands = 0, bare, assigns, supplies, valued, joins, joinsRest }: Runner,
  name: string,
  args: readonly string[],
  flag: string,
): boolean {
  if (joins === true) return true;
  let [found, open, ended] = [0, 0, false];
  for (const [i, arg] of args.entries()) {
    if (!ended && i > 0 && valued?.test(args[i - 1]!) === true) continue;
    if (assigns === true && /^[A-Za-z_]\w*=/.test(arg)) continue;
    if (!ended && arg === '--') ended = true;
    else if (!ended && supplies?.test(arg) === true) return flag === '' && i === args.length - 1;
    else if (!ended && arg.startsWith('-'))
      open += [bare, valued].some((each) => each?.test(arg)) || isWhole(name, arg) ? 0 : 1;
    else {
      found++;
      // It may be the command, which may run another one.
      if (found > operands && isRun(args.slice(i), flag)) return true;
      if (found > operands + open) return joinsRest === true;
    }
  }
  if (valued?.test(args.at(-1) ?? '') === true) return false;
  return (flag === '' || joinsRest === true) && found >= operands;
}

/** True for a long option with its value, but for the one that is split into arguments. */
function isWhole(program: string, arg: string): boolean {
  return /^--[a-z-]+=/.test(arg) && !(program === 'env' && arg.startsWith('--s'));
}

function baseName(program: string): string {
  return program
    .replace(/^.*[\\/]/, '')
    .replace(/(?:\.exe|[\d.]+)$/i, '')
    .toLowerCase();
}
