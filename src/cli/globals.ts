/** The options every command takes, before or after its words. */
export interface Globals {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** False with `--no-color`. */
  readonly color: boolean;
  /** False with `--no-input`: no question is asked. */
  readonly input: boolean;
  readonly config: string | null;
  readonly home: string | null;
  readonly debug: boolean;
}
