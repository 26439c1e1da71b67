// Owns what of Express's packages the agent leaves out: file types it never serves, character sets that JSON may not have; 0.8 MB of text at rest.
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** Types of the files and answers that the agent sends. */
const SERVED = ['application/json', 'application/problem+json', 'application/octet-stream', 'application/zip', 'application/javascript', 'text/javascript', 'text/html', 'text/plain', 'text/css', 'image/svg+xml', 'image/png', 'image/x-icon', 'application/x-www-form-urlencoded'];

/** JSON is UTF-8 (RFC 8259, 8.1): any other charset is refused, as body-parser does for one that it does not know. */
const UTF8_ONLY = `
const known = (name) => /^utf-?8$/i.test(String(name));
exports.encodingExists = known;
exports.getDecoder = (name) => { if (!known(name)) throw new Error('Encoding not recognized: ' + name); const d = new TextDecoder(); return { write: (b) => d.decode(b, { stream: true }), end: () => d.decode() }; };
exports.decode = (b, name) => { const d = exports.getDecoder(name); return d.write(b) + (d.end() || ''); };
`;

export const slimExpress: Plugin = {
  name: 'slim-express',
  setup(build) {
    build.onLoad({ filter: /[\\/]mime-db[\\/]db\.json$/ }, async ({ path }) => {
      const all = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
      return { contents: JSON.stringify(Object.fromEntries(SERVED.filter((t) => t in all).map((t) => [t, all[t]]))), loader: 'json' };
    });
    build.onLoad({ filter: /[\\/]iconv-lite[\\/]lib[\\/]index\.js$/ }, () => ({ contents: UTF8_ONLY, loader: 'js' }));
  },
};
