// Owns what a log is to those who read it: its path, a place in it, and what a reader hands over.
import type { LogNotice } from '../../shared/live.ts';
import type { Block } from './block.ts';
import type { LogFile } from './file.ts';

/** A place within a file that is known by its inode: only for comparing within this process, while the file is open. */
export interface Place { readonly ino: string; readonly offset: number }

/** What a reader hands over: lines with the cursor behind them and an instant near them, and what happened to the file. */
export interface Output {
  block(block: Block, file: LogFile, cursor: string, near: number | undefined): void;
  notice(notice: LogNotice, cursor: string): void;
}

export interface Log {
  readonly source: string;      // id
  readonly path: string;
  readonly roots: readonly string[];
}

/** What one step found: more may come at once, or nothing until the file changes. */
export type Step = 'more' | 'idle';
