// Owns what of zod the bundles leave out: locales everywhere; for the page also JSON Schema and the code generator, 57 KB gzip that no page ever calls.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OnResolveResult, Plugin } from 'esbuild';

/** Modules of zod that only build JSON Schema, translate messages or generate code (which our CSP forbids anyway). */
export const PAGE_LEAVES = /(?:locales\/index|from-json-schema|to-json-schema|json-schema-processors|json-schema-generator|core\/compile|\.\/compile)\.js$/;

/** Messages in other languages; ours are English. */
export const AGENT_LEAVES = /locales\/index\.js$/;

/** Without the folder in which we build: esbuild counts this name into the names of the files that it writes. */
const named = (file: string): OnResolveResult => ({ path: file.slice(file.lastIndexOf('node_modules')).replaceAll('\\', '/'), namespace: 'slim-zod', pluginData: { file } });

/** Replaces each left-out module by one with the same names, so that imports resolve and nothing is called at load. */
export const slimZod = (leaves: RegExp): Plugin => ({
  name: 'slim-zod',
  setup(build) {
    build.onResolve({ filter: leaves }, (args) => (/[\\/]zod[\\/]/.test(args.importer) ? named(join(dirname(args.importer), args.path)) : undefined));
    build.onLoad({ filter: /.*/, namespace: 'slim-zod' }, async ({ pluginData }) => {
      const text = await readFile((pluginData as { file: string }).file, 'utf8');
      const names = [...text.matchAll(/^export (?:async )?(?:const|let|function\*?|class) (\w+)/gm)].map((m) => m[1]);
      return { contents: names.map((name) => `export const ${name} = () => () => undefined;`).join('\n') || 'export {};', loader: 'js' };
    });
  },
});
