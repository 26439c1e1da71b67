// Owns the bytes of an XML file as text and back: byte-order mark, declared encoding, and the proof that nothing is lost between the two.
import { XmlFault } from './xml-fault.ts';

/** IIS itself refuses a web.config above 250 KB unless told otherwise; far above that it is no web.config. */
export const MAX_FILE_BYTES = 4 * 1_024 * 1_024;

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'us-ascii' | 'iso-8859-1' | 'windows-1252';

/** `text` begins with the byte-order mark where the file has one. */
export interface Decoded { readonly text: string; readonly encoding: Encoding }

const NAMES: Readonly<Record<string, Encoding>> = { 'utf-8': 'utf-8', utf8: 'utf-8', 'us-ascii': 'us-ascii', ascii: 'us-ascii', 'iso-8859-1': 'iso-8859-1', latin1: 'iso-8859-1', 'windows-1252': 'windows-1252', cp1252: 'windows-1252' };
/** The declaration stands within these bytes. */
const HEAD_BYTES = 200;

/** @throws XmlFault when the bytes are not of the encoding, or of one that is not spoken */
export function decode(bytes: Uint8Array): Decoded {
  if (bytes.length > MAX_FILE_BYTES) throw new XmlFault(1, `it has ${bytes.length} bytes, more than a web.config may have`);
  const marked = markOf(bytes);
  const encoding = marked ?? declaredIn(Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1'));
  const text = textOf(bytes, encoding);
  if (marked !== undefined) checkDeclared(text, marked);
  if (!Buffer.from(encode(text, encoding)).equals(bytes)) throw new XmlFault(1, `its bytes are not those of ${encoding}`);
  return { text, encoding };
}

export function encode(text: string, encoding: Encoding): Uint8Array {
  switch (encoding) {
    case 'utf-8': return Buffer.from(text, 'utf8');
    case 'utf-16le': return Buffer.from(text, 'utf16le');
    case 'utf-16be': return Buffer.from(text, 'utf16le').swap16();
    case 'windows-1252': return Uint8Array.from(text, (character) => TO_1252.get(character) ?? 0x3f);
    default: return Buffer.from(text, 'latin1');
  }
}

/** Whether a character may stand in the file as it is; otherwise it is written as a reference. */
export function holds(encoding: Encoding, codePoint: number): boolean {
  if (codePoint < 0x80) return true;
  if (encoding === 'windows-1252') return TO_1252.has(String.fromCodePoint(codePoint));
  return encoding === 'iso-8859-1' ? codePoint >= 0xa0 && codePoint <= 0xff : encoding.startsWith('utf');
}

/** Every byte is a character of its own, those without a meaning too: what is read goes back the same. */
const TO_1252: ReadonlyMap<string, number> = new Map(Array.from({ length: 256 }, (_, byte) => [new TextDecoder('windows-1252').decode(Uint8Array.of(byte)), byte]));

function markOf(bytes: Uint8Array): Encoding | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if ((a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff)) throw new XmlFault(1, 'it is UTF-32, which is not spoken here');
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (bytes.length > 1 && (a === 0 || b === 0)) throw new XmlFault(1, 'it looks like UTF-16 without a byte-order mark');
  return undefined;
}

const DECLARED = /^\ufeff?<\?xml[^?>]*\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']/;

function declaredIn(head: string): Encoding {
  const name = DECLARED.exec(head)?.[1]?.toLowerCase();
  if (name === undefined) return 'utf-8';
  const known = NAMES[name];
  if (known === undefined) throw new XmlFault(1, name.startsWith('utf-16') ? 'it declares UTF-16 and is not' : `its encoding ${name} is not spoken here`);
  return known;
}

/** A mark and a declaration that contradict each other are read differently by different programs. */
function checkDeclared(text: string, marked: Encoding): void {
  const name = DECLARED.exec(text.slice(0, HEAD_BYTES))?.[1]?.toLowerCase();
  if (name === undefined || NAMES[name] === marked || name === marked || (name === 'utf-16' && marked.startsWith('utf-16'))) return;
  throw new XmlFault(1, `it declares ${name}, and its byte-order mark says ${marked}`);
}

function textOf(bytes: Uint8Array, encoding: Encoding): string {
  if (!encoding.startsWith('utf')) {
    if (encoding === 'us-ascii' && bytes.some((byte) => byte > 0x7f)) throw new XmlFault(1, 'it declares us-ascii and holds other bytes');
    return encoding === 'windows-1252' ? new TextDecoder('windows-1252').decode(bytes) : Buffer.from(bytes).toString('latin1');
  }
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw new XmlFault(1, `its bytes are not ${encoding}`, { cause: error });
    throw error;
  }
}
