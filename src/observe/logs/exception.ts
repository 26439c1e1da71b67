// Owns the reading of exceptions out of log entries: type, message and frames, for Node, Java, .NET, Python and PHP.
import { jsonFields, undocker } from '../../shared/log-fields.ts';

export interface ExceptionFrame {
  readonly text: string;
  readonly file?: string;
  readonly line?: number;
  readonly ours: boolean;                   // the app's own code: not the runtime's, a framework's or a package's
}

/** `frames[0]` is where it was thrown, whatever order the language prints. */
export interface LoggedException { readonly type: string; readonly message: string; readonly frames: readonly ExceptionFrame[] }

const MAX_LINES = 600;                      // an entry has at most 500
const MAX_LINE_CHARS = 2_000;                // of a line that is looked at: patterns cost up to its square
const MAX_MESSAGE_CHARS = 2_000;
const MAX_FRAMES = 200;

type Reader = (lines: readonly string[]) => LoggedException | undefined;

/** The exception an entry tells of, the outermost one where it has causes; undefined when it tells of none. */
export function exceptionOf(text: string): LoggedException | undefined {
  const fields = jsonFields(text);
  if (fields) return fromFields(fields);
  const lines = text.split('\n', MAX_LINES).map((line) => undocker(line.slice(0, MAX_LINE_CHARS)));
  for (const read of READERS) {
    const found = read(lines);
    if (found) return { ...found, message: found.message.trim().slice(0, MAX_MESSAGE_CHARS), frames: found.frames.slice(0, MAX_FRAMES) };
  }
  return undefined;
}

/** Pino, bunyan, winston, Serilog and ECS: the stack is a string in a field. */
function fromFields(fields: Readonly<Record<string, unknown>>): LoggedException | undefined {
  for (const name of ['err', 'error', 'exception', '@x', 'stack', 'stack_trace', 'error.stack_trace', 'exc_info', 'Exception']) {
    const value = fields[name];
    const found = typeof value === 'string' ? exceptionOf(value) : value !== null && typeof value === 'object' ? fromObject(value as Record<string, unknown>) : undefined;
    if (found) return found;
  }
  return undefined;
}

function fromObject(value: Readonly<Record<string, unknown>>): LoggedException | undefined {
  const stack = value['stack'] ?? value['stack_trace'];
  const found = typeof stack === 'string' && !stack.startsWith('{') ? exceptionOf(stack) : undefined;
  if (found) return found;
  const type = value['type'] ?? value['name'];
  const message = value['message'];
  return typeof type === 'string' && typeof message === 'string' ? { type, message, frames: [] } : undefined;
}

// --- headers ---

