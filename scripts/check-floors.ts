// Owns the law of the floors: who may import whom, which package and which global belongs to which floor, how long a file may be.
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve, dirname } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const src = join(root, 'src');

/** The staircase: import only leftwards. client and preload stand on shared alone. */
const FLOORS = ['shared', 'platform', 'store', 'observe', 'analyze', 'mitigate', 'agent', 'server', 'cli'];
const OUTBUILDINGS = ['client', 'preload'];
const MAX_LINES = 300;

/** Which floors may use an npm package; the rest of src/ may not. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  zod: ['shared', 'store', 'analyze', 'agent', 'server', 'cli'], koffi: ['platform'], pidusage: ['platform'], systeminformation: ['platform'], archiver: ['analyze', 'platform'],
  express: ['server'], ws: ['server', 'cli'], commander: ['cli'], preact: ['client'], uplot: ['client'], re2js: ['observe'], 'jsonc-parser': ['mitigate'], saxes: ['platform', 'analyze', 'observe', 'mitigate', 'agent'], yauzl: ['analyze', 'observe', 'platform'],
  '@lydell/node-pty': ['platform'], '@xterm/xterm': ['client'], '@xterm/addon-fit': ['client'], '@azure/arm-appservice': ['mitigate'], '@azure/identity': ['mitigate'], nodemailer: ['mitigate'],
};

/** Words that belong to one place. `entry` files are main.ts and the worker's entry. */
const WORDS: readonly { word: RegExp; floors: readonly string[]; why: string }[] = [
  { word: /\bnode:child_process\b/, floors: ['platform'], why: 'child programs start in platform/run.ts only' },
  { word: /\bprocess\.platform\b/, floors: ['platform', 'preload'], why: 'only platform/ asks what OS this is' },
  { word: /\bprocess\.env\b/, floors: ['agent', 'entry', 'cli', 'preload'], why: 'the environment is read in agent/config.ts, the CLI and the entries' },
  { word: /\bconsole\./, floors: ['cli'], why: 'console belongs to the CLI' },
  { word: /\bDate\.now\(|\bMath\.random\(|\bsetTimeout\(|\bsetInterval\(/, floors: ['platform', 'preload', 'client'], why: 'time and chance are arguments (Clock)' },
  { word: /\binnerHTML\b|\bdangerouslySetInnerHTML\b|\binsertAdjacentHTML\b/, floors: [], why: 'text is hostile: use text nodes' },
];

const faults: string[] = [];

function floorOf(file: string): string {
  const [first = ''] = relative(src, file).split('/');
  return first.endsWith('.ts') ? 'entry' : first;
}

function mayImport(from: string, to: string): boolean {
  if (from === to || from === 'entry') return true;
  if (OUTBUILDINGS.includes(from)) return to === 'shared';
  return FLOORS.includes(to) && FLOORS.indexOf(to) < FLOORS.indexOf(from);
}

function checkImport(file: string, floor: string, line: string, spec: string, place: string): void {
  const typeOnly = /^\s*(import|export)\s+type\b/.test(line);
  if (spec.startsWith('.')) {
    const to = floorOf(resolve(dirname(file), spec));
    if (!mayImport(floor, to) && !(floor === 'preload' && typeOnly && to === 'shared')) faults.push(`${place} ${floor} may not import ${to}: the floors go ${FLOORS.join(' < ')}; move the piece down or hand it in as an argument`);
    return;
  }
  if (spec.startsWith('node:')) {
    if (floor === 'shared' || floor === 'client') faults.push(`${place} ${floor} runs in the browser too: no ${spec}`);
    return;
  }
  const name = spec.startsWith('@') ? spec.split('/').slice(0, 2).join('/') : spec.split('/')[0] ?? spec;
  const owners = PACKAGES[name];
  if (!owners) faults.push(`${place} package ${name} has no owner: give it one in scripts/check-floors.ts and a reason in src/README.md`);
  else if (!owners.includes(floor) && !(typeOnly && name === 'zod')) faults.push(`${place} package ${name} belongs to ${owners.join(', ')}, not ${floor}`);
}

async function check(file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const lines = text.split('\n');
  const floor = floorOf(file);
  const name = relative(root, file);
  if (!lines[0]?.startsWith('// ') && !lines[0]?.startsWith('#!')) faults.push(`${name}:1 opens without the sentence that says what it owns`);
  if (lines.length > MAX_LINES + 1 && !/reason for its length:/i.test(lines.slice(0, 4).join(' '))) faults.push(`${name} has ${lines.length} lines (at most ${MAX_LINES}; an exception says "reason for its length:" in its first lines)`);
  lines.forEach((line, index) => {
    const place = `${name}:${index + 1}`;
    const code = line.replace(/\/\/.*$/, '');
    const spec = /(?:^\s*(?:import|export|\}).*\bfrom\s*|\bimport\s*\(?\s*)'([^']+)'/.exec(code)?.[1];
    if (spec) checkImport(file, floor, line, spec, place);
    for (const { word, floors, why } of WORDS) if (word.test(code) && !floors.includes(floor)) faults.push(`${place} ${why}`);
  });
}

const files = (await readdir(src, { recursive: true })).filter((f) => /\.tsx?$/.test(f)).map((f) => join(src, f));
for (const file of files.sort()) await check(file);
if (faults.length > 0) {
  process.stderr.write(`${faults.join('\n')}\n${faults.length} faults in ${files.length} files\n`);
  process.exit(1);
}
process.stdout.write(`floors: ${files.length} files in order\n`);
