// Owns hostile paths without end: made by a seed, tried at the guard by both systems' rules and at the door on a real disk, with canaries outside that nobody may touch.
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix, win32 } from 'node:path';
import { DiagError } from '../../src/shared/errors.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { openFileDoor, type FileDoor } from '../../src/platform/files/index.ts';
import { judgePath } from '../../src/platform/files/path-guard.ts';

const NEVER = new AbortController().signal;
const CANARY = 'canary-that-nobody-may-read';
/** What hostile paths are made of. */
const PIECES = [
  '..', '.', '...', '....', '. .', '.. ', '..\u0000', '%2e%2e', '%252e', '..%2f', '..%5c', '\u002e\u002e', '‥', '．．', '', '/', '//', '\\', '\\\\', '..\\', '\\..\\',
  'C:', 'c:', 'C:\\', 'Z:/', '\\\\?\\', '\\\\.\\', '\\\\server\\share', '//server/share', '\\??\\', 'GLOBALROOT', 'file:///', '/etc/passwd', '/proc/self/fd', '/proc/self/root', '/dev/stdin',
  'CON', 'con.txt', 'PRN', 'AUX', 'NUL', 'nul.tar.gz', 'COM1', 'com9.log', 'COM¹', 'LPT1', 'lpt³.x', 'CONIN$', 'CONOUT$', 'CLOCK$', 'NUL ', 'NUL .txt', 'COM1:', 'com1 ', 'aux.',
  'a.txt:stream', 'a.txt::$DATA', ':$DATA', 'dir:$I30:$INDEX_ALLOCATION', 'PROGRA~1', 'SECRET~1.TXT', 'a~1', '~1', 'web.config.', 'web.config ', 'x. .', 'x\u00a0', 'a\nb', 'a\rb', '\u0000', '\u0007', '\u001b[31m', '\u007f', '\u0085', '\u202e', '\ud800', '\udc00', '\ufeff', '\ufffd',
  'link-out', 'link-in', 'link-file', 'link-up', 'link-loop', 'own', 'OWN', 'oWn', 'ｏwn', 'token', 'TOKEN', 'open', 'in.txt', 'deep', 'ok', 'a', 'ü', '日本', '🎉', ' ', '-rf', '~', '$HOME', '`id`', '*', '?', '<', '>', '|', '"', "'", ';', '&',
];
const LINKS = ['link-out', 'link-in', 'link-file', 'link-up', 'link-loop'];
const LONG = ['x'.repeat(255), 'x'.repeat(256), 'ü'.repeat(128), 'a/'.repeat(250), '../'.repeat(40), 'x'.repeat(5_000)];

/** xorshift: the same seed, the same paths. */
function chance(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => { state ^= state << 13; state >>>= 0; state ^= state >>> 17; state ^= state << 5; state >>>= 0; return state / 2 ** 32; };
}

export function hostilePath(next: () => number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  if (next() < 0.02) return pick(LONG) + (next() < 0.5 ? `/${pick(PIECES)}` : '');
  const parts = Array.from({ length: 1 + Math.floor(next() * 6) }, () => (next() < 0.15 ? pick(PIECES) + pick(PIECES) : pick(PIECES)));
  const path = parts.join(next() < 0.85 ? '/' : next() < 0.5 ? '\\' : '');
  return next() < 0.05 ? `/${path}` : next() < 0.05 ? `${path}/` : path;
}

