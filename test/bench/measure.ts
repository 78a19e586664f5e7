/** Ratios against a baseline that is measured in between, so that they hold on any machine and while others use it. */

/** One measured thing beside its baseline, pair by pair, in microseconds. */
export interface Pair {
  readonly ours: number;
  readonly base: number;
}

export interface Result {
  readonly what: string;
  readonly against: string;
  /** What is asked for: `least` of the baseline's rate, or `most` of its time or of a size. Without a value it is a price to know. */
  readonly target: {
    readonly kind: 'least' | 'most';
    readonly value: number | null;
    readonly unit: '%' | 'x' | 'MB' | 'ms more';
  };
  readonly measured: number;
  /** Of single runs or calls, in microseconds; empty where there is nothing to spread. */
  readonly ours: readonly number[];
  readonly base: readonly number[];
}

/** The value below which `share` of all lie; the upper neighbour where there is none exactly. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * How many times as much as the baseline, measured in turns: by the lower quartiles, because whatever else the machine does
 * only ever adds to a measurement.
 */
export function timesAsMuch(pairs: readonly Pair[]): number {
  return low(pairs, 'ours') / low(pairs, 'base');
}

/** How much more than the baseline in ms, by the lower quartiles as above: the bar of a start is what it adds to that of node. */
export function msMore(pairs: readonly Pair[]): number {
  return (low(pairs, 'ours') - low(pairs, 'base')) / 1000;
}

function low(pairs: readonly Pair[], of: keyof Pair): number {
  return quantile(
    pairs.map((pair) => pair[of]),
    0.25,
  );
}

export function isMet({ target: { kind, value }, measured }: Result): boolean {
  return value === null || (kind === 'least' ? measured >= value : measured <= value);
}

export function table(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.what,
    result.against,
    asked(result.target),
    shown(result.measured, result.target.unit),
    result.target.value === null ? '' : isMet(result) ? 'met' : 'MISSED',
    spread(result.ours),
    spread(result.base),
  ]);
  const head = ['', 'against', 'target', 'measured', '', 'p50 / p99', 'baseline p50 / p99'];
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function asked({ kind, value, unit }: Result['target']): string {
  return value === null ? '' : `${kind === 'least' ? '>=' : '<='} ${shown(value, unit)}`;
}

function shown(value: number, unit: Result['target']['unit']): string {
  if (unit === '%') return `${(value * 100).toFixed(1)} %`;
  if (unit === 'ms more') return `+ ${value.toFixed(1)} ms`;
  return unit === 'x' ? `${value.toFixed(2)} x` : `${value.toFixed(1)} MB`;
}

function spread(microseconds: readonly number[]): string {
  if (microseconds.length === 0) return '';
  const [p50, p99] = [median(microseconds), quantile(microseconds, 0.99)];
  const ms = p50 >= 1000;
  const show = (value: number): string => (ms ? (value / 1000).toFixed(1) : value.toFixed(1));
  return `${show(p50)} / ${show(p99)} ${ms ? 'ms' : 'us'}`;
}
