// Owns the neutral tree that a report is drawn as: plain objects, so that a file and a page can be made from the same.

export type Attribute = string | number | true;
export interface Element { readonly tag: string; readonly attrs: Readonly<Record<string, Attribute>>; readonly children: readonly View[] }
/** A string is text, never markup: whoever draws it escapes it (file) or sets it as text (page). */
export type View = string | Element;
export type Child = View | undefined | false | readonly Child[];

/** One element. Text children are made visible (see `visible`), absent children are left out. */
export function el(tag: string, attrs: Readonly<Record<string, Attribute | undefined>>, ...children: readonly Child[]): Element {
  const kept: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(attrs)) if (value !== undefined) kept[name] = typeof value === 'string' ? visible(value) : value;
  return { tag, attrs: kept, children: flat(children) };
}

function flat(children: readonly Child[]): View[] {
  const out: View[] = [];
  for (const child of children) {
    if (child === undefined || child === false) continue;
    if (typeof child === 'string') out.push(visible(child));
    else if (isList(child)) out.push(...flat(child));
    else out.push(child);
  }
  return out;
}

function isList(child: Element | readonly Child[]): child is readonly Child[] {
  return Array.isArray(child);
}

/** Control characters and direction overrides shown as signs: a log line must not hide or reorder what it says. Tab and newline stay. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (sign) => {
    const code = sign.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return '\u2421';
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

// C0 without tab and newline, DEL, C1, direction marks and overrides, line separators, lone surrogates (cannot be written as UTF-8).
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** All text of a tree, for search and for tests. */
export function textOf(view: View): string {
  return typeof view === 'string' ? view : view.children.map(textOf).join('');
}
