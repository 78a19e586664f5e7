/** Charts as SVG text. All strings are escaped here; every number is finite. */
import { escapeHtml } from './html.js';
import { clean, fit } from '../terminal/text.js';

const WIDTH = 720;
const HEIGHT = 190;
const LEFT = 44;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 24;
const INNER = WIDTH - LEFT - RIGHT;
const DEPTH = HEIGHT - TOP - BOTTOM;

export interface Bar {
  /** ms since the epoch. */
  readonly start: number;
  /** From the bottom up, in the order of the series. */
  readonly values: readonly number[];
}

export interface Axis {
  readonly from: number;
  readonly to: number;
}

/** Stacked bars over time. */
export function stackedBars(title: string, series: readonly string[], bars: readonly Bar[], span: number, axis: Axis) {
  const most = nice(Math.max(1, ...bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0))));
  const width = Math.max(1, (span / (axis.to - axis.from)) * INNER);
  const shapes = bars.flatMap(({ start, values }) => {
    let below = 0;
    return values.map((value, i) => {
      const y = TOP + DEPTH * (1 - (below + value) / most);
      const height = (DEPTH * value) / most;
      below += value;
      if (value === 0) return '';
      const label = `${time(start)}: ${value} ${series[i]!}`;
      return `<rect class="s${i}" x="${round(x(start, axis))}" y="${round(y)}" width="${round(Math.max(0.6, width - 1))}" height="${round(height)}"><title>${escapeHtml(label)}</title></rect>`;
    });
  });
  return frame(title, [0, most / 2, most].map(plain), axis, shapes.join(''));
}

/** A line that holds its value until the next point, between 0 and 1. */
export function stepLine(
  title: string,
  points: readonly { readonly start: number; readonly score: number }[],
  axis: Axis,
  marks: readonly { readonly at: number; readonly name: string }[],
): string {
  const y = (score: number): number => TOP + DEPTH * (1 - Math.min(1, Math.max(0, score)));
  const path = points.map(({ start, score }, i) => {
    const [px, py] = [round(x(start, axis)), round(y(score))];
    return i === 0 ? `M${px} ${py}` : `H${px}V${py}`;
  });
  const dots = points.map(
    ({ start, score }) =>
      `<circle class="dot" cx="${round(x(start, axis))}" cy="${round(y(score))}" r="2.5"><title>${escapeHtml(`${time(start)}: ${score}`)}</title></circle>`,
  );
  const lines = marks.map(
    ({ at, name }) =>
      `<line class="mark" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(at))}" y2="${round(y(at))}"/><text class="tick" x="${WIDTH - RIGHT - 2}" y="${round(y(at) - 3)}" text-anchor="end">${escapeHtml(name)}</text>`,
  );
  const line = points.length === 0 ? '' : `<path class="line" d="${path.join('')}H${WIDTH - RIGHT}"/>`;
  return frame(title, ['0', '0.5', '1'], axis, lines.join('') + line + dots.join(''));
}

/** Bars side by side with their names, the longest first as given. */
export function rankedBars(title: string, rows: readonly { readonly name: string; readonly count: number }[]): string {
  const most = Math.max(1, ...rows.map(({ count }) => count));
  const height = Math.max(1, rows.length) * 26 + 8;
  const shapes = rows.map(({ name, count }, i) => {
    const width = Math.max(2, (count / most) * (WIDTH - 230));
    return `<text class="name" x="0" y="${i * 26 + 20}">${escapeHtml(fit(clean(name), 18))}</text><rect class="s1" x="150" y="${i * 26 + 6}" width="${round(width)}" height="18"/><text class="name" x="${round(156 + width)}" y="${i * 26 + 20}">${count}</text>`;
  });
  return `<div class="wide" tabindex="0"><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}">${shapes.join('')}</svg></div>`;
}

function frame(title: string, ticks: readonly string[], axis: Axis, content: string): string {
  const grid = ticks.map((label, i) => {
    const y = round(TOP + DEPTH * (1 - i / (ticks.length - 1)));
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/><text class="tick" x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${label}</text>`;
  });
  const labels = [0, 1, 2, 3, 4].map((i) => {
    const at = axis.from + ((axis.to - axis.from) * i) / 4;
    const anchor = i === 0 ? 'start' : i === 4 ? 'end' : 'middle';
    return `<text class="tick" x="${round(x(at, axis))}" y="${HEIGHT - 6}" text-anchor="${anchor}">${tick(at, axis)}</text>`;
  });
  // Where there is room for a part only, it is the newest one.
  return `<div class="wide newest" tabindex="0"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">${grid.join('')}${content}${labels.join('')}</svg></div>`;
}

function x(at: number, { from, to }: Axis): number {
  return LEFT + Math.min(1, Math.max(0, (at - from) / (to - from))) * INNER;
}

function tick(at: number, { from, to }: Axis): string {
  const text = new Date(at).toISOString();
  return to - from > 3 * 86_400_000 ? text.slice(5, 10) : text.slice(11, 16);
}

function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The next 1, 2 or 5 times a power of ten, even so that its half is a whole number. */
function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const found = [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= value) ?? 10 * power;
  return Math.max(2, found);
}

function plain(value: number): string {
  return value >= 10_000 ? `${value / 1000}k` : String(value);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
