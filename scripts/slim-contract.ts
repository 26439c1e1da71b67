// Owns what our own schemas cost a bundle: those of answers, which only tests and openapi.json read, are left out with all that nothing then uses; the others are made at their first use.
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { transform, type Plugin } from 'esbuild';

/** A constant of a module as esbuild prints it: it begins at the margin, and what follows does not before it ends. */
const CONSTANT = /^const (\w+) = ([^\n]*\([^\n]*(?:\n[ )\]}][^\n]*)*);$/gm;
/** Schemas have names like types. */
const SCHEMA_NAME = /^[A-Z]\w*[a-z]/;
const NO_SCHEMA = /^(?:class|function|async|new|\(|\{|\[)/;
const ROUTE = /\broute\(\{/g;
/** In a route as esbuild prints it. */
const INPUT = /\b(params|query|body): (?=[A-Za-z])/g;
const ANSWERS = /\banswers: \{/g;

/** Where the first sign of `ends` stands that is inside nothing: no bracket, no string. @throws Error where none does */
function end(text: string, from: number, ends: string): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const sign = text[at] ?? '';
    if (depth === 0 && ends.includes(sign)) return at;
    if ('"\'`'.includes(sign)) {
      for (at += 1; text[at] !== sign; at += 1) if (text[at] === '\\') at += 1;
    } else if ('([{'.includes(sign)) depth += 1;
    else if (')]}'.includes(sign)) depth -= 1;
  }
  throw new Error(`the contract cannot be read from here on: ${text.slice(from, from + 80)}`);
}

/** The answers of every route with their statuses and content types; a schema becomes nothing. Lines stay where they are. */
const withoutAnswers = (text: string): string => replaced(text, ANSWERS, '}', (inside) => {
  const found: string[] = [];
  for (let at = 0; at < inside.length;) {
    const match = /^[\s,]*(\d+): ("(?:[^"\\]|\\.)*")?/.exec(inside.slice(at));
    if (match === null) break;
    found.push(`${match[1]}: ${match[2] ?? 'void 0'}`);
    at = end(`${inside}}`, at + match[0].length, ',}');
  }
  return ` ${found.join(', ')} ${'\n'.repeat(inside.split('\n').length - 1)}`;
});

/** What a route takes is made at its first request. */
const laterInputs = (text: string): string => replaced(text, ROUTE, '}', (inside) => replaced(`${inside}}`, INPUT, ',}', (schema) => (schema.includes('(') ? `__later(() => ${schema.trimEnd()})` : schema)).slice(0, -1));

/** What follows each match up to one of `ends`; never inside of what was replaced. */
function replaced(text: string, what: RegExp, ends: string, change: (inside: string) => string): string {
  let out = '', done = 0;
  for (const match of text.matchAll(what)) {
    const from = match.index + match[0].length;
    if (from < done) continue;
    const to = end(text, from, ends);
    out += text.slice(done, from) + change(text.slice(from, to));
    done = to;
  }
  return out + text.slice(done);
}

/** Constants of src/shared only make a value: one that nothing uses need not be made. Elsewhere that is said of schemas alone. */
function constants(text: string, isShared: boolean): string {
  return text.replace(CONSTANT, (whole, name: string, value: string) => {
    if (SCHEMA_NAME.test(name) && (isShared ? !NO_SCHEMA.test(value) : value.startsWith('z.'))) return `const ${name} = /* @__PURE__ */ __later(() => ${value});`;
    return isShared ? `const ${name} = /* @__PURE__ */ (() => ${value.startsWith('{') ? `(${value})` : value})();` : whole;
  });
}

export const slimContract = (root: string): Plugin => ({
  name: 'slim-contract',
  setup(build) {
    const later = join(root, 'src/shared/made-later.ts');
    build.onLoad({ filter: /[\\/]src[\\/](?:shared|store|analyze|observe|mitigate|agent|server)[\\/].*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const isShared = path.startsWith(join(root, 'src/shared'));
      if (path === later || (!isShared && !source.includes("from 'zod'"))) return undefined;
      const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'es2022', sourcefile: basename(path), sourcemap: 'inline' });
      const map = code.lastIndexOf('//# sourceMappingURL=');
      const text = code.slice(0, map);
      const slim = constants(isShared ? laterInputs(withoutAnswers(text)) : text, isShared);
      const to = relative(dirname(path), later).replaceAll('\\', '/');
      // In the first line, so that all others stay where the map says.
      return { contents: `${slim.includes('__later(') ? `import { madeLater as __later } from ${JSON.stringify(to.startsWith('.') ? to : `./${to}`)};` : ''}${slim}${code.slice(map)}`, loader: 'js' };
    });
  },
});
