// Owns the voice of the dump writer's process: one JSON line a word, on stdout.
import { writeSync } from 'node:fs';
import type { Word } from './helper-words.ts';

export function say(word: Word): void {
  writeSync(1, `${JSON.stringify(word)}\n`);
}
