// Owns the compiling of the HTTP log's inner loop: AssemblyScript to WebAssembly with SIMD, as base64 in a module that bundles and tests import.
import asc from 'assemblyscript/asc';
import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PAGES } from '../src/observe/http-log/kernel/layout.ts';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'src/observe/http-log/kernel');
const made = join(folder, 'w3c-wasm.js');

/** The memory never grows, so that the columns' views hold for ever. */
const OPTIONS = ['--optimizeLevel', '3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--memoryBase', '1024', '--initialMemory', String(PAGES), '--maximumMemory', String(PAGES)];

/** Compiles unless what is there was made of the same text. */
export async function buildKernel(): Promise<void> {
  const names = (await readdir(join(folder, 'assembly'))).filter((name) => name.endsWith('.ts')).sort();
  const texts = new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, 'assembly', name), 'utf8')] as const)));
  const of = createHash('sha256').update(JSON.stringify([[...texts], OPTIONS, asc.version])).digest('hex');
  if (existsSync(made) && (await readFile(made, 'utf8')).includes(of)) return;
  const wasm = await compile(texts);
  await writeFile(made, `// Owns the compiled loop of assembly/; made by scripts/build-kernel.ts from ${of}.\nexport const W3C_WASM = '${Buffer.from(wasm).toString('base64')}';\n`);
}

async function compile(texts: ReadonlyMap<string, string>): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const { error, stderr } = await asc.main(['w3c.ts', '--outFile', 'w3c.wasm', ...OPTIONS], {
    readFile: (name) => texts.get(name) ?? null,
    writeFile: (_name, contents) => { if (typeof contents !== 'string') wasm = contents; },
    listFiles: () => [],
  });
  if (error !== null || wasm === undefined) throw new Error(`the kernel does not compile:\n${stderr.toString()}`);
  return wasm;
}
