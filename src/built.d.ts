/** The text of a program that is compiled by itself, to be started elsewhere; `.build/parts.mjs` says which there are. */
declare module 'built:*' {
  const text: string;
  export default text;
}
