// Owns the reading of failed request traces (fr*.xml): one request each, with the module that failed it.
import { SaxesParser } from 'saxes';
import { routeOf } from '../../observe/http-log/route.ts';
import type { ArtifactReader } from '../contracts.ts';
import { oneLine } from '../parse/words.ts';

export interface TraceEvent {
  readonly at: number | undefined; readonly method: string; readonly route: string; readonly status: number; readonly sub: number | undefined; readonly takenMs: number | undefined;
  readonly module: string | undefined; readonly reason: string | undefined; readonly errorCode: number | undefined; readonly text: string | undefined; readonly where: string;
}

/** A trace has some hundred events. */
const MAX_BYTES = 16 * 1024 * 1024;
export const MAX_TRACES = 500;

/** Undefined for a file that is no trace. A torn one tells what it holds up to there. */
export async function traceOf(reader: ArtifactReader): Promise<TraceEvent | undefined> {
  const { text } = await reader.text(MAX_BYTES);
  if (!/<failedRequest[\s>]/.test(text.slice(0, 4_096))) return undefined;
  const found: Found = { attributes: {} };
  let name = '', value = '';
  let module = '';
  const parser = new SaxesParser({ position: false, xmlns: false });
  parser.on('error', () => undefined);                         // a torn end, a character that XML forbids: what stands before it is told
  parser.on('opentag', (tag) => {
    if (tag.name === 'failedRequest') found.attributes = tag.attributes as Record<string, string>;
    if (tag.name === 'TimeCreated') found.at ??= Date.parse((tag.attributes as Record<string, string>)['SystemTime'] ?? '');
    name = tag.name === 'Data' ? (tag.attributes as Record<string, string>)['Name'] ?? '' : '';
    value = '';
  });
  parser.on('text', (part) => { value += part; });
  parser.on('closetag', (tag) => {
    if (tag.name !== 'Data') return;
    const said = value.trim();
    if (name === 'ModuleName') module = said;
    if (name === 'HttpStatus' && Number(said) >= 400) { found.status = Number(said); found.module ??= module; }
    if (name === 'HttpSubStatus' && found.status !== undefined) found.sub ??= Number(said);
    if (name === 'ErrorCode' && found.code === undefined) found.code = Number(/^(?:0x)?[0-9a-f]+$/i.test(said) ? (said.startsWith('0x') ? Number.parseInt(said, 16) : said) : /\((0x[0-9a-f]+)\)/i.exec(said)?.[1] ?? NaN);
  });
  try { parser.write(text.replace(/^\uFEFF/, '')).close(); } catch { /* torn: said by the missing parts */ }
  return made(found, reader.ref.name);
}

interface Found { attributes: Record<string, string>; at?: number; module?: string; status?: number; sub?: number; code?: number }

function made(found: Found, file: string): TraceEvent | undefined {
  const { attributes } = found;
  const [status, sub] = (attributes['statusCode'] ?? '').split('.').map(Number);
  const code = status !== undefined && status > 0 ? status : found.status;
  if (code === undefined || !(code > 0)) return undefined;
  const path = (attributes['url'] ?? '/').replace(/^https?:\/\/[^/]*/, '').split('?')[0] ?? '/';
  const errorCode = found.code !== undefined && Number.isFinite(found.code) ? found.code & 0xFFFF : undefined;
  const taken = Number(attributes['timeTaken'] ?? NaN);
  return {
    at: found.at !== undefined && Number.isFinite(found.at) ? found.at : undefined, method: oneLine(attributes['verb'] ?? '-', 20), route: routeOf(path === '' ? '/' : path), status: code, sub: sub ?? found.sub,
    takenMs: Number.isFinite(taken) ? taken : undefined, module: found.module === undefined ? undefined : oneLine(found.module, 80), reason: attributes['failureReason'] === undefined ? undefined : oneLine(attributes['failureReason'], 80),
    errorCode: errorCode === 0 ? undefined : errorCode, text: undefined, where: oneLine(file, 120),
  };
}
