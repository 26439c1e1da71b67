// Owns the files that users may reach: the door over the home and the app, what of them is ours, and long work on them as operations.
import { join } from 'node:path';
import { openFileDoor, type FileDoor, type FileRoot } from '../platform/files/index.ts';
import type { Platform } from '../platform/platform.ts';

/** The door, and what takes long as operations. */
export interface Files extends FileDoor {}

/** Of our own folder these may be read, as its other parts hold the token, addresses of alerts and what was deleted. */
const READABLE = ['logs', 'sessions', 'journals'];
/** Where what was deleted waits, below our own folder: the same disk as the home. */
const BIN = 'bin';

export function createFiles(platform: Platform, more: readonly FileRoot[] = []): Files {
  const { folders } = platform.host;
  const roots: FileRoot[] = [{ name: 'home', title: 'Home', path: folders.home }, { name: 'app', title: 'App', path: folders.site }, ...more];
  return openFileDoor({ roots, own: { path: folders.own, readable: READABLE }, bin: join(folders.own, BIN), temp: folders.temp, clock: platform.clock });
}
