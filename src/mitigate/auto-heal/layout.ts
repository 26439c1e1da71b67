// Owns how a change to an XML text is laid out: line ends and indentation follow the file, and what is not changed keeps its bytes.
import type { XmlAttribute, XmlElement } from './xml-scan.ts';

/** Text of the file to be replaced by another; places are those of the text as it was. */
export interface Splice { readonly start: number; readonly end: number; readonly text: string }
/** Lines of new elements, each with its depth below the parent. */
export interface Line { readonly depth: number; readonly text: string }

const DEFAULT_UNIT = '  ';
const BLANK = /^[ \t]*$/;

export function spliced(text: string, splices: readonly Splice[]): string {
  let result = text;
  for (const { start, end, text: put } of [...splices].sort((a, b) => b.start - a.start || b.end - a.end)) result = result.slice(0, start) + put + result.slice(end);
  return result;
}

export class Layout {
  readonly #text: string;
  readonly #root: XmlElement;
  readonly #escape: (value: string) => string;

  /** `escape`: a value as it may stand between quotes of this kind. */
  constructor(text: string, root: XmlElement, escape: (value: string, quote: string) => string) {
    this.#text = text;
    this.#root = root;
    this.#escape = (value) => escape(value, '"');
    this.#quoted = escape;
  }

  readonly #quoted: (value: string, quote: string) => string;

  /** `<name a="1" />` or its opening tag. */
  tag(name: string, attributes: Readonly<Record<string, string | undefined>>, open = false): string {
    const said = Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [` ${key}="${this.#escape(value)}"`]));
    return `<${name}${said.join('')}${open ? '>' : ' />'}`;
  }

  /** New children of a parent, before one of its children where named, else at its end. */
  insert(parent: XmlElement, lines: readonly Line[], before?: XmlElement): Splice[] {
    const eol = this.#eol(parent.start);
    const indent = this.#indentAt(parent.start);
    const rows = (own: string): string => lines.map(({ depth, text }) => `${own}${this.#unit(parent).repeat(depth)}${text}`).join(eol ?? '');
    const flat = lines.map(({ text }) => text).join('');
    if (parent.selfClosing) {
      const from = this.#trimmedBack(parent.end - 2);
      const inner = eol === undefined || indent === undefined || !this.#endsLine(parent.end) ? flat : `${eol}${rows(indent + this.#unit(parent))}${eol}${indent}`;
      return [{ start: from, end: parent.end, text: `>${inner}</${parent.name}>` }];
    }
    const place = before?.start ?? parent.closeStart;
    const own = this.#indentAt(place);
    if (eol !== undefined && own !== undefined && this.#lineStart(place) >= parent.openEnd) {
      const start = this.#lineStart(place);
      return [{ start, end: start, text: `${rows(before === undefined ? this.#childIndent(parent, own) : own)}${eol}` }];
    }
    const empty = parent.children.length === 0 && this.#text.slice(parent.openEnd, parent.closeStart).trim() === '';
    if (empty && eol !== undefined && indent !== undefined && this.#endsLine(parent.end)) return [{ start: parent.openEnd, end: parent.closeStart, text: `${eol}${rows(indent + this.#unit(parent))}${eol}${indent}` }];
    return [{ start: place, end: place, text: flat }];
  }

  /** An element taken away, with its lines where it has them for itself. */
  remove({ start, end }: XmlElement): Splice {
    const from = this.#lineStart(start);
    if (!BLANK.test(this.#text.slice(from, start)) || !this.#endsLine(end)) return { start, end, text: '' };
    return { start: from, end: this.#nextLine(end), text: '' };
  }

  /** An attribute set, added or (undefined) taken away. */
  set(element: XmlElement, name: string, value: string | undefined): Splice[] {
    const there = element.attributes.find((one) => one.name === name);
    if (there === undefined) return value === undefined ? [] : [this.#add(element, name, value)];
    if (value !== undefined) return [{ start: there.valueStart, end: there.valueEnd, text: this.#quoted(value, this.#text[there.valueStart - 1] ?? '"') }];
    return [{ start: this.#trimmedBack(there.start), end: there.end, text: '' }];
  }

  /** After the last attribute, set apart as that one is. */
  #add({ attributes, nameEnd }: XmlElement, name: string, value: string): Splice {
    const last = attributes.at(-1);
    if (last === undefined) return { start: nameEnd, end: nameEnd, text: ` ${name}="${this.#escape(value)}"` };
    const quote = this.#text[last.valueStart - 1] ?? '"';
    return { start: last.end, end: last.end, text: `${this.#gap(attributes, last, nameEnd)}${name}=${quote}${this.#quoted(value, quote)}${quote}` };
  }

  #gap(attributes: readonly XmlAttribute[], last: XmlAttribute, nameEnd: number): string {
    return this.#text.slice(attributes.at(-2)?.end ?? nameEnd, last.start);
  }

  /** Where children of a parent begin their lines. */
  #childIndent(parent: XmlElement, closing: string): string {
    for (const child of [...parent.children].reverse()) {
      const own = this.#lineStart(child.start) >= parent.openEnd ? this.#indentAt(child.start) : undefined;
      if (own !== undefined) return own;
    }
    return closing + this.#unit(parent);
  }

  /** One step of indentation: as near the place as one can be seen, else as the file begins. */
  #unit(parent: XmlElement): string {
    return this.#stepOf(parent) ?? this.#stepOf(this.#root) ?? first(this.#root.children, (child) => this.#stepOf(child)) ?? DEFAULT_UNIT;
  }

  #stepOf(parent: XmlElement): string | undefined {
    const outer = this.#indentAt(parent.start);
    if (outer === undefined) return undefined;
    return first(parent.children, (child) => {
      const inner = this.#indentAt(child.start);
      return inner !== undefined && inner.length > outer.length && inner.startsWith(outer) ? inner.slice(outer.length) : undefined;
    });
  }

  /** White space before a place when nothing else stands before it on its line; the byte-order mark is nothing. */
  #indentAt(place: number): string | undefined {
    const before = this.#text.slice(this.#lineStart(place), place);
    const bare = before.startsWith('\ufeff') ? before.slice(1) : before;
    return BLANK.test(bare) ? bare : undefined;
  }

  /** The line break nearest before a place, else the first of the file; undefined: it is all one line. */
  #eol(place: number): string | undefined {
    const start = this.#lineStart(place);
    if (start > 0) return this.#text.startsWith('\r\n', start - 2) ? '\r\n' : this.#text[start - 1];
    return /\r\n|\n|\r/.exec(this.#text)?.[0];
  }

  #lineStart(place: number): number {
    let at = place;
    while (at > 0 && this.#text[at - 1] !== '\n' && this.#text[at - 1] !== '\r') at -= 1;
    return at;
  }

  #endsLine(place: number): boolean {
    return /^[ \t]*(?:\r|\n|$)/.test(this.#text.slice(place, place + 1_000));
  }

  #nextLine(place: number): number {
    const [line = ''] = /^[ \t]*(?:\r\n|\n|\r|$)/.exec(this.#text.slice(place)) ?? [];
    return place + line.length;
  }

  #trimmedBack(place: number): number {
    let at = place;
    while (at > 0 && /[ \t\r\n]/.test(this.#text[at - 1] ?? '')) at -= 1;
    return at;
  }
}

function first<T, R>(items: readonly T[], found: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const one = found(item);
    if (one !== undefined) return one;
  }
  return undefined;
}
