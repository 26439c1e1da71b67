// Owns JavaScript frames: which function a frame of V8 runs, in which script, at which line and column.
import type { V8 } from './v8.ts';

const MAX_NAME_CHARS = 300;
const MAX_FILE_CHARS = 1_024;
/** A bundled app has some MB; positions beyond this have no line. */
const MAX_SOURCE_CHARS = 64 * 1024 * 1024;
const MAX_SOURCE_LINES = 2_000_000;
const PIECE_CHARS = 1024 * 1024;
/** The table begins before the first instruction, with the function itself. */
const FUNCTION_ENTRY = -1;
const MAX_TABLE_BYTES = 4 * 1024 * 1024;
/** After its locals a scope names its function within so many fields. */
const NAME_FIELDS = 8;
const MAX_LOCALS = 10_000;

/** How V8 ran it; inlined functions have no frame of their own. */
export type Tier = 'interpreted' | 'baseline' | 'optimized' | 'builtin';
export interface JsFrame {
  readonly function: string;
  readonly tier: Tier;
  readonly file?: string;
  /** Of the call; where V8 does not keep it in the frame, of the function's beginning, and `begins` is true. */
  readonly line?: number;
  readonly column?: number;
  readonly begins?: true;
}

/** What a frame pointer says; undefined where the frame is none of JavaScript. */
export function jsFrame(v8: V8, fp: number): JsFrame | undefined {
  if (v8.pointer(fp + v8.constant('off_fp_context_or_frame_type')) === undefined) return undefined;   // a number there names a frame of V8's own
  const func = v8.pointer(fp + v8.constant('off_fp_function'));
  const shared = func === undefined ? undefined : v8.field(func, v8.constant('class_JSFunction__shared'));
  if (func === undefined || !v8.isA(shared, 'SharedFunctionInfo') || v8.typeOf(func) === undefined) return undefined;
  return { function: functionName(v8, shared), ...placeOf(v8, fp, shared) };
}

function placeOf(v8: V8, fp: number, shared: number): Omit<JsFrame, 'function'> {
  const script = scriptOf(v8, shared);
  if (script === undefined) return { tier: 'builtin' };
  const file = v8.text(v8.field(script, v8.constant('class_Script__name')), MAX_FILE_CHARS);
  const named = file === undefined || file === '' ? {} : { file };
  const bytecode = v8.pointer(fp + v8.constant('off_fp_bytecode_array'));
  if (!v8.isA(bytecode, 'BytecodeArray')) return { tier: 'optimized', ...named, ...begin(v8, script, bytecodeOf(v8, shared)) };
  const offset = v8.smi(fp + v8.constant('off_fp_bytecode_offset'));
  if (offset === undefined) return { tier: 'baseline', ...named, ...begin(v8, script, bytecode) };
  const at = positionAt(v8, bytecode, offset - (v8.constant('class_BytecodeArray__data') - v8.constant('HeapObjectTag')));
  return { tier: 'interpreted', ...named, ...(at === undefined ? {} : lineOf(v8, script, at)) };
}

/** Where the function begins. */
function begin(v8: V8, script: number, bytecode: number | undefined): Pick<JsFrame, 'line' | 'column' | 'begins'> {
  const at = bytecode === undefined ? undefined : positionAt(v8, bytecode, FUNCTION_ENTRY);
  const line = at === undefined ? undefined : lineOf(v8, script, at);
  return line?.line === undefined ? {} : { ...line, begins: true };
}

/** The function keeps its bytecode also when it runs as machine code: in one of its first fields, straight or one step further. */
function bytecodeOf(v8: V8, shared: number): number | undefined {
  for (const offset of [8, 16]) {
    const one = v8.field(shared, offset);
    if (v8.isA(one, 'BytecodeArray')) return one;
    if (one === undefined || v8.typeOf(one) === undefined || v8.isString(one)) continue;
    for (const inner of [8, 16, 24]) {
      const further = v8.field(one, inner);
      if (v8.isA(further, 'BytecodeArray')) return further;
    }
  }
  return undefined;
}

function scriptOf(v8: V8, shared: number): number | undefined {
  const offset = v8.optional('class_SharedFunctionInfo__script_or_debug_info') ?? v8.optional('class_SharedFunctionInfo__script');
  const direct = offset === undefined ? undefined : v8.field(shared, offset);
  if (v8.isA(direct, 'Script')) return direct;
  if (direct === undefined) return undefined;
  for (const inner of [8, 16, 24, 32]) {                       // under a debugger: the debug information holds it
    const script = v8.field(direct, inner);
    if (v8.isA(script, 'Script')) return script;
  }
  return undefined;
}

