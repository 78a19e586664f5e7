import { describe, expect, test } from 'vitest';
import { markConfusable } from '../../../src/protocol/naming/confusable.js';

describe('a letter that may be taken for another is named', () => {
  test.each([
    ['of another script in a Latin word', 'p\u0430ypal', 'p\u0430[U+0430]ypal'],
    ['in a word of twins alone', '\u0430\u0440\u0435', '\u0430[U+0430]\u0440[U+0440]\u0435[U+0435]'],
    ['in a word of twins and digits', '\u0430\u04351', '\u0430[U+0430]\u0435[U+0435]1'],
    ['full-width', 'pay\uff50al', 'pay\uff50[U+FF50]al'],
    ['of two letters in one', 'of\ufb01ce', 'of\ufb01[U+FB01]ce'],
    [
      'beside words that are as they look',
      'pay p\u0430y \u043f\u0440\u0438\u0432\u0435\u0442',
      'pay p\u0430[U+0430]y \u043f\u0440\u0438\u0432\u0435\u0442',
    ],
  ])('%s', (_, text, marked) => expect(markConfusable(text)).toBe(marked));
});

test.each([
  'paypal 123',
  '\u041f\u0440\u0438\u0432\u0435\u0442',
  '\u0395\u03bb\u03bb\u03ac\u03b4\u03b1',
  '\u6771\u4eac',
  'na\u00efve',
  // The same letter in another form of Unicode looks like what it is.
  'nai\u0308ve',
  '10 \u212b',
])('%s is kept', (text) => expect(markConfusable(text)).toBe(text));
