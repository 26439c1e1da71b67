// Owns the cause that the Now screen names for crashes: from what the observer holds in memory, by the ids and the order of the engine's own judgement of an end. Everything else needs the logs, which Now does not read.
import type { CauseId } from '../shared/cause.ts';
import { isFault, isRejection } from './causes/crashes.ts';
import type { CrashStory } from './crash-story.ts';
import { signOf } from './events/signs.ts';
import { exitWords } from './parse/exits.ts';
import { oneLine } from './parse/words.ts';

export interface NowCause { readonly id: CauseId; readonly words: string }

/** Of the most frequent kind of crash; `lines`: the newest errors, which may hold the last words of V8. */
export function nowCause(story: CrashStory, lines: readonly { readonly text: string }[]): NowCause | undefined {
  const [top] = story.culprits;
  const exit = top?.crashes[0]?.exit;
  if (!top || !exit) return undefined;
  if (lines.some((line) => signOf(line.text)?.sign === 'js-heap-out')) return { id: 'heap-limit-reached', words: 'the JavaScript heap reached its limit' };
  if (exit.starting && (exit.signal === 'SIGKILL' || exit.signal === 'SIGTERM')) return { id: 'startup-failure', words: 'it was ended while it started' };
  if (exit.signal === 'SIGKILL' || exit.code === 137) return { id: 'out-of-memory-killed', words: 'a kill from outside, most likely for its memory' };
  const { exception } = top;
  if (isFault(exit) && (exit.code !== 134 || exception === undefined)) return { id: 'crash-native', words: `a fault in native code (${exitWords(exit)})` };
  if (exception === undefined) return undefined;
  const named = `\`${oneLine(exception.type, 80)}\`${exception.place === undefined ? '' : ` in \`${exception.place}\``}`;
  if (exit.starting) return { id: 'startup-failure', words: `${named} while it starts` };
  return isRejection(exception) ? { id: 'crash-unhandled-rejection', words: `a rejected promise that nothing handles: ${named}` } : { id: 'crash-uncaught-exception', words: `uncaught ${named}` };
}
