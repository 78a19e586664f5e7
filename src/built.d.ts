/** Checks a schema by the schema of JSON Schema 2020-12. A file without an import of its own declares it: hence the type inside. */
declare module 'built:meta-schema' {
  const validate: import('ajv').ValidateFunction;
  export default validate;
}

/** The text of a program that is compiled by itself, to be started elsewhere; `.build/parts.mjs` says which there are. */
declare module 'built:*' {
  const text: string;
  export default text;
}
