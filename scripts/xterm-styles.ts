// Owns what the build changes in xterm.js: its styles become sheets and properties made by script, so that the page's policy (style-src 'self', nothing inline) needs no hole for it.
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const ELEMENT = 'diag-sheet-element';

/** Each must be found as often as it was when this was written: another version is looked at by a person first. */
const CHANGES: readonly { readonly from: RegExp; readonly to: string; readonly times: number }[] = [
  { from: /[\w$]+(?:\.[\w$]+)*\.createElement\("style"\)/g, to: 'diagSheetElement()', times: 3 },
  { from: /([\w$]+)\.setAttribute\("style",`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{([\w$]+)\};`\)/g, to: '$1.style.cssText+=`$2;`'.replace('$2', '${$2}'), times: 1 },
];

export const xtermStyles: Plugin = {
  name: 'xterm-styles',
  setup(b) {
    b.onResolve({ filter: new RegExp(`^${ELEMENT}$`) }, () => ({ path: join(root, 'src/client/pages/console/shell/sheet.ts') }));
    b.onLoad({ filter: /@xterm[\\/]xterm[\\/]lib[\\/]xterm\.mjs$/ }, async ({ path }) => {
      let text = await readFile(path, 'utf8');
      for (const { from, to, times } of CHANGES) {
        const found = [...text.matchAll(from)].length;
        if (found !== times) throw new Error(`xterm.js has ${found} places like ${from.source}, not ${times}: see what it does with styles now`);
        text = text.replace(from, to);
      }
      return { contents: `import{sheetElement as diagSheetElement}from"${ELEMENT}";${text}`, loader: 'js' };
    });
  },
};
