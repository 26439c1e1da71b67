// Owns what belongs together: which physical lines of a log go on the entry above, and the entries they make.
import { undocker } from '../../shared/log-fields.ts';
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
/** A private key follows line by line: one entry, so that the mask sees it whole. */
const PEM_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^-]*$/;
const PEM_LINE = /^\s*(?:[A-Za-z0-9+/=\\]{1,100}|-----END .*|(?:Proc-Type|DEK-Info): .*)$/;
/** A line that the container runtime cut: the next one goes on where it ends. */
const PARTIAL = /^\d{4}-\S{1,40} std(?:out|err) P(?::\S{0,64})? /;
/** A line that begins with a time or a bracketed time starts an entry of its own. */
const STAMPED = /^(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]|\[\d\d[-/][A-Z][a-z]{2}[-/]|[[(]?\d\d:\d\d:\d\d|\{"|<\d{1,3}>|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)/;

/** What the entry in work is, as far as it decides what may follow. */
type Kind = 'plain' | 'preamble' | 'uncaught' | 'frames' | 'traceback' | 'dotnet-trace' | 'pem';

export type Belongs = 'new' | 'joins' | 'blank';

/** Tells of each line whether it begins an entry. Blank lines belong to the entry above, shown only when more of it follows. */
export class Joining {
  readonly #lazy: () => string;
  #kind: Kind = 'plain';
  #lines = 0;                              // physical ones of the entry in work; 0 before the first
  #texts = 0;                              // of these, not blank
  #bytes = 0;
  #blanks = 0;                             // since the last text
  #first: string | undefined;
  #last: string | undefined;

  /** `lazy` gives the text of the entry's only line where `begin` was called without it: most entries are never asked. */
  constructor(lazy: () => string = () => '') { this.#lazy = lazy; }

  /** Nothing but the sure beginning of another entry needs no look at its text. */
  get plain(): boolean { return this.#kind === 'plain' || this.#kind === 'frames'; }
  get open(): boolean { return this.#texts > 0; }

  /** A line that begins an entry beyond doubt, and is of no kind that takes others in. */
  begin(bytes: number): void {
    this.#kind = 'plain';
    this.#lines = 1;
    this.#texts = 1;
    this.#bytes = bytes;
    this.#blanks = 0;
    this.#first = undefined;
    this.#last = undefined;
  }

  /** Takes what `begin` left unread, before it is gone. */
  settle(): void { if (this.#texts === 1) this.#first ??= this.#lazy(); }

  /** What comes next belongs to nothing above. */
  end(): void { this.#lines = 0; this.#texts = 0; this.#blanks = 0; }

  /** Takes the next line. */
  next(text: string, bytes: number): Belongs {
    if (this.#lines >= MAX_ENTRY_LINES || this.#bytes + bytes > MAX_ENTRY_BYTES) this.end();
    if (text.trim() === '') {
      if (this.#texts > 0) { this.#blanks += 1; this.#lines += 1; this.#bytes += bytes; }
      return 'blank';
    }
    const body = undocker(text);
    if (!this.#joins(body, text)) {
      this.begin(bytes);
      this.#first = text;
      this.#kind = beginning(body, text);
      return 'new';
    }
    this.#kind = this.#follow(body);
    this.#lines += 1;
    this.#texts += 1;
    this.#bytes += bytes;
    this.#blanks = 0;
    this.#last = text;
    return 'joins';
  }

  get #firstText(): string { this.#first ??= this.#lazy(); return this.#first; }
  get #lastText(): string { return this.#last ?? this.#firstText; }

  #joins(body: string, raw: string): boolean {
    if (this.#texts === 0) return false;
    const kind = this.#kind;
    if (kind === 'pem') return PEM_LINE.test(body) || PARTIAL.test(this.#lastText);
    if (kind === 'traceback' && this.#blanks === 0) return true; // indented frames, then the line that names the exception
    if (/^\s/.test(body)) return this.#blanks === 0 || FRAME.test(body) || kind === 'uncaught' || kind === 'preamble';
    if (JOINS.some((form) => form.test(body))) return true;
    if (body.startsWith(TRACEBACK)) return this.#afterPythonError();
    if (STAMPED.test(body) || (STAMPED.test(raw) && body === raw)) return false;
    if (kind === 'preamble') return this.#texts === 1 || CARET.test(body);
    if (kind === 'uncaught' || kind === 'dotnet-trace') return true;
    if (CLOSER.test(body)) return /^\s/.test(undocker(this.#lastText));
    if (body.startsWith('- ')) return /^Require stack:|^- /.test(this.#lastText);
    return this.#texts === 1 && this.#blanks === 0 && EXCEPTION_LINE.test(body) && STAMPED.test(this.#firstText);
  }

  /** A traceback belongs to the logged error directly above it, or to the traceback it followed from. */
  #afterPythonError(): boolean {
    if (/^(?:During handling|The above exception)/.test(undocker(this.#lastText))) return true;
    return this.#texts === 1 && this.#blanks === 0 && /\b(?:ERROR|CRITICAL|Exception)\b/.test(this.#firstText);
  }

  /** The kind after this line joined. */
  #follow(body: string): Kind {
    const kind = this.#kind;
    if (PEM_BEGIN.test(body)) return 'pem';
    if (kind === 'pem') return body.includes('-----END') ? 'plain' : 'pem';
    if (body.startsWith(TRACEBACK)) return 'traceback';
    if (kind === 'traceback') return /^\s/.test(body) ? 'traceback' : 'plain';
    if (kind === 'preamble') return CARET.test(body) ? 'uncaught' : 'preamble';
    // After its first frame an uncaught error has no more free lines: what comes next may be the restarted app.
    if (kind === 'uncaught') return FRAME.test(body) ? 'frames' : /^Node\.js v\d+/.test(body) ? 'plain' : 'uncaught';
    return kind;
  }
}

function beginning(body: string, raw: string): Kind {
  if (PEM_BEGIN.test(body)) return 'pem';
  if (body.startsWith(TRACEBACK)) return 'traceback';
  if (PREAMBLE.test(body)) return 'preamble';
  return DOTNET_TRACE.test(raw) ? 'dotnet-trace' : 'plain';
}

/** Joins lines as they come; `take` gets each entry when the next one begins, at a bound, or at `flush`. */
export class Grouper {
  readonly #take: (entry: Entry) => void;
  readonly #joining = new Joining();
  #lines: PhysicalLine[] = [];

  constructor(take: (entry: Entry) => void) { this.#take = take; }

  push(line: PhysicalLine): void {
    const belongs = this.#joining.next(line.text, line.end - line.offset - line.cutBytes);
    if (belongs === 'new' || (belongs === 'blank' && !this.#joining.open)) this.#hand();
    this.#lines.push(line);
  }

  /** Closes the entry in work. */
  flush(): void {
    this.#joining.end();
    this.#hand();
  }

  #hand(): void {
    const first = this.#lines.find((line) => line.text.trim() !== '');
    const start = this.#lines[0];
    const last = this.#lines.at(-1);
    const lines = this.#lines;
    this.#lines = [];
    if (first === undefined || start === undefined || last === undefined) return;
    const cutBytes = lines.reduce((sum, line) => sum + line.cutBytes, 0);
    const text = lines.map((line) => (line.text.trim() === '' ? '' : line.text)).join('\n').replace(/^\n+|\n+$/g, '');
    this.#take({ offset: first.offset, end: last.end, text, cutBytes, tailLength: last.tailLength, tail: last.tail });
  }
}
