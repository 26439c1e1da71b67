// Owns what of commander costs each start of diag without use: no command of ours is a program of its own, so nothing is spawned and child_process, with sockets and pipes behind it, is not loaded.
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

const LOADED = "const childProcess = require('node:child_process');";
const WHEN_USED = "const childProcess = { get spawn() { return require('node:child_process').spawn; } };";

export const slimCommander: Plugin = {
  name: 'slim-commander',
  setup(build) {
    build.onLoad({ filter: /[\\/]commander[\\/]lib[\\/]command\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!text.includes(LOADED)) throw new Error('commander loads child_process in another way now: look at scripts/slim-commander.ts');
      return { contents: text.replace(LOADED, WHEN_USED), loader: 'js' };
    });
  },
};
