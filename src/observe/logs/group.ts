// Owns the joining of physical lines into entries: stack traces and other continuations belong to the line above.
import { undocker } from './level.ts';
import { MAX_LINE_BYTES, type PhysicalLine } from './lines.ts';

/** An entry is closed at these bounds even if more would belong to it: a program that only ever writes indented lines must not
 *  collect for ever. A Java trace of 300 frames with causes is about 400 lines. */
export const MAX_ENTRY_LINES = 500;
export const MAX_ENTRY_BYTES = MAX_LINE_BYTES;

/** Physical lines that belong together. `end` also covers blank lines after it, so that entries leave no gap in the file. */
export interface Entry {
  readonly offset: number;
  readonly end: number;
  readonly text: string;
  readonly cutBytes: number;
  readonly tailLength: number;
  readonly tail: number;
}

const FRAME = /^\s+at\s/;
const CARET = /^\s*[\^~]+\s*$/;
/** "/home/site/wwwroot/server.js:12" alone on a line: V8 says where, then the source, then a caret. */
const PREAMBLE = /^(?:file:\/\/\/?|\/|[A-Za-z]:\\|node:)\S*[^\s:]:\d+$/;
const TRACEBACK = 'Traceback (most recent call last):';
const JOINS: readonly RegExp[] = [
  /^(?:Caused by|Suppressed|Stack trace|Require stack|Inner Exception|Nested Exception)\b.*:/i,
  /^\s*--- End of /,                       // .NET
  /^---> /,                                // .NET inner exception
  /^\.\.\. \d+ (?:more|common frames)/,    // Java
  /^#\d+ (?:\S+\(\d+\): |\{main\}|\[internal function\])/, // PHP
  /^\[[^\]]{10,40}\] PHP (?:Stack trace:|\s+\d+\. )/, // php_errors.log: each line of the trace carries the time
  /^PHP (?:Stack trace:|\s+\d+\. )/,
  /^Node\.js v\d+/,                        // V8's trailer of an uncaught error
  /^\(Use `node --trace/,
  /^(?:During handling of the above exception|The above exception was the direct cause)/, // Python
];
const CLOSER = /^[)\]}]+[,;]?$/;
const EXCEPTION_LINE = /^(?:[\w$]+\.)*[\w$]*(?:Error|Exception|Throwable)\b(?::|$)/;
const DOTNET_TRACE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*\s+PID\[\d+\]/;
/** A line that begins with a time or a bracketed time starts an entry of its own. */
const STAMPED = /^(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]|\[\d\d[-/][A-Z][a-z]{2}[-/]|[[(]?\d\d:\d\d:\d\d|\{"|<\d{1,3}>|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)/;

/** What the entry in work is, as far as it decides what may follow. */
type Kind = 'plain' | 'preamble' | 'uncaught' | 'frames' | 'traceback' | 'dotnet-trace';

/** Joins lines as they come; `take` gets each entry when the next one begins, at a bound, or at `flush`. */
export class Grouper {
  readonly #take: (entry: Entry) => void;
  #lines: PhysicalLine[] = [];
  #texts: string[] = [];
  #bytes = 0;
  #blanks = 0;                             // blank lines after the last text, shown only when more follows
  #kind: Kind = 'plain';

  constructor(take: (entry: Entry) => void) { this.#take = take; }

  /** Where the entry in work begins; undefined when there is none. */
  get start(): number | undefined { return this.#lines[0]?.offset; }

  push(line: PhysicalLine): void {
    const size = line.end - line.offset - line.cutBytes;
    if (this.#lines.length > 0 && (this.#lines.length >= MAX_ENTRY_LINES || this.#bytes + size > MAX_ENTRY_BYTES)) this.flush();
    const blank = line.text.trim() === '';
    if (this.#lines.length === 0) { this.#begin(line, blank); return; }
    if (blank) { this.#add(line, true); return; }
    const body = undocker(line.text);
    if (!this.#joins(body, line.text)) { this.flush(); this.#begin(line, false); return; }
    this.#kind = this.#follow(body);
    this.#add(line, false);
  }

  /** Closes the entry in work. */
  flush(): void {
    const first = this.#lines[0];
    const last = this.#lines.at(-1);
    if (first === undefined || last === undefined) return;
    const cutBytes = this.#lines.reduce((sum, line) => sum + line.cutBytes, 0);
    const text = this.#texts.join('\n');
    this.#lines = [];
    this.#texts = [];
    this.#bytes = 0;
    this.#blanks = 0;
    if (text !== '') this.#take({ offset: first.offset, end: last.end, text, cutBytes, tailLength: last.tailLength, tail: last.tail });
  }

  #begin(line: PhysicalLine, blank: boolean): void {
    const body = undocker(line.text);
    this.#kind = body.startsWith(TRACEBACK) ? 'traceback' : PREAMBLE.test(body) ? 'preamble' : DOTNET_TRACE.test(line.text) ? 'dotnet-trace' : 'plain';
    this.#add(line, blank);
  }

  #add(line: PhysicalLine, blank: boolean): void {
    this.#lines.push(line);
    this.#bytes += line.end - line.offset - line.cutBytes;
    if (blank) { this.#blanks += 1; return; }
    if (this.#texts.length > 0) for (let i = 0; i < this.#blanks; i += 1) this.#texts.push('');
    this.#blanks = 0;
    this.#texts.push(line.text);
  }

  #joins(body: string, raw: string): boolean {
    if (this.#texts.length === 0) return false; // only blank lines so far
    const kind = this.#kind;
    if (kind === 'traceback' && this.#blanks === 0) return true; // indented frames, then the line that names the exception
    if (/^\s/.test(body)) return this.#blanks === 0 || FRAME.test(body) || kind === 'uncaught' || kind === 'preamble';
    if (JOINS.some((form) => form.test(body))) return true;
    if (body.startsWith(TRACEBACK)) return this.#afterPythonError();
    if (STAMPED.test(body) || (STAMPED.test(raw) && body === raw)) return false;
    if (kind === 'preamble') return this.#texts.length === 1 || CARET.test(body);
    if (kind === 'uncaught' || kind === 'dotnet-trace') return true;
    if (CLOSER.test(body)) return /^\s/.test(undocker(this.#texts.at(-1) ?? ''));
    if (body.startsWith('- ')) return /^Require stack:|^- /.test(this.#texts.at(-1) ?? '');
    return this.#texts.length === 1 && this.#blanks === 0 && EXCEPTION_LINE.test(body) && STAMPED.test(this.#texts[0] ?? '');
  }

  /** A traceback belongs to the logged error directly above it, or to the traceback it followed from. */
  #afterPythonError(): boolean {
    if (/^(?:During handling|The above exception)/.test(undocker(this.#texts.at(-1) ?? ''))) return true;
    return this.#texts.length === 1 && this.#blanks === 0 && /\b(?:ERROR|CRITICAL|Exception)\b/.test(this.#texts[0] ?? '');
  }

  /** The kind after this line joined. */
  #follow(body: string): Kind {
    const kind = this.#kind;
    if (body.startsWith(TRACEBACK)) return 'traceback';
    if (kind === 'traceback') return /^\s/.test(body) ? 'traceback' : 'plain';
    if (kind === 'preamble') return CARET.test(body) ? 'uncaught' : 'preamble';
    // After its first frame an uncaught error has no more free lines: what comes next may be the restarted app.
    if (kind === 'uncaught') return FRAME.test(body) ? 'frames' : /^Node\.js v\d+/.test(body) ? 'plain' : 'uncaught';
    return kind;
  }
}
