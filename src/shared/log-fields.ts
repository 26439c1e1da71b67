// Owns what a structured log line holds: its JSON fields, also behind the time that Docker puts before it, and the instant it says.
import { jsonTime, timeOf } from './log-time.ts';

const MAX_JSON_CHARS = 64 * 1_024; // parsing a longer line costs more than its fields are worth

/** The fields of an entry that is one JSON object, also behind Docker's time. */
export function jsonFields(text: string): Readonly<Record<string, unknown>> | undefined {
  const body = text.startsWith('{') ? text : undocker(text);
  if (!body.startsWith('{') || body.length > MAX_JSON_CHARS || !body.trimEnd().endsWith('}')) return undefined;
  try {
    return JSON.parse(body) as Record<string, unknown>; // an object, for it begins with a brace
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What the platform puts before each line that the app wrote: Docker a time in UTC, a runtime of Kubernetes' form (CRI) a time, the
 *  stream, and whether the line is full. */
export const DOCKER_STAMP = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3,9}Z (?:std(?:out|err) [FP] )?|(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) std(?:out|err) [FP](?::[\w.-]{1,64})? )/y;

/** Without the time (and stream) that Docker's log driver puts before what the app wrote. */
export function undocker(line: string): string {
  DOCKER_STAMP.lastIndex = 0;
  const found = DOCKER_STAMP.exec(line);
  // What follows may be a line with a time of its own; then the prefix is Docker's beyond doubt, else it may be the app's own time.
  return found ? line.slice(found[0].length) : line;
}

/** The instant an entry says. `near`: an instant close to it, for forms without a year. */
export function instantOf(text: string, near?: number): number | undefined {
  const fields = jsonFields(text);
  return (fields && jsonTime(fields)) ?? timeOf(text, near);
}
