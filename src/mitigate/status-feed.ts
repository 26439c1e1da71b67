// Owns reading the platform's status feed (RSS) out of hostile text: bounded, plain words only, links to https alone.
import type { StatusItem } from '../shared/service-health.ts';

const MAX_ITEMS = 20;
const MAX_TITLE = 300;
const MAX_TEXT = 2_000;
const MAX_LINK = 500;

/** The items of a feed, the newest first as far as they are dated; undefined: this is no feed. What the answer cut off in mid-item is left out. */
export function statusItems(xml: string): readonly StatusItem[] | undefined {
  if (!/<rss[\s>]/i.test(xml.slice(0, 2_000)) || !/<channel[\s>]/i.test(xml.slice(0, 5_000))) return undefined;
  const items: StatusItem[] = [];
  for (let from = xml.search(/<item[\s>]/i); from >= 0 && items.length < MAX_ITEMS;) {
    const end = xml.indexOf('</item>', from);
    if (end < 0) break;
    const item = itemIn(xml.slice(from, end));
    if (item !== undefined) items.push(item);
    const next = xml.slice(end).search(/<item[\s>]/i);
    from = next < 0 ? -1 : end + next;
  }
  return items.sort((a, b) => (b.at ?? 0) - (a.at ?? 0));
}

function itemIn(text: string): StatusItem | undefined {
  const title = wordsOf(content(text, 'title')).slice(0, MAX_TITLE);
  if (title === '') return undefined;
  const about = wordsOf(content(text, 'description')).slice(0, MAX_TEXT);
  const at = Date.parse(wordsOf(content(text, 'pubDate')));
  const link = wordsOf(content(text, 'link'));
  return { title, ...(about === '' ? {} : { text: about }), ...(Number.isFinite(at) && at > 0 ? { at } : {}), ...(isSafe(link) ? { link } : {}) };
}

/** By place, not by pattern: nothing in it can make the search go back and forth. */
function content(text: string, name: string): string {
  const open = text.indexOf(`<${name}>`);
  if (open < 0) return '';
  const close = text.indexOf(`</${name}>`, open);
  const inner = close < 0 ? '' : text.slice(open + name.length + 2, close).trim();
  return inner.startsWith('<![CDATA[') && inner.endsWith(']]>') ? inner.slice(9, -3) : entities(inner);
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: '\'', nbsp: ' ' };
/** Five names and numbers; what a feed declares itself is left as it stands. */
const entities = (text: string): string => text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal: string | undefined, hex: string | undefined, name: string | undefined) => {
  if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
  return code > 0 && code <= 0x10_ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : ' ';
});

/** Markup inside an item is dropped, whatever it is; so are signs that steer a terminal or turn the writing. */
function wordsOf(text: string): string {
  let plain = '', inTag = false;
  for (const sign of text.slice(0, 20_000)) {
    if (sign === '<') inTag = true;
    else if (sign === '>' && inTag) { inTag = false; plain += ' '; } else if (!inTag) plain += sign;
  }
  return entities(plain).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g, ' ').replace(/ {2,}/g, ' ').trim();
}

function isSafe(link: string): boolean {
  if (link.length === 0 || link.length > MAX_LINK || !URL.canParse(link)) return false;
  const { protocol, username, password } = new URL(link);
  return protocol === 'https:' && username === '' && password === '';
}
