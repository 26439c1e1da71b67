// Owns the Nodes that the preload is tested with: each line's binary fetched once from npm, whose packages node-<os>-<arch> hold nothing else.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { npmPack } from '../support/npm-pack.ts';

export const root = resolve(import.meta.dirname, '../..');
export const LINES = ['16', '18', '20', '22', '24'] as const;

type Found = { readonly program: string } | { readonly because: string };
const asked = new Map<string, Promise<Found>>();

/** The program, or why there is none: without a network the lines that were never fetched cannot be tested. Many may ask at once: it is fetched once. */
export function nodeOf(line: string): Promise<Found> {
  const found = asked.get(line) ?? fetched(line);
  asked.set(line, found);
  return found;
}

async function fetched(line: string): Promise<Found> {
  const folder = join(root, '.cache/node', line);
  const program = join(folder, 'package/bin/node');
  if (existsSync(program)) return { program };
  await mkdir(join(root, '.cache/node'), { recursive: true });
  const part = await mkdtemp(join(root, '.cache/node', 'part-'));
  try {
    await npmPack(`node-${process.platform}-${process.arch}@${line}`, part, 120_000);
    // Another test file may have fetched it meanwhile.
    await rename(part, folder).catch((error: unknown) => { if (!existsSync(program)) throw error; });
    return { program };
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    return { because: `Node ${line} could not be fetched: ${String(error).split('\n', 1)[0]}` };
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}
