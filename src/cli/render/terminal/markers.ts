/**
 * Text of strangers in the channels of machines. CI runners read the output of a step and obey marks in it, whatever program wrote them:
 *
 * - Azure Pipelines: `##vso[task.setvariable ...]` anywhere in a line, `##[error]` at its start; TeamCity: `##teamcity[...]`; GitHub's first
 *   grammar: `##[add-path]`. One family: `##`, letters or none, `[`.
 * - GitHub Actions: a line whose first word is `::name ...::`, after blanks. A text can come to stand there by being wrapped.
 * - GitLab: `section_start:1560896352:name`, `section_end:...`; Travis: `travis_fold:start:...`.
 * - Buildkite: a line that begins with `---`, `+++`, `~~~` or `^^^ +++` and a blank folds, unfolds or greys what follows.
 *
 * This is the one place that knows them. What a reader sees stays readable, and in JSON and XML what a program reads stays the same.
 */
const HASHES = /##(?=[a-z]*\[)/gi;
const COMMAND = /(^|\s)::(?=[^\s:][^]*?::)/g;
const SECTION = /(section_(?:start|end)|travis_(?:fold|time)):(?=[\w])/gi;
const GROUP = /(^|\s)(--|\+\+|~~|\^\^)([-+~^])(?=\s|$)/g;
/** What every mark holds. */
const MAY_MARK = /##|::|_(?:start|end|fold|time):|--|\+\+|~~|\^\^/i;

/** The text with a space where a mark would begin: for people, and for formats that have no other spelling of a character. */
export function withoutMarkers(text: string): string {
  if (!MAY_MARK.test(text)) return text;
  return text
    .replace(HASHES, '## ')
    .replace(COMMAND, '$1: :')
    .replace(SECTION, '$1 :')
    .replace(GROUP, (_, before: string, two: string, last: string) => `${before}${two} ${last}`);
}

/** JSON text in which the marks are written as escapes: the same document. They can only stand in its strings. */
export function escapedMarkers(json: string): string {
  return json.replace(HASHES, '#\\u0023').replace(SECTION, '$1\\u003a').replace(COMMAND, '$1:\\u003a');
}
