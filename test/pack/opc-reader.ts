// Owns a strict reader of NuGet packages: every rule of OPC (ECMA-376 part 2) and of the zip format that a package of ours could break is checked.
import { inflateRawSync } from 'node:zlib';
import { SaxesParser } from 'saxes';
import { crc32 } from '../../scripts/pack/crc.ts';

export interface Element { readonly name: string; readonly attributes: Readonly<Record<string, string>>; readonly text: string; readonly children: readonly Element[] }
export interface Package { readonly parts: ReadonlyMap<string, Buffer>; readonly types: ReadonlyMap<string, string>; readonly manifest: Element; readonly properties: Element }

const MANIFEST = 'http://schemas.microsoft.com/packaging/2010/07/manifest';
const PROPERTIES = 'http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties';

/** The files of a zip by its central directory, each checked against its local header and its checksum. @throws Error naming what is wrong */
export function readZip(bytes: Buffer): Map<string, Buffer> {
  const end = bytes.length - 22;
  demand(bytes.readUInt32LE(end) === 0x06054b50, 'no end record without a comment');
  const count = bytes.readUInt16LE(end + 10);
  const files = new Map<string, Buffer>();
  let at = bytes.readUInt32LE(end + 16);
  let expected = 0;
  for (let i = 0; i < count; i += 1) {
    demand(bytes.readUInt32LE(at) === 0x02014b50, `no central record at ${at}`);
    const nameBytes = bytes.readUInt16LE(at + 28);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameBytes);
    const local = bytes.readUInt32LE(at + 42);
    demand(local === expected, `${name} does not follow the one before`);
    demand(bytes.readUInt32LE(local) === 0x04034b50, `${name} has no local header`);
    demand(bytes.compare(bytes, local + 4, local + 30, at + 6, at + 32) === 0, `${name} says different things in its two headers`);
    const packed = bytes.subarray(local + 30 + nameBytes, local + 30 + nameBytes + bytes.readUInt32LE(at + 20));
    const content = bytes.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed);
    demand(content.length === bytes.readUInt32LE(at + 24), `${name} has another size`);
    demand(crc32(content) === bytes.readUInt32LE(at + 16), `${name} has another checksum`);
    demand(!files.has(name), `${name} twice`);
    files.set(name, content);
    expected = local + 30 + nameBytes + packed.length;
    at += 46 + nameBytes + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  demand(at === end, 'something stands between directory and end');
  return files;
}

/** @throws Error naming the first rule that is broken */
export function openPackage(bytes: Buffer): Package {
  const files = readZip(bytes);
  const types = typesOf(files);
  const parts = new Map([...files].filter(([name]) => name !== '[Content_Types].xml').map(([name, content]) => [`/${name}`, content]));
  const folded = new Set<string>();
  for (const name of parts.keys()) {
    checkName(name);
    demand(!folded.has(name.toLowerCase()), `${name} differs from another part in case only`);
    folded.add(name.toLowerCase());
    demand(typeOf(types, name) !== undefined, `${name} has no content type`);
  }
  const relations = new Map(parse(need(parts, '/_rels/.rels')).children.map((one) => [one.attributes['Type'], one]));
  const ids = [...relations.values()].map((one) => one.attributes['Id']);
  demand(new Set(ids).size === ids.length, 'two relationships of one id');
  const target = (type: string): Element => parse(need(parts, relations.get(type)?.attributes['Target'] ?? `nothing of ${type}`));
  return { parts, types, manifest: target(MANIFEST), properties: target(PROPERTIES) };
}

function typesOf(files: ReadonlyMap<string, Buffer>): Map<string, string> {
  const root = parse(need(files, '[Content_Types].xml'));
  demand(root.name === 'Types' && root.attributes['xmlns'] === 'http://schemas.openxmlformats.org/package/2006/content-types', 'no content types');
  const types = new Map<string, string>();
  for (const { name, attributes } of root.children) {
    const key = name === 'Default' ? `.${attributes['Extension']?.toLowerCase()}` : attributes['PartName'] ?? '';
    demand(!types.has(key), `two content types for ${key}`);
    demand(/^[\w.+-]+\/[\w.+-]+$/.test(attributes['ContentType'] ?? ''), `no content type for ${key}`);
    types.set(key, attributes['ContentType'] ?? '');
  }
  return types;
}

function typeOf(types: ReadonlyMap<string, string>, part: string): string | undefined {
  const dot = part.lastIndexOf('.');
  return types.get(part) ?? (dot > part.lastIndexOf('/') ? types.get(part.slice(dot).toLowerCase()) : undefined);
}

/** A part's name: segments of URI characters, none empty, none of dots or ending in one, nothing escaped that need not be. */
function checkName(name: string): void {
  const segments = name.slice(1).split('/');
  for (const segment of segments) demand(/^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-F]{2})+$/.test(segment) && !segment.endsWith('.'), `${name} is no name of a part`);
}

export function parse(content: Buffer): Element {
  const parser = new SaxesParser();
  const open: { name: string; attributes: Record<string, string>; text: string; children: Element[] }[] = [];
  let root: Element | undefined;
  parser.on('error', (error) => { throw error; });
  parser.on('opentag', ({ name, attributes }) => {
    const element = { name, attributes: { ...(attributes as Record<string, string>) }, text: '', children: [] };
    (open.at(-1)?.children as Element[] | undefined)?.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('text', (text) => { const last = open.at(-1); if (last) last.text += text; });
  parser.on('closetag', () => { open.pop(); });
  parser.write(content.toString('utf8').replace(/^\ufeff/, '')).close();
  if (!root) throw new Error('no element');
  return root;
}

/** The first element of that path of names below one. */
export function find(from: Element, ...path: readonly string[]): Element | undefined {
  return path.reduce<Element | undefined>((at, name) => at?.children.find((one) => one.name === name), from);
}

function need(files: ReadonlyMap<string, Buffer>, name: string): Buffer {
  const content = files.get(name);
  if (!content) throw new Error(`there is no ${name}`);
  return content;
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
