const BARS = '▁▂▃▄▅▆▇█';

/** A bar a number, scaled to the largest; nothing at all is a space. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  return values
    .map((value) => (value <= 0 ? ' ' : BARS[Math.min(BARS.length - 1, Math.floor((value / most) * BARS.length))]!))
    .join('');
}
