/** A moment by both clocks of a machine, in ms: the monotonic one, which no administrator sets, and the wall clock. */
export interface Moment {
  readonly mono: number;
  readonly wall: number;
}
