import { clean } from '../terminal/text.js';

/** Text for element content and quoted attributes: nothing in it is markup, and nothing in it moves the text around it. */
export function escapeHtml(text: string): string {
  return clean(text).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
