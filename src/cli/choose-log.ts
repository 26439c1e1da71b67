// Owns which log a word means: an id, a whole name, the end of one, or a part of one.
import { DiagError } from '../shared/errors.ts';
import type { LogSourceInfo } from '../shared/model.ts';

const NAMED = 5;

/** The best kind of match wins: `app.log` is `LogFiles/app.log` before it is `LogFiles/my-app.log`. @throws SOURCE_UNKNOWN, BAD_INPUT when several match equally well */
export function chooseLog(sources: readonly LogSourceInfo[], word: string): LogSourceInfo {
  const kinds: readonly ((s: LogSourceInfo) => boolean)[] = [
    (s) => s.id === word,
    (s) => s.title === word,
    (s) => s.title.endsWith(`/${word}`),
    (s) => s.title.endsWith(word),
    (s) => s.title.includes(word),
  ];
  for (const fits of word === '' ? [] : kinds) {
    const found = sources.filter(fits);
    const [only] = found;
    if (only && found.length === 1) return only;
    if (found.length > 1) throw new DiagError('BAD_INPUT', { why: `${word} names ${found.length} logs: ${found.slice(0, NAMED).map((s) => `${s.title} (${s.id})`).join(', ')}${found.length > NAMED ? ', …' : ''}` });
  }
  throw new DiagError('SOURCE_UNKNOWN', { source: word });
}
