/** Where things live on this machine. */

/** What decides where things live. */
export interface PathContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** As `process.platform` has it. */
  readonly platform: string;
  /** The user's home folder. */
  readonly userHome: string;
}

/** Folders and files of one workspace; they need not exist. */
export interface Paths {
  readonly configDir: string;
  readonly userConfigFile: string;
  /** Project config files the user has allowed to set sensitive keys. */
  readonly trustedFile: string;
  readonly stateDir: string;
  readonly stateFile: string;
  readonly keysDir: string;
  /** How far the state's log has come, kept apart from the state. */
  readonly generationFile: string;
}
