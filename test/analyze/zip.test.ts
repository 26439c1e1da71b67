// Zips that anyone may have made: hostile ones are refused, and nothing of them reaches the disk.
import assert from 'node:assert/strict';
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { DiagError } from '../../src/shared/errors.ts';
import { extract, ZIP_LIMITS } from '../../src/analyze/zip.ts';

interface Made { name: string; content: Buffer; mode?: number; flags?: number; claims?: number }

/** A zip written byte by byte, so that it can lie. */
function zipOf(entries: readonly Made[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, content, mode = 0o100644, flags = 0x800, claims } of entries) {
    const packed = deflateRawSync(content);
    const nameBytes = Buffer.from(name);
    const fixed = Buffer.alloc(26);
    fixed.writeUInt16LE(20, 0); fixed.writeUInt16LE(flags, 2); fixed.writeUInt16LE(8, 4);
    fixed.writeUInt32LE(packed.length, 14); fixed.writeUInt32LE(claims ?? content.length, 18); fixed.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fixed, nameBytes, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6); tail.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), fixed, tail, nameBytes]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4); end.writeUInt16LE(entries.length, 6); end.writeUInt32LE(directory.length, 8); end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

let folder = '';
before(async () => { folder = await mkdtemp(join(tmpdir(), 'zip-')); });
after(async () => { await rm(folder, { recursive: true }); });

async function opened(bytes: Buffer, limits = ZIP_LIMITS): Promise<{ out: string; files: readonly string[] }> {
  const zip = join(await mkdtemp(join(folder, 'z-')), 'a.zip');
  await writeFile(zip, bytes);
  const out = `${zip}.out`;
  const files = await extract(zip, out, { wanted: () => true, limits, signal: new AbortController().signal });
  return { out, files: [...files.keys()] };
}

const plain = (name: string): Made => ({ name, content: Buffer.from('hello') });

test('an honest zip is unpacked whole', async () => {
  const { out, files } = await opened(zipOf([plain('a.txt'), { name: 'b/', content: Buffer.alloc(0), mode: 0o040755 }, { name: 'b/c.txt', content: Buffer.alloc(300_000, 'x') }]));
  assert.deepEqual(files, ['a.txt', 'b/c.txt']);
  assert.equal((await readFile(join(out, 'b/c.txt'))).length, 300_000);
});

const hostile: readonly (readonly [string, Buffer, RegExp])[] = [
  ['a name that climbs out', zipOf([plain('../evil.txt')]), /invalid relative path/],
  ['a name that climbs out from within', zipOf([plain('a/../../evil.txt')]), /invalid relative path/],
  ['an absolute name', zipOf([plain('/tmp/evil.txt')]), /absolute path/],
  ['a drive', zipOf([plain('C:/evil.txt')]), /absolute path/],
  ['a backslash', zipOf([plain('..\\evil.txt')]), /invalid characters/],
  ['a stream of NTFS', zipOf([plain('a.txt:evil')]), /not a plain path/],
  ['a dot part', zipOf([plain('a/./b.txt')]), /not a plain path/],
  ['the same name twice', zipOf([plain('a.txt'), plain('a.txt')]), /a\.txt twice/],
  ['the same name in another case', zipOf([plain('a.txt'), plain('A.TXT')]), /A\.TXT twice/],
  ['a symbolic link', zipOf([{ name: 'link', content: Buffer.from('/etc/passwd'), mode: 0o120777 }]), /is a link/],
  ['an encrypted entry', zipOf([{ ...plain('a.txt'), flags: 0x801 }]), /encrypted/],
  ['an entry that gives more than it said', zipOf([{ name: 'a.txt', content: Buffer.alloc(100_000), claims: 10 }]), /a\.txt: too many bytes/],
  ['no zip at all', Buffer.from('PK\x03\x04 but then nothing'), /end of central directory/i],
];
for (const [what, bytes, why] of hostile) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(opened(bytes), (error) => error instanceof DiagError && error.code === 'BUNDLE_UNREADABLE' && why.test(error.message));
    await assert.rejects(access('/tmp/evil.txt'));
  });
}

test('refused before a byte is written: a bomb by size and one by number', async () => {
  const small = { files: 3, totalBytes: 1_000_000, nameChars: 100 };
  const big: Made = { name: 'zeros', content: Buffer.alloc(600_000) };
  for (const [bytes, why] of [[zipOf([big, { ...big, name: 'more' }]), /more than 977 KiB/], [zipOf(['a', 'b', 'c', 'd'].map(plain)), /4 entries, more than 3/]] as const) {
    const zip = join(await mkdtemp(join(folder, 'z-')), 'a.zip');
    await writeFile(zip, bytes);
    await assert.rejects(extract(zip, `${zip}.out`, { wanted: () => true, limits: small, signal: new AbortController().signal }), why);
    assert.deepEqual(await readdir(join(zip, '..')), ['a.zip']);
  }
});
