import { KEY_NAMES, KEYS, OTHER_VARIABLES, variableOf, type KeySpec } from '../../config/keys.js';

export function text(): string {
  const keys = KEY_NAMES.map((name) => {
    const spec = KEYS[name] as KeySpec<unknown>;
    const value = spec.fallback === null ? 'unset' : JSON.stringify(spec.fallback);
    const meaning = `${spec.meaning}; ${spec.kind.expects}; default ${value.length > 40 ? 'as in the guide' : value}`;
    return `  ${spec.sensitive === true ? '!' : spec.loosens === undefined ? ' ' : '^'} ${name.padEnd(33)}  ${meaning}`;
  });
  const others = Object.entries(OTHER_VARIABLES).map(([name, meaning]) => `    ${name.padEnd(20)} ${meaning}`);
  return `# Config

The first of these that says something wins:
  1.  a flag
  2.  the environment: ${variableOf('verify.max_age')} is verify.max_age, and so on
  3.  the project file: the nearest of package.json ("aip": {...}), .aiprc, .aiprc.json, .aiprc.yaml, .aiprc.yml, .config/aiprc, .config/aiprc.json and .config/aiprc.yaml, from this folder up to the home folder; --config <file> replaces the search
  4.  the user file: config.json in the config folder
  5.  the default
aip config list --sources shows which one did. An unknown key or a value of the wrong kind is refused (exit 2).

Project files are data: none is ever run. Code (.js, .mjs, .cjs) is read only when named by --config. A project file that sets a key
marked !, that loosens one marked ^ against the user file or the default, or that belongs to another user counts only after aip
config trust, which remembers what it says and the text of the hooks it names; a change of either needs it again. In CI,
AIP_TRUST_CONFIG=1 trusts the file at hand.

# Keys
${keys.join('\n')}

  verify:                     in a file, dots are nesting (YAML; JSON likewise)
    max_age: 120s

# Folders
    --home, AIP_HOME    config, keys and state in this folder
    Linux               $XDG_CONFIG_HOME/aip, $XDG_STATE_HOME/aip, $XDG_DATA_HOME/aip/keys
    macOS               ~/Library/Application Support/aip
    Windows             %APPDATA%\\aip and %LOCALAPPDATA%\\aip
State is one file, state.db: spent nonces, windows, the verification log, pins and known passports.

# Other variables
${others.join('\n')}
`;
}
