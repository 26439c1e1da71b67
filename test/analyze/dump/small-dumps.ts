// Owns small dumps made by hand, a few KiB each, with everything in them that the readers look at: what the fuzzer starts from.

const CODE = 0x40_0000, STACK = 0x7fff_0000_0000, HEAP = 0x6000_0000;
const PAGE = 4_096;

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, i) => { bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), i * 8); });
  return bytes;
}
const half = (...values: readonly number[]): Buffer => { const bytes = Buffer.alloc(values.length * 4); values.forEach((value, i) => { bytes.writeUInt32LE(value >>> 0, i * 4); }); return bytes; };
const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
const note = (name: string, kind: number, content: Buffer): Buffer => Buffer.concat([half(name.length + 1, content.length, kind), padded(Buffer.from(`${name}\0`)), padded(content)]);
function put(page: Buffer, at: number, bytes: Buffer): void { bytes.copy(page, at); }

/** A binary of one page: three functions with unwind rules and symbols, as the kernel's own library lies in memory. */
function image(): Buffer {
  const page = Buffer.alloc(PAGE);
  put(page, 0, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]));
  page.writeUInt16LE(3, 16); page.writeUInt16LE(62, 18);
  put(page, 32, words(64, 0xc00));
  page.writeUInt16LE(56, 54); page.writeUInt16LE(3, 56); page.writeUInt16LE(64, 58); page.writeUInt16LE(3, 60);
  put(page, 64, Buffer.concat([half(1, 5), words(0, 0, 0, PAGE, PAGE, PAGE)]));
  put(page, 120, Buffer.concat([half(4, 4), words(0x200, 0x200, 0, 36, 36, 4)]));
  put(page, 176, Buffer.concat([half(0x6474_e550, 4), words(0x400, 0x400, 0, 36, 36, 4)]));
  put(page, 0x200, note('GNU', 3, Buffer.from('00112233445566778899aabbccddeeff00112233', 'hex')));
  const functions = [0x100, 0x140, 0x180];
  const entries = 0x600;
  put(page, 0x400, Buffer.concat([Buffer.from([1, 0x1b, 3, 0x3b]), half(entries - 0x404, 3), ...functions.map((at, i) => half(at - 0x400, entries + 24 + i * 32 - 0x400))]));
  // One common part (zR, code 1, data -8, return column 16, pc-relative), then one for each function: two pushes, a remembered state.
  put(page, entries, Buffer.concat([half(20, 0), Buffer.from([1, 0x7a, 0x52, 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1, 0, 0])]));
  functions.forEach((at, i) => {
    const from = entries + 24 + i * 32;
    put(page, from, Buffer.concat([half(28, from + 4 - entries, at - (from + 8), 0x40), Buffer.from([0, 0x41, 0x0e, 16, 0x83, 2, 0x0a, 0x44, 0x0b, 0x10, 3, 2, 0x73, 0, 0, 0])]));
  });
  const names = Buffer.from('\0_ZN4shop4CartIiE5totalEv\0outer\0main\0');
  put(page, 0xa00, names);
  put(page, 0xb00, Buffer.concat([Buffer.alloc(24), ...functions.map((at, i) => Buffer.concat([half([1, 26, 32][i] as number), Buffer.from([2, 0, 1, 0]), words(at, 0x40)]))]));
  put(page, 0xc00, Buffer.concat([Buffer.alloc(64), Buffer.concat([half(0, 2), words(0, 0, 0xb00, 96), half(2, 0), words(8, 24)]), Buffer.concat([half(0, 3), words(0, 0, 0xa00, names.length), half(0, 0), words(1, 0)])]));
  return page;
}

function status(tid: number, rip: number, rsp: number): Buffer {
  const bytes = Buffer.alloc(336);
  bytes.writeInt16LE(11, 12); bytes.writeInt32LE(tid, 32);
  put(bytes, 112 + 4 * 8, words(STACK + 0x800));
  put(bytes, 112 + 16 * 8, words(rip)); put(bytes, 112 + 19 * 8, words(rsp));
  return bytes;
}

export function smallCore(): Buffer {
  const stack = Buffer.alloc(PAGE);
  put(stack, 0x100, words(1, CODE + 0x150, 2, CODE + 0x190, 3, CODE + 0x191));
  put(stack, 0x800, words(STACK + 0x900, CODE + 0x150));
  put(stack, 0x900, words(0, 0));
  put(stack, 0xd00, Buffer.from('app\0A=1\0SHOP_API_KEY=k9-of-the-shop-4711\0PATH=/bin\0app\0'));
  const heap = Buffer.alloc(PAGE);
  put(heap, 64, Buffer.from('\0TypeError: voucher of order 4711 is missing\0'));
  const name = Buffer.alloc(136);
  name.writeInt32LE(77, 24); name.write('app', 40); name.write('app --password=k9-of-the-shop-4711', 56);
  const execfn = STACK + 0xd00 + Buffer.from('app\0A=1\0SHOP_API_KEY=k9-of-the-shop-4711\0PATH=/bin\0').length;
  const files = Buffer.concat([words(1, PAGE, HEAP, HEAP + PAGE, 0), Buffer.from('/srv/app.so\0')]);
  const notes = Buffer.concat([note('CORE', 1, status(77, CODE + 0x110, STACK + 0x100)), note('CORE', 3, name), note('CORE', 0x5349_4749, Buffer.concat([half(11, 0, 1, 0), words(8), Buffer.alloc(104)])), note('CORE', 6, words(33, CODE, 31, execfn, 0, 0)), note('CORE', 0x4649_4c45, files), note('CORE', 1, status(78, 0x10, STACK + 0x100))]);
  const parts = [{ from: CODE, bytes: image(), flags: 5 }, { from: HEAP, bytes: heap, flags: 6 }, { from: STACK, bytes: stack, flags: 6 }];
  const notesAt = 64 + (parts.length + 1) * 56;
  const first = Math.ceil((notesAt + notes.length) / 16) * 16;
  const head = Buffer.alloc(64);
  put(head, 0, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]));
  head.writeUInt16LE(4, 16); head.writeUInt16LE(62, 18);
  put(head, 32, words(64));
  head.writeUInt16LE(64, 52); head.writeUInt16LE(56, 54); head.writeUInt16LE(parts.length + 1, 56);
  const rows = [Buffer.concat([half(4, 0), words(notesAt, 0, 0, notes.length, 0, 4)]), ...parts.map(({ from, flags }, i) => Buffer.concat([half(1, flags), words(first + i * PAGE, from, 0, PAGE, PAGE, PAGE)]))];
  const table = Buffer.concat([head, ...rows, notes]);
  return Buffer.concat([table, Buffer.alloc(first - table.length), ...parts.map((one) => one.bytes)]);
}

