// Owns a package as an installation leaves it: its files in a folder, from what the last build made.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { contentOf } from '../../scripts/pack/content.ts';

const root = resolve(import.meta.dirname, '../..');

export async function installPackage(folder: string): Promise<void> {
  for (const { name, content } of await contentOf(root, '0.0.0-test')) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}
