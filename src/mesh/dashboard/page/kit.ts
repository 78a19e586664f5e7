import type { Elem, PageWindow } from './browser.js';

/** Elements and texts, made safely. */
export type Kit = ReturnType<typeof kit>;

/** Elements and texts. Every string of a stranger becomes the text of an element, never markup. */
export function kit({ document }: PageWindow) {
  /** What shows nothing or moves what is around it: an id must not be able to look like another. */
  const invisible = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufe00-\ufe0f\u115f\u1160\u3164\uffa0\u034f]/gu;

  const clean = (value: unknown, most = 400): string => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    const shown = text.replace(invisible, '\ufffd');
    return shown.length > most ? `${shown.slice(0, most)}…` : shown;
  };

  const count = (n: number, one: string, more: string): string => `${n} ${n === 1 ? one : more}`;

  const byId = (id: string): Elem => {
    const found = document.getElementById(id);
    if (found === null) throw new Error(`the page lacks #${id}`);
    return found;
  };

  const el = (tag: string, className: string, ...children: readonly (Elem | string)[]): Elem => {
    const made = document.createElement(tag);
    if (className !== '') made.className = className;
    made.append(...children);
    return made;
  };

  /** Sets a text only when it is another one: what did not change is not announced again. */
  const say = (target: Elem, text: string): void => {
    if (target.textContent !== text) target.textContent = text;
  };

  const svg = (tag: string, attributes: Readonly<Record<string, string | number>>): Elem => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
    return made;
  };

  /** Accepted above the line of refused, an hour a bar. */
  const bars = (hours: readonly (readonly [number, number])[]): Elem => {
    const most = Math.max(1, ...hours.map(([accepted, refused]) => accepted + refused));
    const chart = svg('svg', {
      viewBox: `0 0 ${hours.length * 5} 28`,
      role: 'img',
      class: 'bars',
      preserveAspectRatio: 'none',
    });
    let [ok, bad] = [0, 0];
    hours.forEach(([accepted, refused], i) => {
      ok += accepted;
      bad += refused;
      const [high, low] = [(26 * accepted) / most, (26 * refused) / most];
      const x = i * 5;
      if (refused > 0) chart.append(svg('rect', { class: 's1', x, y: 27 - low, width: 4, height: low, rx: 1 }));
      if (accepted > 0)
        chart.append(svg('rect', { class: 's0', x, y: 27 - low - high, width: 4, height: high, rx: 1 }));
      if (accepted + refused === 0) chart.append(svg('rect', { class: 'nil', x, y: 26, width: 4, height: 1 }));
    });
    chart.setAttribute('aria-label', `last 24 hours: ${ok} accepted, ${bad} refused`);
    return chart;
  };

  const percent = (rate: number | null): string => (rate === null ? '–' : `${(rate * 100).toFixed(1)}%`);

  const ago = (ms: number): string => {
    const seconds = Math.max(0, Math.round(ms / 1000));
    if (seconds < 90) return `${seconds} s ago`;
    if (seconds < 5_400) return `${Math.round(seconds / 60)} min ago`;
    return seconds < 129_600 ? `${Math.round(seconds / 3_600)} h ago` : `${Math.round(seconds / 86_400)} d ago`;
  };

  /** `support-agent-v1` of `did:web:acme.com:agents:support-agent-v1`, and the domain; the whole text when it is no such id. */
  const nameOf = (id: string): { name: string; domain: string } => {
    const match = /^did:web:([^:]+):agents:([^:]+)$/.exec(id);
    return match === null ? { name: clean(id), domain: '' } : { name: clean(match[2]), domain: clean(match[1]) };
  };

  return { ago, bars, byId, clean, count, el, nameOf, percent, say };
}
