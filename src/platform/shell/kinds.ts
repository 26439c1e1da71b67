// Owns the shells that can be there: where each is looked for, and how it is started with a terminal and without one.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Env } from '../identity.ts';
import type { ShellId, ShellKind } from './shell.ts';

interface Known { readonly id: ShellId; readonly title: string; readonly on: 'windows' | 'unix' | 'both'; readonly program: string; readonly pipeArgs: readonly string[] }

/** Without a terminal each must be told to prompt; cmd is also asked to speak UTF-8, which it may not be able to. PowerShell: as Kudu starts it, so that it prompts. */
const KNOWN: readonly Known[] = [
  { id: 'bash', title: 'bash', on: 'unix', program: 'bash', pipeArgs: ['--noediting', '-i'] },
  { id: 'sh', title: 'sh', on: 'unix', program: 'sh', pipeArgs: ['-i'] },
  { id: 'cmd', title: 'cmd', on: 'windows', program: 'cmd.exe', pipeArgs: ['/D', '/K', 'chcp 65001>nul'] },
  { id: 'powershell', title: 'Windows PowerShell', on: 'windows', program: 'powershell.exe', pipeArgs: ['-NoLogo', '-ExecutionPolicy', 'RemoteSigned', '-File', '-'] },
  { id: 'pwsh', title: 'PowerShell', on: 'both', program: 'pwsh', pipeArgs: ['-NoLogo', '-File', '-'] },
];

export function findShells(env: Env, windows: boolean): ShellKind[] {
  return KNOWN.filter(({ on }) => on === 'both' || (on === 'windows') === windows).flatMap(({ id, title, program }) => {
    const path = find(windows && !program.endsWith('.exe') ? `${program}.exe` : program, foldersOf(env, windows));
    return path === undefined ? [] : [{ id, title, path }];
  });
}

export const pipeArgsOf = (shell: ShellId): readonly string[] => KNOWN.find(({ id }) => id === shell)?.pipeArgs ?? [];

/** The path first, then where they always lie: the path of a service may be short. */
function foldersOf(env: Env, windows: boolean): string[] {
  const path = (env['PATH'] ?? env['Path'] ?? '').split(delimiter).filter((folder) => folder !== '');
  if (!windows) return [...path, '/bin', '/usr/bin'];
  const system = join(env['SystemRoot'] ?? env['windir'] ?? 'C:\\Windows', 'System32');
  return [system, join(system, 'WindowsPowerShell', 'v1.0'), ...path];
}

function find(program: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, program)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;                                            // not there, or not for us: both mean that it is no choice
    }
  });
}
