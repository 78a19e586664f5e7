/** Colour as a value: renderers take it, and what knows the stream decides what it does. Meaning never rests on it alone. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

const same = (text: string): string => text;

/** No colour: files, pipes, `NO_COLOR`, tests. */
export const plain: Paint = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };
