/** What is wrong with a name that was refused, and how it is spelled: said of what was given, not of names in general. */
import { isAgentName, isDomain, parsePrincipalId, principalId } from './did.js';

/** Why this is no domain, without a full stop; null when it is one. */
export function wrongDomainText(text: string): string | null {
  if (isDomain(text)) return null;
  const said = `"${text.slice(0, 80)}" is not a lower-case domain name`;
  const found = domainFault(text);
  return found === null ? `${said}: labels of letters, digits and hyphens, as in acme.com` : `${said}: ${found}`;
}

function domainFault(text: string): string | null {
  if (text === '') return 'it is empty; write acme.com';
  const url = /^[a-z][a-z0-9+.-]*:\/\/([^/?#@\s]+)/i.exec(text);
  const bare = (url?.[1] ?? text)
    .replace(/^did:web:/i, '')
    .trim()
    .replace(/\.$/, '')
    .toLowerCase();
  const spelled = bare.replace(/:(\d{1,5})$/, '%3A$1').replace(/%3a/g, '%3A');
  const write = isDomain(spelled) ? `; write ${spelled}` : '';
  if (url !== null) return `it is a URL${write}`;
  if (/^did:/i.test(text)) return `it is a DID${write}`;
  if (text.includes('@')) return 'it is an address; write what stands after the @';
  if (/:\d+$/.test(text)) return `a port is written with %3A, as did:web has it${write}`;
  if (text !== text.trim()) return `there are blanks around it${write}`;
  if (text !== text.toLowerCase() && !/%3A/.test(text)) return `it has capitals${write}`;
  if (text.endsWith('.')) return `it ends in a dot${write}`;
  if (/^[0-9.]+$/.test(text) || text.startsWith('['))
    return 'it is an address of a machine, and a did:web names a host';
  if (/[^\x00-\x7f]/.test(text)) return 'it has letters beyond ASCII; write its xn-- form';
  if (text.includes('_')) return 'it has an underscore, which host names do not';
  if (text.includes('/')) return 'it has a path; write the host alone';
  return null;
}

/** Why this is no principal's id, without a full stop; null when it is one. */
export function wrongPrincipalText(text: string): string | null {
  if (parsePrincipalId(text) !== null) return null;
  const said = `"${text.slice(0, 80)}" is not of the form did:web:<domain>`;
  if (text.startsWith('did:web:')) {
    const rest = text.slice('did:web:'.length);
    if (/^[^:]+:agents:/.test(rest)) return `${said}: it is an agent's id; write ${principalId(rest.split(':')[0]!)}`;
    return `${said}: ${wrongDomainText(rest)}`;
  }
  if (/^did:/i.test(text)) return `${said}: another method of DIDs is not read`;
  return isDomain(text) ? `${said}; write ${principalId(text)}` : said;
}

/** Why this is no name of an agent, without a full stop; null when it is one. */
export function wrongAgentNameText(name: string): string | null {
  if (isAgentName(name)) return null;
  const said = `"${name.slice(0, 80)}" is not an agent name`;
  const rule = 'lower-case letters, digits and ". _ -", at most 63';
  const spelled = name
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '');
  const write = spelled !== name && isAgentName(spelled) ? `; write ${spelled}` : '';
  if (name === '') return `${said}: it is empty (${rule})`;
  if (name.length > 63) return `${said}: it has ${name.length} characters (${rule})`;
  if (/[A-Z]/.test(name) && isAgentName(name.toLowerCase())) return `${said}: it has capitals (${rule})${write}`;
  if (/^[._-]/.test(name)) return `${said}: it begins with "${name[0]}" (${rule})${write}`;
  const odd = /[^A-Za-z0-9._-]/u.exec(name)?.[0];
  return odd === undefined ? `${said}: ${rule}${write}` : `${said}: "${odd}" may not stand in one (${rule})${write}`;
}