const NAME = /(?:^|[\s:(])(?:Uncaught )?((?:[A-Za-z_$][\w$]*[.\\])*(?:[A-Za-z_$][\w$]*)?(?:Error|Exception|Throwable|Rejection)\d*)(?: \[([\w.]+)\])?(?:: (.*)|:?$)/;
const UNHANDLED = /^(?:Unhandled exception\. |Unhandled Exception: |Exception in thread "[^"]*" |Uncaught )?((?:[A-Za-z_$][\w$]*[.:]{1,2})*[A-Za-z_$][\w$]*): ?(.*)$/;

/** The header among the lines before the first frame: the last that names a type, its message going on to the frame. */
function header(lines: readonly string[], frame: number): { type: string; message: string } | undefined {
  for (let i = frame - 1; i >= 0 && i >= frame - 50; i -= 1) {
    const line = lines[i] as string;
    const found = NAME.exec(line);
    if (found?.[1]) return { type: found[1], message: [found[3] ?? '', ...lines.slice(i + 1, frame)].join('\n') };
  }
  const above = UNHANDLED.exec(lines[frame - 1] ?? '');
  return above?.[1] ? { type: above[1], message: above[2] ?? '' } : undefined;
}

/** Frames from `first` on; other lines between them (blank, "--- End of …") are left out, a cause ends them. */
function framesFrom(lines: readonly string[], first: number, read: (line: string) => ExceptionFrame | undefined): ExceptionFrame[] {
  const frames: ExceptionFrame[] = [];
  for (const line of lines.slice(first)) {
    const frame = read(line);
    if (frame) frames.push(frame);
    else if (/^(?:Caused by|\s*Suppressed|\s*\[cause\]|\s*--- End of inner)/.test(line)) break;
  }
  return frames;
}

// --- Node ---

const NODE_FRAME = /^\s+at (.*?)\(?((?:file:\/\/|node:)?(?:[A-Za-z]:)?[^():]+):(\d+):(\d+)\)?$/;

function nodeFrame(line: string): ExceptionFrame | undefined {
  const found = NODE_FRAME.exec(line);
  if (!found) return /^\s+at (?:<anonymous>|native|new Promise|Array\.|async Promise\.)/.test(line) ? { text: line.trim(), ours: false } : undefined;
  const file = (found[2] as string).trim().replace(/^file:\/\//, '');
  const ours = !/^node:|^internal\/|[\\/]node_modules[\\/]|^<anonymous>/.test(file);
  return { text: line.trim(), file, line: Number(found[3]), ours };
}

const node: Reader = (lines) => {
  const first = lines.findIndex((line) => NODE_FRAME.test(line));
  if (first === -1) return undefined;
  const head = header(lines, first);
  return head && { ...head, frames: framesFrom(lines, first, nodeFrame) };
};

/** What V8 prints of an error it could not place: `Uncaught 'text'`, or a preamble with an error without frames. */
const nodeBare: Reader = (lines) => {
  if (!lines.some((line) => /^Node\.js v\d+\./.test(line))) return undefined;
  const place = /^((?:file:\/\/)?(?:[A-Za-z]:)?[^:]+):(\d+)$/.exec(lines[0] ?? '');
  const frame: ExceptionFrame[] = place ? [{ text: lines[0] as string, file: (place[1] as string).replace(/^file:\/\//, ''), line: Number(place[2]), ours: !(place[1] as string).startsWith('node:') }] : [];
  for (const line of lines) {
    const found = NAME.exec(line);
    if (found?.[1]) return { type: found[1], message: found[3] ?? '', frames: frame };
  }
  const thrown = lines.find((line) => line.startsWith('Uncaught'));
  return thrown ? { type: 'Uncaught', message: thrown.replace(/^Uncaught:?\s*/, ''), frames: frame } : undefined;
};

// --- Java ---

const JAVA_FRAME = /^\s+at ((?:[\w$.-]+(?:@[\w.]+)?\/)*[\w$.<>]+)\(([^():]+)(?::(\d+))?\)/;
const JAVA_THEIRS = /^(?:java|javax|jakarta|jdk|sun|com\.sun|org\.(?:springframework|apache|eclipse|hibernate|junit)|io\.(?:netty|undertow)|reactor|kotlin|scala)\./;

function javaFrame(line: string): ExceptionFrame | undefined {
  const found = JAVA_FRAME.exec(line);
  if (!found) return undefined;
  const name = (found[1] as string).replace(/^.*\//, '');
  const place = found[2] === 'Native Method' || found[2] === 'Unknown Source' ? {} : { file: found[2] as string };
  return { text: line.trim(), ...place, ...(found[3] ? { line: Number(found[3]) } : {}), ours: !JAVA_THEIRS.test(name) };
}

const java: Reader = (lines) => {
  const first = lines.findIndex((line) => /^\s+at .*\((?:[\w$-]+\.(?:java|kt|scala|groovy)(?::\d+)?|Native Method|Unknown Source)\)/.test(line));
  if (first === -1) return undefined;
  const head = header(lines, first);
  return head && { ...head, frames: framesFrom(lines, first, javaFrame) };
};

// --- .NET ---

const DOTNET_FRAME = /^\s+at ((?:[\w`<>.+|$[\],&*-]+)\([^)]*\))(?: in (.+):line (\d+))?\s*$/;

function dotnetFrame(line: string): ExceptionFrame | undefined {
  const found = DOTNET_FRAME.exec(line);
  if (!found) return undefined;
  const place = found[2] === undefined ? {} : { file: found[2], line: Number(found[3]) };
  return { text: line.trim(), ...place, ours: !/^(?:System|Microsoft|Newtonsoft|Azure)\./.test(found[1] as string) };
}

const dotnet: Reader = (lines) => {
  const first = lines.findIndex((line) => DOTNET_FRAME.test(line));
  if (first === -1) return undefined;
  const inner = lines.findIndex((line) => /^\s*---> /.test(line));
  const head = header(lines, inner > 0 && inner < first ? inner : first);
  if (!head) return undefined;
  const message = head.message.replace(/ ---> [\s\S]*$/, '');
  return { type: head.type, message, frames: lines.flatMap((line) => dotnetFrame(line) ?? []) };
};

// --- Python ---

const PYTHON_FRAME = /^\s+File "(.+)", line (\d+)(?:, in (.+))?$/;

const python: Reader = (lines) => {
  const start = lines.map((line) => line.includes('Traceback (most recent call last):')).lastIndexOf(true);
  if (start === -1) return undefined;
  const end = lines.findIndex((line, i) => i > start && /^\S/.test(line));
  const named = /^([\w.]+)(?:: (.*))?$/.exec(lines[end] ?? '');
  if (!named?.[1]) return undefined;
  const frames: ExceptionFrame[] = [];
  for (const line of lines.slice(start, end)) {
    const found = PYTHON_FRAME.exec(line);
    if (!found) continue;
    const file = found[1] as string;
    frames.unshift({ text: line.trim(), file, line: Number(found[2]), ours: !/site-packages|dist-packages|[\\/]lib[\\/]python\d|^<frozen|^<string>/i.test(file) });
  }
  return { type: named[1], message: [named[2] ?? '', ...lines.slice(end + 1)].join('\n'), frames };
};

// --- PHP ---

const PHP_FRAME = /^(?:\[[^\]]+\] )?(?:PHP )?\s*#\d+ (?:([^()]+)\((\d+)\): .*|\{main\}|\[internal function\].*)$/;
const PHP_FATAL = /(?:PHP )?(Fatal error|Parse error|Recoverable fatal error):\s+(.*?)(?: in (\S+\.\w+)(?::(\d+)| on line (\d+)))?\s*$/;

function phpFrame(line: string): ExceptionFrame | undefined {
  const found = PHP_FRAME.exec(line);
  if (!found) return undefined;
  const file = found[1];
  return file === undefined ? { text: line.trim(), ours: false } : { text: line.trim(), file, line: Number(found[2]), ours: !/[\\/]vendor[\\/]/.test(file) };
}

const php: Reader = (lines) => {
  const at = lines.findIndex((line) => PHP_FATAL.test(line));
  if (at === -1) return undefined;
  const found = PHP_FATAL.exec(lines[at] as string);
  if (!found) return undefined;
  const uncaught = /^Uncaught (?:([\w\\]+): )?(.*)$/.exec(found[2] ?? '');
  const file = found[3];
  const place: ExceptionFrame[] = file === undefined ? [] : [{ text: `${file}:${found[4] ?? found[5]}`, file, line: Number(found[4] ?? found[5]), ours: !/[\\/]vendor[\\/]/.test(file) }];
  const frames = [...place, ...lines.slice(at + 1).flatMap((line) => phpFrame(line) ?? [])];
  return { type: uncaught?.[1] ?? found[1] as string, message: uncaught?.[2] ?? found[2] ?? '', frames };
};

/** The surest forms first: Python and PHP have words of their own, Java its file names, then V8's columns, then .NET. */
const READERS: readonly Reader[] = [python, php, java, node, dotnet, nodeBare];
