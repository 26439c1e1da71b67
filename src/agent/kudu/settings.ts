// Owns the two sets of settings that Kudu keeps below site/: deployment settings (an XML file, over the app settings) and diagnostic settings (a JSON file), in the files where Kudu looks for them.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SaxesParser } from 'saxes';
import { DiagError, sayError } from '../../shared/errors.ts';
import type { Platform, Variable } from '../../platform/platform.ts';
import type { Observed } from '../../observe/observe.ts';
import { workerOf } from '../../analyze/target.ts';
import { codeIn, writeAtomic } from '../../store/atomic.ts';
import { createTurns } from '../../store/turns.ts';
import type { Parts } from '../agent.ts';
import type { Config } from '../config.ts';

export type Values = Readonly<Record<string, unknown>>;

export interface Settings {
  /** Kudu's defaults, the app settings, then what was set by this address: the later one wins. Values as they are: who reads them may put them elsewhere. */
  all(signal: AbortSignal): Promise<Values>;
  set(values: Values, who: string): Promise<void>;
  /** No fault where it was not set. */
  remove(key: string, who: string): Promise<void>;
}

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_KEYS = 500;
const MAX_CHARS = 32_000;
/** App settings stand in the environment of the site's processes with this before their names. */
const APP_SETTING = /^APPSETTING_(?=.)/i;
/** What Kudu answers when nothing is set, as far as it means something here. */
const DEFAULTS: Values = { SCM_COMMAND_IDLE_TIMEOUT: '60' };

export function createSettings({ platform, observed, audit }: Pick<Parts, 'platform' | 'observed' | 'audit'>, config: Pick<Config, 'env'>): Settings {
  const file = join(platform.host.folders.deployments, 'settings.xml');
  const turns = createTurns();
  const change = (what: string, who: string, work: (own: Map<string, string>) => void): Promise<void> => turns.take(async () => {
    const sections = await readSections(file);
    const own = new Map(sections.get(SECTION));
    work(own);
    if (own.size > MAX_KEYS) throw new DiagError('TOO_MANY', { what: 'settings', limit: MAX_KEYS });
    sections.set(SECTION, own);
    await writeAtomic(file, xmlOf(sections));
    await audit(who, 'change settings', what, 'written to site/deployments/settings.xml');
  });
  return {
    async all(signal) {
      const own = (await readSections(file)).get(SECTION) ?? new Map<string, string>();
      return { ...DEFAULTS, ...appSettings([...Object.entries(config.env).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])), ...await ofWorker(platform, observed, signal)]), ...Object.fromEntries(own) };
    },
    set: (values, who) => change(`set ${Object.keys(values).join(', ')}`, who, (own) => { for (const [key, value] of Object.entries(values)) own.set(keyOf(key), textOf(key, value)); }),
    remove: (key, who) => change(`remove ${key}`, who, (own) => { for (const one of own.keys()) if (one.toLowerCase() === key.toLowerCase()) own.delete(one); }),
  };
}

/** Where the agent runs beside the SCM site both have the same; a standalone agent learns them from the app. */
async function ofWorker(platform: Platform, observed: Pick<Observed, 'processes'>, signal: AbortSignal): Promise<readonly Variable[]> {
  const worker = workerOf(observed.processes());
  if (worker === undefined || !platform.can('environment').yes) return [];
  try {
    return await platform.environment(worker.pid, signal);
  } catch (error) {
    if (error instanceof DiagError) return [];                 // gone, or another user's: what the agent itself has is told
    throw error;
  }
}

function appSettings(variables: readonly Variable[]): Values {
  return Object.fromEntries(variables.filter(({ name }) => APP_SETTING.test(name)).map(({ name, value }) => [name.replace(APP_SETTING, ''), value]));
}

function keyOf(key: string): string {
  if (key.trim() === '' || key.length > 300 || hasControl(key)) throw new DiagError('BAD_INPUT', { why: 'the name of a setting is empty, too long or has a control character' });
  return key;
}

function textOf(key: string, value: unknown): string {
  if (!['string', 'number', 'boolean'].includes(typeof value)) throw new DiagError('BAD_INPUT', { why: `the value of ${key.slice(0, 100)} is not a text` });
  const text = String(value);
  if (text.length > MAX_CHARS || hasControl(text)) throw new DiagError('BAD_INPUT', { why: `the value of ${key.slice(0, 100)} is too long or has a control character` });
  return text;
}