const text = (value: string): Buffer => Buffer.concat([half(value.length * 2), Buffer.from(`${value}\0`, 'utf16le')]);

/** A library of Windows of one page: two functions with unwind codes, one exported. */
function library(): Buffer {
  const page = Buffer.alloc(PAGE);
  page.write('MZ', 0, 'latin1'); page.writeUInt32LE(0x80, 60);
  page.write('PE\0\0', 0x80, 'latin1'); page.writeUInt16LE(0x20b, 0x98);
  put(page, 0x98 + 112, half(0x600, 0x80)); put(page, 0x98 + 136, half(0x400, 24));
  put(page, 0x400, half(0x200, 0x240, 0x500, 0x240, 0x280, 0x510));
  put(page, 0x500, Buffer.from([1, 4, 2, 0, 4, 0x32, 1, 0x30]));       // 32 bytes and one push
  put(page, 0x510, Buffer.from([1, 1, 1, 0, 1, 0x30]));
  put(page, 0x600, half(0, 0, 0, 0, 1, 1, 1, 0x640, 0x650, 0x660));
  put(page, 0x640, half(0x200)); put(page, 0x650, half(0x670)); put(page, 0x670, Buffer.from('ShopTotal\0'));
  return page;
}

export function smallMinidump(): Buffer {
  const at = { code: 0x1_8000_0000, stack: 0x50_0000 };
  const context = Buffer.alloc(0x4d0);
  put(context, 0x98, words(at.stack + 0x100)); put(context, 0xf8, words(at.code + 0x210));
  const stack = Buffer.alloc(PAGE);
  put(stack, 0x100, words(0, 0, 0, 0, 7, at.code + 0x250, 9, at.code + 0x260));
  const pieces: Buffer[] = [];
  const base = 32 + 12 * 10;
  const place = (bytes: Buffer): number => { const here = base + pieces.reduce((sum, one) => sum + one.length, 0); pieces.push(bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)); return here; };
  const [contextAt, moduleName, typeName, threadName, extra] = [place(context), place(text('C:\\shop\\app.exe')), place(text('File')), place(text('worker')), place(text('Service Pack 1'))];
  const fixed = half(0xfeef_04bd, 0x10000, 0x0014_0014, 0x0002_0000, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const streams: [number, Buffer][] = [
    [3, Buffer.concat([half(2), ...[1, 2].map((id) => Buffer.concat([half(id, 0, 0, 0), words(0x7ff0_0000, at.stack), half(0, 0), half(0x4d0, contextAt)]))])],
    [4, Buffer.concat([half(1), words(at.code), half(PAGE, 0, 0, moduleName), fixed, half(0, 0, 0, 0), words(0, 0)])],
    [6, Buffer.concat([half(2, 0, 0xc000_0005, 0), words(0, at.code + 0x210), half(2, 0), words(1, 0x10, ...Array<number>(13).fill(0)), half(0x4d0, contextAt)])],
    [7, Buffer.concat([Buffer.from([9, 0, 6, 0, 0, 0, 2, 1]), half(10, 0, 17_763, 2, extra, 0, 0, 0, 0, 0, 0)])],
    [12, Buffer.concat([half(16, 40, 2, 0), ...[0, 0].map(() => Buffer.concat([words(4), half(typeName, 0, 0, 0, 1, 1, 0, 0)]))])],
    [15, half(24, 3, 4711, 1_700_000_000, 0, 0)],
    [16, Buffer.concat([half(16, 48), words(2), ...[[at.stack, 0x4, 0x2_0000], [at.code, 0x20, 0x100_0000]].map(([from = 0, protect = 0, kind = 0]) => Buffer.concat([words(from, from), half(4, 0), words(PAGE), half(0x1000, protect, kind, 0)]))])],
    [24, Buffer.concat([half(1), half(2), words(threadName)])],
    [5, Buffer.concat([half(0)])],
  ];
  const rows = streams.map(([type, bytes]) => half(type, bytes.length, place(bytes)));
  const listAt = place(Buffer.alloc(16 + 32));
  const memoryAt = place(Buffer.concat([stack, library()]));
  const body = Buffer.concat(pieces);
  put(body, listAt - base, words(2, memoryAt, at.stack, PAGE, at.code, PAGE));
  const head = Buffer.concat([Buffer.from('MDMP'), half(0xa793, 10, 32, 0, 1_763_719_000), words(0)]);
  return Buffer.concat([head, ...rows, half(9, 48, listAt), body]);
}