export function functionName(v8: V8, shared: number): string {
  const named = v8.field(shared, v8.constant('class_SharedFunctionInfo__name_or_scope_info'));
  const name = v8.isA(named, 'ScopeInfo') ? nameInScope(v8, named) : v8.text(named, MAX_NAME_CHARS);
  return name === undefined || name === '' ? '(anonymous)' : name;
}

/** A scope holds its locals' names, then as much about each, then the function's name or what V8 inferred. */
function nameInScope(v8: V8, scope: number): string | undefined {
  const field = (index: number): number => 8 + index * 8;
  const locals = v8.smiField(scope, field(v8.constant('scopeinfo_idx_ncontextlocals')));
  if (locals === undefined || locals < 0 || locals > MAX_LOCALS) return undefined;
  const first = v8.constant('scopeinfo_idx_first_vars');
  // Many locals have their names in a table of one field instead.
  const listed = locals === 0 || v8.isString(v8.field(scope, field(first)));
  const from = first + (listed ? locals * 2 : locals + 1);
  for (let i = 0; i < NAME_FIELDS; i += 1) {
    const value = v8.field(scope, field(from + i));
    if (v8.isA(value, 'Map')) return undefined;                // the next object begins here
    const name = v8.text(value, MAX_NAME_CHARS);
    if (name !== undefined && name !== '') return name;
  }
  return undefined;
}

/** The place in the source that belongs to an instruction of bytecode. */
function positionAt(v8: V8, bytecode: number, offset: number): number | undefined {
  const table = v8.field(bytecode, v8.positionTableAt);
  if (!v8.isBytes(table)) return undefined;
  const sizeBytes = v8.smiField(table, 8);
  if (sizeBytes === undefined || sizeBytes <= 0 || sizeBytes > MAX_TABLE_BYTES) return undefined;
  const bytes = v8.mayWork(sizeBytes) ? v8.raw(table, 16, sizeBytes) : undefined;
  return bytes === undefined ? undefined : lastUpTo(bytes, offset);
}

/** Pairs of differences, each of 7 bits a byte with the sign lowest; of the place in the code (negative, less one: no statement) and of the place in the source. */
function lastUpTo(bytes: Buffer, offset: number): number | undefined {
  let [at, code, source] = [0, FUNCTION_ENTRY, 0];
  let found: number | undefined;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at] as number;
      at += 1;
      value += (byte & 0x7f) * scale;
      if ((byte & 0x80) === 0) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  };
  while (at < bytes.length) {
    const step = next();
    code += step >= 0 ? step : -(step + 1);
    source += next();
    if (code > offset && found !== undefined) return found;
    found = Math.floor((source % 2 ** 31) / 2) - 1;            // bit 0: outside of this script; then the place plus one
    if (code > offset) return found;
  }
  return found;
}

/** Line and column count from 1, as editors do. */
function lineOf(v8: V8, script: number, position: number): { line?: number; column?: number } {
  const starts = lineStarts(v8, script);
  if (starts === undefined || position < 0 || position > starts.length) return {};
  let [low, high] = [0, starts.at.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts.at[middle] as number) <= position) low = middle + 1; else high = middle;
  }
  return { line: low, column: position - (starts.at[low - 1] as number) + 1 };
}

interface Starts { readonly at: readonly number[]; readonly length: number }
const known = new WeakMap<V8, Map<number, Starts | undefined>>();

/** Each script is looked through once. */
function lineStarts(v8: V8, script: number): Starts | undefined {
  const scripts = known.get(v8) ?? new Map<number, Starts | undefined>();
  known.set(v8, scripts);
  if (!scripts.has(script)) scripts.set(script, findStarts(v8, script));
  return scripts.get(script);
}

function findStarts(v8: V8, script: number): Starts | undefined {
  const source = v8.field(script, v8.constant('class_Script__source'));
  const flat = source === undefined ? undefined : v8.flat(source);
  if (flat === undefined || flat.length > MAX_SOURCE_CHARS || !v8.mayWork(flat.length)) return undefined;
  const at = [0];
  for (let from = 0; from < flat.length; from += PIECE_CHARS) {
    const text = flat.chars(from, PIECE_CHARS);
    if (text === undefined) return undefined;
    for (const match of text.matchAll(/\n|\r(?!\n)|\u2028|\u2029/g)) if (at.push(from + match.index + 1) > MAX_SOURCE_LINES) return undefined;
  }
  return { at, length: flat.length };
}
