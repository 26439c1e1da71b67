// Owns how frames and areas of a dump read, alike in the report, on the page and on the command line.
import type { DumpArea, DumpFrame, DumpRead, DumpThread } from './dump-read.ts';
import { visible } from './view.ts';

const MAX_NAME = 200;
type JsFrame = NonNullable<DumpFrame['js']>;

/** One line, cut; names in a dump may be anything. */
export function line(text: string, max = MAX_NAME): string {
  const plain = visible(text.slice(0, max * 4).replace(/\s+/g, ' ').trim());
  return plain.length <= max ? plain : `${plain.slice(0, max)}…`;
}

/** "level_five (five)", "checkVoucher shop/cart.js:18", "libc.so.6+0x8512f" */
export function frameText(frame: DumpFrame): string {
  const guess = frame.how === 'scan' ? ' (may be)' : '';
  if (frame.js !== undefined) return `${jsText(frame.js)}${guess}`;
  const module = frame.module === undefined ? '' : ` (${line(frame.module, 80)})`;
  return frame.function === undefined ? `${frame.module === undefined ? frame.pc : `${line(frame.module, 80)}+${frame.offset}`}${guess}` : `${line(frame.function)}${module}${guess}`;
}

export function jsText(frame: JsFrame): string {
  return `${line(frame.function, 120)} ${jsPlace(frame)}`;
}

export function jsPlace(frame: JsFrame): string {
  if (frame.file === undefined) return frame.tier === 'builtin' ? '(built in)' : '(no file)';
  return `${line(frame.file)}${frame.line === undefined ? '' : `:${frame.line}${frame.begins === true ? ' (its beginning)' : ''}`}`;
}

/** The app's own code: neither Node's nor a package's. */
export const isOwnCode = (file: string): boolean => !file.startsWith('node:') && !/[\\/]node_modules[\\/]/.test(file);
export const isOwnFrame = (frame: DumpFrame): boolean => frame.js?.file !== undefined && isOwnCode(frame.js.file);

export const AREA_WORDS: Readonly<Record<DumpArea['kind'], string>> = { code: 'code', file: 'mapped files', heap: 'heap', stack: 'stacks', javascript: 'JavaScript heap', anonymous: 'memory of native code and buffers', system: 'kept free or the kernel\'s' };

export const threadTitle = (thread: DumpThread): string => `Thread ${thread.id}${thread.name === undefined ? '' : ` (${line(thread.name, 60)})`}`;
export const processTitle = (dump: DumpRead): string => line(`${dump.process.name ?? 'The process'}${dump.process.pid === undefined ? '' : ` (${dump.process.pid})`}`);

/** Where a thread stands, in a word that groups: waiting threads of a pool are alike. */
export const standsIn = (thread: DumpThread): string => (thread.frames[0] === undefined ? 'its stack cannot be read' : frameText(thread.frames[0]));