/** XML has no way to write most of them. */
function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) { const code = text.charCodeAt(i); if (code < 32 && code !== 9 && code !== 10 && code !== 13) return true; }
  return false;
}

type Sections = Map<string, ReadonlyMap<string, string>>;
const SECTION = 'deployment';

/** `<settings><deployment><add key="" value=""/></deployment></settings>` @throws FILE_BAD when it is there and something else */
async function readSections(file: string): Promise<Sections> {
  const sections: Sections = new Map();
  const text = await textAt(file);
  if (text === undefined) return sections;
  const path: string[] = [];
  let fault: Error | undefined;
  const parser = new SaxesParser();
  parser.on('error', (error) => { fault ??= error; });
  parser.on('opentag', ({ name, attributes }) => {
    path.push(name);
    const [, section] = path;
    const { key, value } = attributes;
    if (path.length !== 3 || name !== 'add' || section === undefined || key === undefined) return;
    sections.set(section, new Map([...sections.get(section) ?? [], [key, value ?? '']]));
  });
  parser.on('closetag', () => { path.pop(); });
  parser.write(text).close();
  if (fault !== undefined) throw new DiagError('SETTINGS_UNREADABLE', { file: 'site/deployments/settings.xml', why: sayError(fault) });
  return sections;
}

function xmlOf(sections: Sections): string {
  const lines = [...sections].map(([name, values]) => `  <${name}>\n${[...values].map(([key, value]) => `    <add key="${escaped(key)}" value="${escaped(value)}" />\n`).join('')}  </${name}>\n`);
  return `<?xml version="1.0" encoding="utf-8"?>\n<settings>\n${lines.join('')}</settings>\n`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"\t\r\n]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** @throws SETTINGS_UNREADABLE when it is larger than any file of settings */
async function textAt(file: string): Promise<string | undefined> {
  try {
    const content = await readFile(file);
    if (content.length > MAX_FILE_BYTES) throw new DiagError('SETTINGS_UNREADABLE', { file, why: 'it is larger than 1 MiB' });
    return content.toString('utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The diagnostic settings, with the defaults of Kudu's own. */
export function createDiagnosticSettings({ platform, audit }: Pick<Parts, 'platform' | 'audit'>): Settings {
  const file = join(platform.host.folders.site, '..', 'diagnostics', 'settings.json');
  const turns = createTurns();
  const kept = async (): Promise<Record<string, unknown>> => {
    const text = await textAt(file);
    if (text === undefined || text.trim() === '') return {};
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
      throw new SyntaxError('it is not an object');
    } catch (error) {
      if (error instanceof SyntaxError) throw new DiagError('SETTINGS_UNREADABLE', { file: 'site/diagnostics/settings.json', why: error.message }, { cause: error });
      throw error;
    }
  };
  const change = (what: string, who: string, work: (own: Record<string, unknown>) => Record<string, unknown>): Promise<void> => turns.take(async () => {
    const next = work(await kept());
    if (Object.keys(next).length > MAX_KEYS) throw new DiagError('TOO_MANY', { what: 'settings', limit: MAX_KEYS });
    await writeAtomic(file, `${JSON.stringify(next, undefined, 2)}\n`);
    await audit(who, 'change diagnostic settings', what, 'written to site/diagnostics/settings.json');
  });
  return {
    all: async () => ({ ...DIAGNOSTIC_DEFAULTS, ...await kept() }),
    set: (values, who) => change(`set ${Object.keys(values).join(', ')}`, who, (own) => ({ ...own, ...Object.fromEntries(Object.entries(values).map(([key, value]) => [keyOf(key), plain(key, value)])) })),
    remove: (key, who) => change(`remove ${key}`, who, (own) => Object.fromEntries(Object.entries(own).filter(([one]) => one.toLowerCase() !== key.toLowerCase()))),
  };
}

const DIAGNOSTIC_DEFAULTS: Values = { AzureDriveEnabled: false, AzureDriveTraceLevel: 'Error', AzureTableEnabled: false, AzureTableTraceLevel: 'Error', AzureBlobEnabled: false, AzureBlobTraceLevel: 'Error' };

function plain(key: string, value: unknown): string | number | boolean {
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  return textOf(key, value);
}
