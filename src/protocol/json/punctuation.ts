/** The characters that JSON is built with, each as its byte, which is its UTF-16 code unit as well. */

/** `"` */
export const QUOTE = 0x22;
/** `,` */
export const COMMA = 0x2c;
/** `:` */
export const COLON = 0x3a;
/** `\` */
export const BACKSLASH = 0x5c;
/** `[` */
export const LIST_OPEN = 0x5b;
/** `]` */
export const LIST_CLOSE = 0x5d;
/** `{` */
export const OBJECT_OPEN = 0x7b;
/** `}` */
export const OBJECT_CLOSE = 0x7d;
/** `-` */
export const MINUS = 0x2d;
/** `0` */
export const ZERO = 0x30;
/** `9` */
export const NINE = 0x39;
