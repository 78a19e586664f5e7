/** Tables: aligned for a person, tab-separated without a header for a pipe. */
import type { Paint } from './paint.js';
import { clean, fit, fitEnd, flowed, wrap } from './text.js';
import { columnsOf } from './width.js';

export interface TableColumn {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly right?: boolean;
  /** May be cut when the terminal is narrow: optional ones first, as far as they stay readable, then the widest. */
  readonly flexible?: boolean;
  /** Cut at its start: what tells ids and paths apart is their end. */
  readonly keepsEnd?: boolean;
  /** Left out, the last such column first, where flexible ones would become unreadable for it. */
  readonly optional?: boolean;
  /** A shorter form of a cell, for a terminal that is too narrow for all columns otherwise. */
  readonly brief?: (cell: string) => string;
  /** Prose: where there is no room to read it, it stands under its row. */
  readonly under?: boolean;
  /** Applied after cutting and padding, so that colour never shifts a column. */
  readonly colour?: (cell: string) => string;
}

export interface TableLook {
  /** Columns of the terminal; null for a pipe. */
  readonly width: number | null;
  readonly paint: Paint;
}

const GAP = '  ';
const NARROWEST = 8;
const READABLE = 28;
/** In fewer columns the cells of a flexible column tell nothing. */
const LEAST = 12;

/** The table without a final newline; every cell is cleaned. A terminal that is too narrow for it gets a line for each cell. */
export function table(
  declared: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  { width, paint }: TableLook,
): string {
  const all = rows.map((row) => declared.map((_, i) => clean(row[i] ?? '')));
  if (width === null) return all.map((row) => row.join('\t')).join('\n');
  const prose = declared.findIndex((column) => column.under === true);
  const spared = declared.filter((_, i) => i !== prose);
  const others = all.map((row) => row.filter((_, i) => i !== prose));
  if (prose >= 0 && leastOf(spared, others) + GAP.length + READABLE > width) {
    if (leastOf(spared, shortened(spared, others, width)) > width) return records(declared, all, { width, paint });
    const [header, ...lines] = table(spared, others, { width, paint }).split('\n');
    const under = (i: number): string[] => wrap(all[i]![prose]!, Math.max(NARROWEST, width - GAP.length));
    return [header, ...lines.flatMap((line, i) => [line, ...under(i).map((each) => GAP + each)])].join('\n');
  }
  const told = shortened(declared, all, width);
  if (leastOf(declared, told) > width) return records(declared, all, { width, paint });
  const full = widthsOf(declared, told);
  const kept = fitting(declared, full, width);
  const columns = kept.map((i) => declared[i]!);
  const cells = told.map((row) => kept.map((i) => row[i]!));
  const widths = kept.map((i) => full[i]!);
  shrink(widths, columns, width);
  const header = columns.map((column, i) => paint.bold(pad(column.title.toUpperCase(), widths[i]!, column)));
  const lines = cells.map((row) =>
    row.map((cell, i) => (columns[i]!.colour ?? same)(pad(cell, widths[i]!, columns[i]!))).join(GAP),
  );
  return [header.join(GAP), ...lines].map((line) => line.trimEnd()).join('\n');
}

/** The cells in their shorter forms, where the terminal is too narrow for them as they are. */
function shortened(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly (readonly string[])[] {
  if (leastOf(columns, rows) <= width) return rows;
  return rows.map((row) => row.map((cell, i) => columns[i]!.brief?.(cell) ?? cell));
}

function widthsOf(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): number[] {
  return columns.map((column, i) => Math.max(columnsOf(column.title), ...rows.map((row) => columnsOf(row[i]!))));
}

/** The columns of the terminal that the table takes at least, without what is optional. */
function leastOf(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): number {
  const full = widthsOf(columns, rows);
  const least = columns.flatMap(({ optional, flexible }, i) =>
    optional === true ? [] : [flexible === true ? Math.min(full[i]!, LEAST) : full[i]!],
  );
  return least.reduce((sum, each) => sum + each + GAP.length, -GAP.length);
}

/** A line for each cell, its title before it, and an empty line between rows. */
function records(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  { width, paint }: TableLook,
): string {
  const room = Math.max(...columns.map(({ title }) => columnsOf(title)));
  const line = ({ title, colour = same }: TableColumn, cell: string): string =>
    flowed(`${paint.bold(title.toUpperCase().padEnd(room))}${GAP}${colour(cell)}`, width).trimEnd();
  return rows.map((row) => columns.map((column, i) => line(column, row[i]!)).join('\n')).join('\n\n');
}

/** The columns that are shown, by their place. */
function fitting(columns: readonly TableColumn[], full: readonly number[], width: number): readonly number[] {
  let kept = columns.map((_, i) => i);
  const least = (i: number): number => (columns[i]!.flexible === true ? Math.min(full[i]!, READABLE) : full[i]!);
  while (kept.reduce((sum, i) => sum + least(i) + GAP.length, -GAP.length) > width) {
    const goes = kept.findLast((i) => columns[i]!.optional === true);
    if (goes === undefined) break;
    kept = kept.filter((i) => i !== goes);
  }
  return kept;
}

function shrink(widths: number[], columns: readonly TableColumn[], width: number): void {
  let over = widths.reduce((sum, w) => sum + w, 0) + GAP.length * (columns.length - 1) - width;
  while (over > 0) {
    const widestOf = (least: number, gives: (column: TableColumn) => boolean): number =>
      columns.reduce(
        (widest, column, i) =>
          column.flexible === true && gives(column) && widths[i]! > least && widths[i]! > (widths[widest] ?? 0)
            ? i
            : widest,
        -1,
      );
    const spare = widestOf(READABLE, (column) => column.optional === true);
    const widest = spare >= 0 ? spare : widestOf(NARROWEST, () => true);
    if (widest < 0) return;
    widths[widest]!--;
    over--;
  }
}

function pad(text: string, width: number, column: TableColumn): string {
  const cut = column.keepsEnd === true ? fitEnd(text, width) : fit(text, width);
  const space = ' '.repeat(Math.max(0, width - columnsOf(cut)));
  return column.right === true ? space + cut : cut + space;
}

const same = (text: string): string => text;
