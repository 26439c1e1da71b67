// Owns the reading of an XML text into elements that know where they stand: strict, so that what it takes can be cut and joined by position.
import { XmlFault } from './xml-fault.ts';

export interface XmlAttribute {
  readonly name: string;
  /** Decoded. */
  readonly value: string;
  readonly start: number;
  /** Between the quotes. */
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly end: number;
}

export interface XmlElement {
  readonly name: string;
  readonly start: number;
  readonly nameEnd: number;
  readonly attributes: readonly XmlAttribute[];
  /** After `>` of the opening tag. */
  readonly openEnd: number;
  readonly selfClosing: boolean;
  /** Where `</` stands; of a self-closing one its end. */
  readonly closeStart: number;
  readonly end: number;
  readonly children: readonly XmlElement[];
  /** Text or CDATA that is more than white space stands directly inside. */
  readonly hasText: boolean;
}

type Open = { -readonly [K in keyof XmlElement]: XmlElement[K] extends readonly (infer E)[] ? E[] : XmlElement[K] };

/** No configuration is nested so deep; what is, was made to hurt. */
const MAX_DEPTH = 200;
const NAME = /[A-Za-z_:\u0080-\uffff][\w:.\-\u0080-\uffff]*/y;
const SPACE = /[ \t\r\n]*/y;
const REFERENCE = /&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));/y;
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'' };

/** The root. @throws XmlFault */
export function scan(text: string): XmlElement {
  return new Scanner(text).root();
}

