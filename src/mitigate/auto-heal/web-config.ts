// Owns a web.config as bytes: the rules it says, and the same bytes with other rules, proved before anybody may write them.
import { SaxesParser } from 'saxes';
import { plainRules, sameRules, type AutoHealNote, type AutoHealRules } from '../../shared/auto-heal.ts';
import { notesOn } from '../../shared/auto-heal-bounds.ts';
import { decode, encode, type Decoded } from './encoding.ts';
import { changesTo } from './edit.ts';
import { spliced, type Splice } from './layout.ts';
import { readConfig, type Places, type ReadConfig } from './monitoring.ts';
import { XmlFault } from './xml-fault.ts';
import type { XmlElement } from './xml-scan.ts';

export { XmlFault } from './xml-fault.ts';

/** IIS refuses larger ones unless MaxWebConfigFileSizeInKB says otherwise. */
const IIS_LIMIT_BYTES = 250 * 1_024;
/** What a site without a web.config begins with. */
const EMPTY = '<?xml version="1.0" encoding="utf-8"?>\r\n<configuration>\r\n</configuration>\r\n';

export interface WebConfig { readonly decoded: Decoded; readonly read: ReadConfig }

/** `bytes` undefined: there is no file. @throws XmlFault */
export function openWebConfig(bytes: Uint8Array | undefined): WebConfig {
  const decoded = decode(bytes ?? Buffer.from(EMPTY));
  const read = readConfig(decoded);
  mustParse(decoded.text);   // a second reader, of other hands: what only one of the two takes is not touched
  return { decoded, read };
}

/** The file with these rules; undefined: it says them already. @throws XmlFault when the result is not exactly what was wanted */
export function withRules(before: WebConfig, wanted: AutoHealRules): Uint8Array | undefined {
  const { decoded, read } = before;
  const splices = changesTo(decoded, read, wanted);
  const text = spliced(decoded.text, splices);
  if (text === decoded.text) return undefined;
  const bytes = encode(text, decoded.encoding);
  const after = openWebConfig(bytes);
  if (!sameRules(after.read.rules, wanted)) throw new XmlFault(1, 'the changed file would not say what was wanted');
  const stays = splices.every((one) => touchesOnly(decoded.text, one, read.places.monitoring));
  if (!stays || after.decoded.text !== text || eventsOutside(text) !== eventsOutside(decoded.text)) throw new XmlFault(1, 'the change would touch more than the monitoring element');
  return bytes;
}

/** Outside of the monitoring element only white space is replaced, or the end of an empty tag that gets children. */
function touchesOnly(text: string, { start, end }: Splice, monitoring: XmlElement | undefined): boolean {
  const from = monitoring === undefined ? end : Math.min(Math.max(monitoring.start, start), end), to = monitoring === undefined ? end : Math.max(Math.min(monitoring.end, end), from);
  return [text.slice(start, from), text.slice(to, end)].every((piece) => /^[ \t\r\n]*(?:\/>)?$/.test(piece));
}

/** What the rules hold that web.config has no documented words for, each as a sentence. */
export function unsaid(rules: AutoHealRules, places: Places): string[] {
  const { triggers, actions } = plainRules(rules);
  const knowsLeast = places.actions?.attributes.some(({ name }) => name === 'minProcessExecutionTime') === true;
  return [
    ...(triggers?.statusCodes ?? []).flatMap(({ status, path }) => (path ? [`The path ${path} of status ${status}: web.config counts a status on all paths.`] : [])),
    ...(triggers?.statusCodesRange ?? []).map(({ statusCodes }) => `The status range ${statusCodes}: web.config counts single statuses, each for itself.`),
    ...(triggers?.slowRequestsWithPath ?? []).map(({ path }) => `Slow requests on the path ${path ?? ''}: web.config counts them on all paths.`),
    ...(actions?.minProcessExecutionTime !== undefined && !knowsLeast ? [`The least age of the process, ${actions.minProcessExecutionTime}: no attribute for it is documented, and IIS answers 500.19 to one that it does not know.`] : []),
  ];
}

/** The same rules without what `unsaid` lists. */
export function sayable(rules: AutoHealRules, places: Places): AutoHealRules {
  const { triggers, actions } = plainRules(rules);
  const knowsLeast = unsaid({ actions }, places).length === 0;
  return plainRules({
    triggers: triggers && { requests: triggers.requests, privateBytesInKB: triggers.privateBytesInKB, slowRequests: triggers.slowRequests, statusCodes: triggers.statusCodes?.filter(({ path }) => !path) },
    actions: actions && { ...actions, minProcessExecutionTime: knowsLeast ? actions.minProcessExecutionTime : undefined },
  });
}

/** What there is to know about rules in this file. */
export function notesFor({ read }: WebConfig, rules: AutoHealRules, sizeBytes: number): AutoHealNote[] {
  const size: AutoHealNote[] = sizeBytes > IIS_LIMIT_BYTES ? [{ level: 'warning', on: 'file', says: `The file has ${sizeBytes} bytes: IIS refuses a web.config above ${IIS_LIMIT_BYTES} unless its limit was raised.` }] : [];
  return [...notesOn(plainRules(rules), { iisnode: read.iisnode }), ...read.notes, ...size];
}

function mustParse(text: string): void {
  parserOf().write(text).close();
}

function parserOf(): SaxesParser<{ xmlns: true }> {
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => { throw new XmlFault(parser.line, error.message.replace(/^\d+:\d+: /, '').replace(/\.$/, ''), { cause: error }); });
  return parser;
}

const MONITORING = /^configuration\/(?:location\/)?system\.webServer\/monitoring(?:\/|$)/;

/** All that a reader of the file meets but its monitoring element, white space, and a system.webServer with nothing in it. */
export function eventsOutside(text: string): string {
  const parser = parserOf();
  const path: string[] = [], events: string[] = [];
  const tell = (event: string): void => { if (!MONITORING.test(path.join('/'))) events.push(event); };
  parser.on('opentag', ({ name, attributes }) => { path.push(name); tell(`<${name}${JSON.stringify(Object.entries(attributes).map(([key, { value }]) => [key, value]))}`); });
  parser.on('closetag', ({ name }) => { tell(`>${name}`); path.pop(); });
  parser.on('text', (piece) => { if (piece.trim() !== '') tell(`"${piece.replace(/[ \t\r\n]+/g, '')}`); });
  parser.on('comment', (piece) => { tell(`!${piece}`); });
  parser.on('cdata', (piece) => { tell(`[${piece}`); });
  parser.on('processinginstruction', ({ target, body }) => { tell(`?${target} ${body}`); });
  parser.write(text).close();
  return events.join('\n').replaceAll('<system.webServer[]\n>system.webServer\n', '');
}
