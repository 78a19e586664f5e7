/** Addresses of keys that are asked for a signature where they live (protocol, section 6). */

/** Where a key lives that never comes here. */
export type KeyAddress =
  | { readonly kind: 'ssh-agent'; readonly by: 'fingerprint' | 'comment'; readonly value: string }
  | { readonly kind: 'hashivault'; readonly key: string }
  | { readonly kind: 'awskms'; readonly id: string }
  | { readonly kind: 'cmd'; readonly argv: readonly [string, ...string[]] };

/** The scheme of an address. */
export type KeyAddressKind = KeyAddress['kind'];

/** The text of an address, as far as a type can say. */
export type KeyAddressText = `${KeyAddressKind}:${string}`;

/** Longest address, in UTF-16 units. */
const MAX_ADDRESS = 2048;
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;

/** The kinds, as their addresses begin. */
export const KEY_ADDRESS_FORMS: Readonly<Record<KeyAddressKind, string>> = {
  'ssh-agent': 'ssh-agent:SHA256:<fingerprint> or ssh-agent:<comment>',
  hashivault: 'hashivault://<key>',
  awskms: 'awskms:///<arn or alias>',
  cmd: 'cmd:<program>',
};

/** What a key at an address signs to show that it does: no document that anybody reads. `salt`: random, as hex. */
export function keyTrial(salt: string): Uint8Array {
  return Buffer.from(`aip/key-trial/v1\n${salt}`);
}

/** True for a text that begins as an address does, whether or not it is one. */
export function looksLikeKeyAddress(text: string): text is KeyAddressText {
  return /^(?:ssh-agent|hashivault|awskms|cmd):/.test(text);
}

/** The address in `text`; null for any other text. */
export function parseKeyAddress(text: string): KeyAddress | null {
  if (text.length > MAX_ADDRESS || CONTROL.test(text)) return null;
  const colon = text.indexOf(':');
  const rest = text.slice(colon + 1);
  switch (text.slice(0, colon)) {
    case 'ssh-agent': {
      const fingerprint = /^SHA256:([A-Za-z0-9+/]{43})=?$/.exec(rest)?.[1];
      if (fingerprint !== undefined) return { kind: 'ssh-agent', by: 'fingerprint', value: fingerprint };
      return rest === '' || rest.startsWith('SHA256:') ? null : { kind: 'ssh-agent', by: 'comment', value: rest };
    }
    case 'hashivault': {
      const key = /^\/\/([A-Za-z0-9][\w.-]{0,199})$/.exec(rest)?.[1];
      return key === undefined ? null : { kind: 'hashivault', key };
    }
    case 'awskms': {
      const id = /^\/\/\/([\w:/.-]{1,256})$/.exec(rest)?.[1];
      return id === undefined ? null : { kind: 'awskms', id };
    }
    case 'cmd': {
      const [program, ...words] = rest.split(' ').filter((word) => word !== '');
      return program === undefined ? null : { kind: 'cmd', argv: [program, ...words] };
    }
    default:
      return null;
  }
}
