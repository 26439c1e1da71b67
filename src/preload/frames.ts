// Owns the frames of a stack: those of the app, read from the text that V8 makes, and the ones of this very moment.

const MAX_FRAMES = 12;
const LOOKED_AT = 40;

/** "handler (/app/a.js:3:1)", innermost first. */
export function framesOf(stack: string): string[] {
  const frames: string[] = [];
  for (const line of stack.slice(0, 20_000).split('\n')) {
    const frame = /^\s+at (.+)$/.exec(line)?.[1];
    if (frame === undefined) continue;
    frames.push(frame.slice(0, 300));
    if (frames.length >= MAX_FRAMES) break;
  }
  return frames;
}

/** Where the app is now, awaiting functions too: without frames of Node and of ours. The app's own ways to write stacks are put aside meanwhile, and put back. */
export function framesHere(): string[] {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const holder: { stack?: string } = {};
  try {
    Error.stackTraceLimit = LOOKED_AT;
    Object.defineProperty(Error, 'prepareStackTrace', { value: undefined, configurable: true, writable: true });
    Error.captureStackTrace(holder);
    const stack = holder.stack ?? '';
    return framesOf(stack.split('\n').filter((line) => line.startsWith('    at ') && !/\bnode:|\(internal\/|<anonymous>$/.test(line) && !line.includes(__filename)).join('\n'));
  } catch {
    return [];                                                 // a frozen Error cannot be asked
  } finally {
    try {
      if (prepareStackTrace === undefined) delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace;
      else Error.prepareStackTrace = prepareStackTrace;
      Error.stackTraceLimit = stackTraceLimit;
    } catch {
      // as before: nothing was changed either
    }
  }
}
