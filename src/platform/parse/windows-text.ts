// Owns the texts that Windows keeps of a process: one command line, which programs cut into arguments themselves, and its block of variables.
import type { Variable } from '../platform.ts';

/** Cuts as the C runtime does (Microsoft: "Parsing C command-line arguments"): quotes hold blanks together, backslashes count only before a quote, two quotes inside quotes are one. */
export function parseCommandLine(line: string): string[] {
  const found: string[] = [];
  let at = 0;
  const [program, rest] = programOf(line);
  if (program !== undefined) found.push(program);
  at = rest;
  while (at < line.length) {
    while (line[at] === ' ' || line[at] === '\t') at += 1;
    if (at >= line.length) break;
    const [argument, next] = argumentAt(line, at);
    found.push(argument);
    at = next;
  }
  return found;
}

/** In the name of the program backslashes are never special. */
function programOf(line: string): [string | undefined, number] {
  if (line === '') return [undefined, 0];
  if (line.startsWith('"')) {
    const end = line.indexOf('"', 1);
    return end < 0 ? [line.slice(1), line.length] : [line.slice(1, end), end + 1];
  }
  const end = /[ \t]/.exec(line)?.index ?? line.length;
  return [line.slice(0, end), end];
}

function argumentAt(line: string, from: number): [string, number] {
  let text = '';
  let quoted = false;
  let at = from;
  while (at < line.length) {
    const slashes = /^\\*/.exec(line.slice(at, at + 4_096))?.[0].length ?? 0;
    at += slashes;
    if (line[at] !== '"') { text += '\\'.repeat(slashes); } else {
      text += '\\'.repeat(Math.floor(slashes / 2));
      if (slashes % 2 === 1) { text += '"'; at += 1; continue; }
      if (quoted && line[at + 1] === '"') { text += '"'; at += 2; continue; }
      quoted = !quoted;
      at += 1;
      continue;
    }
    if (at >= line.length || (!quoted && (line[at] === ' ' || line[at] === '\t'))) break;
    text += line[at];
    at += 1;
  }
  return [text, at];
}

/** A block of `NAME=value` pairs in UTF-16, each ended by a zero; an empty one ends it. Hidden ones (`=C:=C:\`) are left out. */
export function parseEnvironmentBlock(block: Buffer): Variable[] {
  const found: Variable[] = [];
  for (const pair of block.toString('utf16le').split('\0')) {
    if (pair === '') break;
    const equals = pair.indexOf('=', 1);
    if (equals > 0 && !pair.startsWith('=')) found.push({ name: pair.slice(0, equals), value: pair.slice(equals + 1) });
  }
  return found;
}

/** Windows' names have no case. */
export function valueOf(variables: readonly Variable[], name: string): string | undefined {
  const wanted = name.toUpperCase();
  return variables.find((one) => one.name.toUpperCase() === wanted)?.value;
}
