// Owns to whom a frame belongs: the app, a dependency, Node, the system's own code, or V8's special entries.
import type { ProfileCategory } from '../../shared/profile.ts';

const SPECIAL: Readonly<Record<string, ProfileCategory>> = { '(root)': 'root', '(idle)': 'idle', '(program)': 'program', '(garbage collector)': 'gc', '(GC)': 'gc', 'GC': 'gc' };
const SYSTEM = /^\[|^\/(?:usr\/)?lib(?:64)?\/|\.so(?:\.\d+)*$|\.dll$|\.dylib$|^wasm:|vmlinux|\/bin\/[\w.-]+$/i;
const NODE = /^(?:node:|jrt:|internal\/|electron\/js2c\/|<node_internals>\/)/;
/** What was given on the command line or to a worker as text is the app. */
const GIVEN = /^\[(?:eval|stdin|worker eval)\d*\]$/;
const PACKAGE = /[\\/]node_modules[\\/](?:\.pnpm[\\/][^\\/]+[\\/]node_modules[\\/])?((?:@[^\\/]+[\\/])?[^\\/]+)/g;

export function categoryOf(name: string, url: string): { category: ProfileCategory; module: string } {
  const special = url === '' ? SPECIAL[name] : undefined;
  if (special !== undefined) return { category: special, module: name };
  if (url === '') return { category: 'engine', module: '(V8)' };
  if (GIVEN.test(url)) return { category: 'app', module: url };
  if (NODE.test(url)) return { category: 'node', module: url.split('/').slice(0, 2).join('/') };
  const dependency = [...url.matchAll(PACKAGE)].at(-1)?.[1];
  if (dependency !== undefined) return { category: 'dependency', module: dependency.replaceAll('\\', '/') };
  if (/(?:^|[\\/])(?:site-packages|dist-packages|vendor|gems)[\\/]/.test(url)) return { category: 'dependency', module: lastOf(url) };
  if (SYSTEM.test(url)) return { category: 'native', module: lastOf(url) };
  return { category: 'app', module: shortPlace(url) };
}

function lastOf(url: string): string {
  return url.split(/[\\/]/).at(-1) ?? url;
}

/** A source file as its owner knows it: below wwwroot, else its last two segments. */
export function shortPlace(url: string): string {
  const plain = url.replace(/^file:\/\/\/?/, '').replaceAll('\\', '/');
  const root = plain.toLowerCase().lastIndexOf('wwwroot/');
  return root >= 0 ? plain.slice(root + 'wwwroot/'.length) : plain.split('/').filter((part) => part !== '').slice(-2).join('/');
}