/** What the guard lets through must stay below the root by the system's own reckoning, and name nothing twice. */
function judgedWrong(path: string): string | undefined {
  const onLinux = judgePath(path, 'posix');
  if ('parts' in onLinux && onLinux.parts.length > 0) {
    const full = posix.resolve('/root/below', ...onLinux.parts);
    if (full !== `/root/below/${onLinux.parts.join('/')}`) return `posix: ${full}`;
  }
  const onWindows = judgePath(path, 'windows');
  if ('parts' in onWindows && onWindows.parts.length > 0) {
    const full = win32.resolve('C:\\root\\below', ...onWindows.parts);
    if (full !== `C:\\root\\below\\${onWindows.parts.join('\\')}`) return `windows: ${full}`;
    if (onWindows.parts.some((part) => /[:*?"<>|\\\u0000-\u001f]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$) *(?:\.|$)/i.test(part))) return `windows: ${onWindows.parts.join('|')}`;
  }
  return undefined;
}

interface Ground { readonly top: string; readonly door: FileDoor; state(): Promise<string> }

async function lay(): Promise<Ground> {
  const top = await mkdtemp(join(tmpdir(), 'fuzz-paths-'));
  const home = join(top, 'home');
  await mkdir(join(home, 'deep/deep/deep'), { recursive: true });
  await mkdir(join(home, 'own/open'), { recursive: true });
  await mkdir(join(top, 'outside/deep'), { recursive: true });
  for (const path of ['outside/in.txt', 'outside/deep/in.txt', 'in.txt', 'token', 'home/own/token', 'home/own/in.txt']) await writeFile(join(top, path), CANARY);
  for (const path of ['in.txt', 'deep/in.txt', 'own/open/in.txt']) await writeFile(join(home, path), 'inside');
  for (const [name, to] of [['link-out', join(top, 'outside')], ['link-in', join(home, 'deep')], ['link-file', join(top, 'in.txt')], ['link-up', '..'], ['link-loop', 'link-loop']] as const) await symlink(to, join(home, name));
  const door = openFileDoor({ roots: [{ name: 'home', title: 'Home', path: home }], own: { path: join(home, 'own'), readable: ['open'] }, bin: join(home, 'own/bin'), temp: join(top, 'temp'), clock: systemClock, binLimits: { totalBytes: 100_000, items: 3, keptMs: 1_000_000, files: 100 } });
  return { top, door, state: () => stateOf(top) };
}

/** Everything outside the root, and the agent's own: what it holds and when it was changed. */
async function stateOf(top: string): Promise<string> {
  const lines: string[] = [];
  const names = (await readdir(top, { recursive: true })).filter((name) => !name.startsWith('temp') && (!name.startsWith('home') || name === 'home/own' || (name.startsWith('home/own/') && !name.startsWith('home/own/bin')) || LINKS.some((link) => name === `home/${link}`))).sort();
  for (const name of names) {
    const stats = await lstat(join(top, name));
    lines.push(`${name} ${stats.isDirectory() ? '' : `${stats.size} ${stats.mtimeMs}`} ${stats.mode} ${stats.isFile() ? await readFile(join(top, name), 'utf8') : ''}`);
  }
  return lines.join('\n');
}

function difference(before: string, after: string): string {
  const [was, is] = [new Set(before.split('\n')), new Set(after.split('\n'))];
  return [...was].filter((line) => !is.has(line)).concat([...is].filter((line) => !was.has(line))).slice(0, 6).join(' | ');
}

export interface FuzzTold { readonly paths: number; readonly tried: number; readonly let_through: number; readonly refused: Readonly<Record<string, number>>; readonly faults: readonly string[] }

export async function fuzzPaths(seed: number, paths: number): Promise<FuzzTold> {
  const next = chance(seed);
  const { top, door, state } = await lay();
  const before = await state();
  const refused: Record<string, number> = {};
  const faults: string[] = [];
  const said = { through: 0, tried: 0 };
  const attempt = async (path: string, what: string, deed: () => Promise<unknown>): Promise<void> => {
    said.tried += 1;
    try {
      const got = await deed();
      said.through += 1;
      if (String(got).includes(CANARY)) faults.push(`${what} ${JSON.stringify(path)} read a canary`);
    } catch (error) {
      if (error instanceof DiagError) refused[error.code] = (refused[error.code] ?? 0) + 1;
      else faults.push(`${what} ${JSON.stringify(path)} threw ${String(error)}`);
    }
  };
  try {
    for (let i = 0; i < paths && faults.length < 20; i += 1) {
      const path = hostilePath(next);
      const wrong = judgedWrong(path);
      if (wrong !== undefined) faults.push(`let through ${JSON.stringify(path)} as ${wrong}`);
      await deeds(door, path, next(), attempt);
      if (i % 5_000 === 4_999 && await state() !== before) faults.push(`something outside was changed before path ${i}`);
    }
    const after = await state();
    if (after !== before) faults.push(`something outside was changed: ${difference(before, after)}`);
    return { paths, tried: said.tried, let_through: said.through, refused, faults };
  } finally {
    await rm(top, { recursive: true, force: true });
  }
}

/** Each path is read; some are written, made, moved, removed, zipped too. */
async function deeds(door: FileDoor, path: string, luck: number, attempt: (path: string, what: string, deed: () => Promise<unknown>) => Promise<void>): Promise<void> {
  const place = { root: 'home', path };
  await attempt(path, 'open', async () => { const file = await door.open(place); try { return await file.read(0, 100); } finally { await file.close(); } });
  if (luck < 0.15) await attempt(path, 'write', () => door.write(place, Buffer.from('written by the fuzzer'), { parents: luck < 0.05 }, NEVER));
  else if (luck < 0.2) await attempt(path, 'make', () => door.makeFolder(place));
  else if (luck < 0.25) await attempt(path, 'names', () => door.names(place, NEVER));
  else if (luck < 0.3) await attempt(path, 'move', () => door.move({ root: 'home', path: 'in.txt' }, place, {}, NEVER).then(() => door.move(place, { root: 'home', path: 'in.txt' }, {}, NEVER)));
  else if (luck < 0.35) await attempt(path, 'copy', async () => { await door.copy(place, { root: 'home', path: 'copied' }, NEVER); await door.remove({ root: 'home', path: 'copied' }, { mode: 'forever', recursive: true }, NEVER); });
  else if (luck < 0.4 && !LINKS.includes(path.replace(/\/$/, ''))) await attempt(path, 'remove', () => door.remove(place, { mode: 'forever', recursive: luck < 0.37 }, NEVER));
}
