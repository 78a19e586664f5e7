/** Tables: aligned for a person, tab-separated without a header for a pipe. */
import type { Paint } from './paint.js';
import { clean, columnsOf, fit } from './text.js';

export interface Column {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly right?: boolean;
  /** May be cut when the terminal is narrow; the widest such column gives way first. */
  readonly flexible?: boolean;
  /** Applied after cutting and padding, so that colour never shifts a column. */
  readonly colour?: (cell: string) => string;
}

export interface Look {
  /** Columns of the terminal; null for a pipe. */
  readonly width: number | null;
  readonly paint: Paint;
}

const GAP = '  ';
const NARROWEST = 8;

/** The table without a final newline; every cell is cleaned. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], look: Look): string {
  const cells = rows.map((row) => columns.map((_, i) => clean(row[i] ?? '')));
  if (look.width === null) return cells.map((row) => row.join('\t')).join('\n');
  const widths = columns.map((column, i) =>
    Math.max(columnsOf(column.title), ...cells.map((row) => columnsOf(row[i]!))),
  );
  shrink(widths, columns, look.width);
  const header = columns.map((column, i) => look.paint.bold(pad(column.title.toUpperCase(), widths[i]!, column)));
  const lines = cells.map((row) =>
    row.map((cell, i) => (columns[i]!.colour ?? same)(pad(cell, widths[i]!, columns[i]!))).join(GAP),
  );
  return [header.join(GAP), ...lines].map((line) => line.trimEnd()).join('\n');
}

function shrink(widths: number[], columns: readonly Column[], width: number): void {
  let over = widths.reduce((sum, w) => sum + w, 0) + GAP.length * (columns.length - 1) - width;
  while (over > 0) {
    let widest = -1;
    columns.forEach((column, i) => {
      if (column.flexible === true && widths[i]! > NARROWEST && (widest < 0 || widths[i]! > widths[widest]!))
        widest = i;
    });
    if (widest < 0) return;
    widths[widest]!--;
    over--;
  }
}

function pad(text: string, width: number, column: Column): string {
  const cut = fit(text, width);
  const space = ' '.repeat(Math.max(0, width - columnsOf(cut)));
  return column.right === true ? space + cut : cut + space;
}

const same = (text: string): string => text;