class Scanner {
  readonly #text: string;
  #at: number;
  readonly #stack: Open[] = [];
  #root: Open | undefined;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.startsWith('\ufeff') ? 1 : 0;
  }

  root(): XmlElement {
    const bad = FORBIDDEN.exec(this.#text);
    if (bad !== null) throw this.#fault(`the character U+${(this.#text.charCodeAt(bad.index)).toString(16).padStart(4, '0')} may not stand in XML`, bad.index);
    if (this.#is('<?xml') && /[ \t\r\n]/.test(this.#text[this.#at + 5] ?? '')) this.#declaration();
    while (this.#at < this.#text.length) this.#next();
    const open = this.#stack.at(-1);
    if (open !== undefined) throw this.#fault(`the element ${open.name} of line ${lineAt(this.#text, open.start)} is not closed`);
    if (this.#root === undefined) throw this.#fault('there is no element');
    return this.#root;
  }

  #next(): void {
    if (this.#is('<!--')) this.#comment();
    else if (this.#is('<![CDATA[')) this.#cdata();
    else if (this.#is('<!')) throw this.#fault('it has a document type declaration, which IIS does not take');
    else if (this.#is('<?')) this.#instruction();
    else if (this.#is('</')) this.#close();
    else if (this.#is('<')) this.#open();
    else this.#characters();
  }

  #declaration(): void {
    const end = this.#find('?>', 'the XML declaration has no end');
    const inside = this.#text.slice(this.#at + 5, end);
    if (!/^\s+version\s*=\s*(["'])1\.0\1(\s+encoding\s*=\s*(["'])[A-Za-z][\w.-]*\3)?(\s+standalone\s*=\s*(["'])(yes|no)\5)?\s*$/.test(inside)) throw this.#fault('the XML declaration is not of version 1.0 or not well formed');
    this.#at = end + 2;
  }

  #comment(): void {
    const end = this.#text.indexOf('--', this.#at + 4);
    if (end < 0) throw this.#fault('a comment has no end');
    if (this.#text[end + 2] !== '>') throw this.#fault('a comment holds --', end);
    this.#at = end + 3;
  }

  #cdata(): void {
    const open = this.#stack.at(-1);
    if (open === undefined) throw this.#fault('CDATA stands outside of the root');
    const end = this.#find(']]>', 'a CDATA section has no end');
    if (/[^ \t\r\n]/.test(this.#text.slice(this.#at + 9, end))) open.hasText = true;
    this.#at = end + 3;
  }

  #instruction(): void {
    const end = this.#find('?>', 'a processing instruction has no end');
    const target = this.#name(this.#at + 2);
    if (target === undefined || target.toLowerCase() === 'xml') throw this.#fault('an XML declaration does not stand at the very beginning');
    this.#at = end + 2;
  }

  #characters(): void {
    const found = this.#text.indexOf('<', this.#at);
    const end = found < 0 ? this.#text.length : found;
    const piece = this.#text.slice(this.#at, end);
    if (/[^ \t\r\n]/.test(piece)) {
      const open = this.#stack.at(-1);
      if (open === undefined) throw this.#fault('text stands outside of the root');
      const cut = piece.indexOf(']]>');
      if (cut >= 0) throw this.#fault(']]> stands in text', this.#at + cut);
      if (piece.includes('&')) this.#decoded(this.#at, end);
      open.hasText = true;
    }
    this.#at = end;
  }

  #open(): void {
    const start = this.#at;
    const name = this.#name(start + 1);
    if (name === undefined) throw this.#fault('< is not followed by a name');
    if (this.#root !== undefined && this.#stack.length === 0) throw this.#fault(`a second root ${name}`);
    if (this.#stack.length >= MAX_DEPTH) throw this.#fault(`elements are nested deeper than ${MAX_DEPTH}`);
    const nameEnd = start + 1 + name.length;
    this.#at = nameEnd;
    const attributes = this.#attributes(name);
    const selfClosing = this.#is('/>');
    if (!selfClosing && !this.#is('>')) throw this.#fault(`the tag of ${name} is not closed`);
    this.#at += selfClosing ? 2 : 1;
    const element: Open = { name, start, nameEnd, attributes, openEnd: this.#at, selfClosing, closeStart: this.#at, end: this.#at, children: [], hasText: false };
    this.#stack.at(-1)?.children.push(element);
    this.#root ??= element;
    if (!selfClosing) this.#stack.push(element);
  }

  #attributes(element: string): XmlAttribute[] {
    const found: XmlAttribute[] = [];
    for (;;) {
      const spaced = this.#skip();
      if (this.#is('/>') || this.#is('>')) return found;
      const start = this.#at;
      const name = this.#name(start);
      if (name === undefined) throw this.#fault(`the tag of ${element} is not well formed`);
      if (!spaced) throw this.#fault(`a space is missing before ${name}`);
      if (found.some((one) => one.name === name)) throw this.#fault(`${element} has the attribute ${name} twice`);
      this.#at += name.length;
      this.#skip();
      if (!this.#is('=')) throw this.#fault(`the attribute ${name} has no value`);
      this.#at += 1;
      this.#skip();
      const quote = this.#text[this.#at];
      if (quote !== '"' && quote !== '\'') throw this.#fault(`the value of ${name} has no quotes`);
      const valueStart = this.#at + 1;
      const valueEnd = this.#text.indexOf(quote, valueStart);
      if (valueEnd < 0) throw this.#fault(`the value of ${name} has no end`);
      found.push({ name, value: this.#decoded(valueStart, valueEnd, true), start, valueStart, valueEnd, end: valueEnd + 1 });
      this.#at = valueEnd + 1;
    }
  }

  #close(): void {
    const open = this.#stack.pop();
    const name = this.#name(this.#at + 2);
    if (open === undefined || name !== open.name) throw this.#fault(`</${name ?? ''}> closes ${open === undefined ? 'nothing' : `${open.name} of line ${lineAt(this.#text, open.start)}`}`);
    open.closeStart = this.#at;
    this.#at += 2 + name.length;
    this.#skip();
    if (!this.#is('>')) throw this.#fault(`the closing tag of ${name} is not closed`);
    this.#at += 1;
    open.end = this.#at;
  }

  /** Text between two places with its references resolved. */
  #decoded(start: number, end: number, attribute = false): string {
    const raw = this.#text.slice(start, end);
    if (attribute && raw.includes('<')) throw this.#fault('< stands in a value', start + raw.indexOf('<'));
    // Line ends and tabs that stand in a value are read as spaces.
    const plain = (piece: string): string => (attribute ? piece.replace(/\r\n|[\t\r\n]/g, ' ') : piece);
    let value = '', at = start;
    for (let next = this.#text.indexOf('&', at); next >= 0 && next < end; next = this.#text.indexOf('&', at)) {
      REFERENCE.lastIndex = next;
      const [whole, named, decimal, hex] = REFERENCE.exec(this.#text) ?? [];
      const code = Number(decimal ?? (hex === undefined ? NaN : `0x${hex}`));
      const character = named === undefined ? characterOf(code) : NAMED[named];
      if (whole === undefined || character === undefined || next + whole.length > end) throw this.#fault('& does not begin a reference that is known', next);
      value += plain(this.#text.slice(at, next)) + character;
      at = next + whole.length;
    }
    return value + plain(this.#text.slice(at, end));
  }

  #is(what: string): boolean { return this.#text.startsWith(what, this.#at); }

  #skip(): boolean {
    SPACE.lastIndex = this.#at;
    const length = SPACE.exec(this.#text)?.[0].length ?? 0;
    this.#at += length;
    return length > 0;
  }

  #name(at: number): string | undefined {
    NAME.lastIndex = at;
    return NAME.exec(this.#text)?.[0];
  }

  #find(what: string, why: string): number {
    const end = this.#text.indexOf(what, this.#at);
    if (end < 0) throw this.#fault(why);
    return end;
  }

  #fault(why: string, at = this.#at): XmlFault { return new XmlFault(lineAt(this.#text, at), why); }
}

function characterOf(code: number): string | undefined {
  const allowed = code === 9 || code === 10 || code === 13 || (code >= 0x20 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x1_0000 && code <= 0x10_ffff);
  return allowed ? String.fromCodePoint(code) : undefined;
}

/** Lines end with CRLF, LF or CR. */
export function lineAt(text: string, at: number): number {
  let line = 1;
  for (let i = 0; i < at && i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 10 || (code === 13 && text.charCodeAt(i + 1) !== 10)) line += 1;
  }
  return line;
}
