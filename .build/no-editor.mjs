/** Stands in for `@inquirer/external-editor`: no question here opens an editor, and it brings half a megabyte of character tables. */
export function editAsync() {
  throw new Error('no editor is in this bundle');
}
