// Owns the real XDT engine for tests: Microsoft.Web.XmlTransform, as the npm package grunt-xdt carries it, under mono.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SaxesParser } from 'saxes';

const execute = promisify(execFile);
const CTT = resolve(import.meta.dirname, '../../node_modules/grunt-xdt/bin/ctt.exe');
const LIMIT_MS = 60_000;

export function noEngine(): string | undefined {
  const there = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'mono')));
  return there || process.env['CI'] === 'true' ? undefined : 'SKIPPED: no mono on this machine (Debian: apt-get install mono-runtime libmono-system-xml4.0-cil libmono-system-core4.0-cil)';
}

/** The variables as a worker of the site "shop" has them. NODE_OPTIONS is one only where an app setting makes it. */
export const VARIABLES = { XDT_SITENAME: 'shop', XDT_SCMSITENAME: '~1shop', XDT_APPPOOLNAME: '~1shop', XDT_EXTENSIONPATH: 'C:\\home\\SiteExtensions\\AppServiceDiag', HOME: 'C:\\home' };

/** As the platform does it before the transform runs: what is not a variable stays as it is. */
export function expand(xdt: string, variables: Readonly<Record<string, string>> = VARIABLES): string {
  return xdt.replace(/%(\w+)%/g, (whole, name: string) => variables[name] ?? whole);
}

/** Source and transform in, result out; throws with what the engine says when it fails. */
export async function transform(source: string, xdt: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'xdt-'));
  try {
    const path = (name: string): string => join(folder, name);
    await Promise.all([writeFile(path('source.config'), source), writeFile(path('transform.xdt'), xdt)]);
    const { stdout, stderr } = await execute('mono', [CTT, `s:${path('source.config')}`, `t:${path('transform.xdt')}`, `d:${path('result.config')}`], { timeout: LIMIT_MS, env: { ...process.env, LANG: 'C.UTF-8' } });
    if (!existsSync(path('result.config'))) throw new Error(`the engine wrote nothing: ${stdout}${stderr}`);
    return await readFile(path('result.config'), 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a configuration says, whatever its white space: an element is a line, its depth the indent. */
export function outline(xml: string): string[] {
  const parser = new SaxesParser();
  const lines: string[] = [];
  let depth = 0;
  parser.on('error', (error) => { throw error; });
  parser.on('opentag', ({ name, attributes }) => {
    lines.push(`${'  '.repeat(depth)}${name}${Object.entries(attributes).map(([key, value]) => ` ${key}="${value as string}"`).join('')}`);
    depth += 1;
  });
  parser.on('closetag', () => { depth -= 1; });
  parser.write(xml.replace(/^\ufeff/, '')).close();
  return lines;
}

/** What IIS refuses of a configuration, of the things that a transform can break: keys that stand twice, keys that are missing. */
export function refusedByIis(xml: string): string[] {
  const faults: string[] = [];
  const keys = new Set<string>();
  const open: string[] = [];
  let counted = 0;
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    counted += 1;
    const parent = open.at(-1) ?? '';
    const key = parent.startsWith('site#') && name === 'application' ? attributes['path'] : parent.startsWith('environmentVariables#') && name === 'add' ? attributes['name'] : undefined;
    if (parent.startsWith('environmentVariables#') && name === 'add' && key === undefined) faults.push('a variable without a name');
    if (key !== undefined && keys.has(`${parent} ${key.toLowerCase()}`)) faults.push(`${name} "${key}" twice`);
    keys.add(`${parent} ${key?.toLowerCase() ?? ''}`);
    open.push(`${name}#${counted}`);
  });
  parser.on('closetag', () => { open.pop(); });
  parser.write(xml.replace(/^\ufeff/, '')).close();
  return faults;
}
