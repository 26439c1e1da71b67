// Owns `diag env`: settings, connection strings and variables of the app, masked, its limits, and the comparison with another instance or a saved moment.
import type { Comparison, ComparedEntry, EnvironmentView, LimitView, SnapshotView } from '../../shared/environment.ts';
import { bytes, count, percent, plural, utc } from '../../shared/units.ts';
import type { Diag } from '../../shared/connect.ts';
import { systemClock, within } from '../../platform/clock.ts';
import type { Remote } from '../options.ts';
import { colour, cut, print, printJson, remark, safeLine, table, wrap } from '../print.ts';
import { withAgent } from '../reach.ts';
import { stop } from '../until.ts';

/** An agent that was raised a moment ago finds the app with its first look. */
const LOOKED_MS = 5_000;
const LOOK_MS = 200;
const VALUE_CHARS = 120;
const SNAPSHOTS_SHOWN = 10;

export interface EnvOptions extends Remote { readonly agent?: boolean; readonly compare?: string; readonly with?: string; readonly save?: string | true }

export async function env(options: EnvOptions): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    await looked(diag);
    if (options.save !== undefined) await saved(diag, options);
    else if (options.compare !== undefined) await compared(diag, options.compare, options);
    else await shown(diag, options);
  });
}

async function looked(diag: Diag): Promise<void> {
  const limit = within(LOOKED_MS, stop);
  while (!limit.aborted && !(await diag.agent()).samplers.some((s) => s.id === 'processes' && s.lastAt !== undefined)) await systemClock.wait(LOOK_MS, stop);
}

async function shown(diag: Diag, options: EnvOptions): Promise<void> {
  const view = await diag.environment({ query: { of: options.agent === true ? 'agent' : 'app' } });
  if (options.json === true) { printJson(view); return; }
  print(drawn(view).join('\n'));
  const { instances, moments } = await diag.snapshots();
  const known = [...instances, ...moments];
  if (known.length > 0) remark(['', 'To compare with, by --compare:', ...known.slice(0, SNAPSHOTS_SHOWN).map(snapshotLine), ...(known.length > SNAPSHOTS_SHOWN ? [`  … ${known.length - SNAPSHOTS_SHOWN} more`] : [])].join('\n'));
}

const snapshotLine = ({ ref, at, note }: SnapshotView): string => safeLine(`  ${ref}  as of ${utc(at)}${note === undefined ? '' : `, ${note}`}`);

const GROUPS = { setting: 'Settings', connection: 'Connection strings', variable: 'Variables' } as const;

function drawn({ of, entries, limits, repeated }: EnvironmentView): string[] {
  const whose = of.kind === 'app' ? `Of the app, process ${of.process?.pid ?? ''} (${of.process?.name ?? ''})` : `Of the agent itself${of.because === undefined ? '' : `: ${of.because}`}`;
  return [
    ...wrap(colour('bold', safeLine(`${whose}.`)), '').split('\n'),
    ...(['setting', 'connection', 'variable'] as const).flatMap((group) => {
      const rows = entries.filter((one) => one.group === group);
      return rows.length === 0 ? [] : ['', colour('bold', `${GROUPS[group]} (${rows.length})`), ...table(['Name', 'Value'], rows.map((one) => [safeLine(one.name), cut(safeLine(one.value), VALUE_CHARS)])).split('\n')];
    }),
    ...(repeated === 0 ? [] : ['', `${plural(repeated, 'variable')} that only ${repeated === 1 ? 'repeats' : 'repeat'} a setting left out.`]),
    ...(limits.length === 0 ? [] : ['', colour('bold', 'Limits'), ...table(['What', 'Now', 'Limit', 'Used'], limits.map(limitRow), [1, 2, 3]).split('\n')]),
  ];
}

function limitRow(one: LimitView): string[] {
  const say = (n: number | undefined): string => (n === undefined ? '–' : one.unit === 'bytes' ? bytes(n) : count(n));
  return [one.title, say(one.value), say(one.limit), one.share === undefined ? '–' : `${one.near ? 'near: ' : ''}${percent(one.share * 100)}`];
}

/** "b7702e" is an instance, "261121-…" a moment; with their kind before them they are themselves. */
export function refOf(text: string): string {
  if (text === 'now' || text.includes(':')) return text;
  return /^\d{6}-\d{6}-\d{3}-/.test(text) ? `moment:${text}` : `instance:${text}`;
}

async function compared(diag: Diag, left: string, options: EnvOptions): Promise<void> {
  const comparison = await diag.compareEnvironments({ query: { left: refOf(left), right: refOf(options.with ?? 'now') } });
  if (options.json === true) { printJson(comparison); return; }
  print(told(comparison).join('\n'));
}

const WORDS = { differs: 'differs', 'only-left': 'only left', 'only-right': 'only right', 'cannot-tell': 'cannot be told', equal: 'equal' } as const;
const side = (one: ComparedEntry['left']): string => (one === undefined ? '–' : one.masked ? 'masked' : cut(safeLine(one.value), VALUE_CHARS / 2));

function told({ left, right, entries, differing, equal, notes }: Comparison): string[] {
  const head = `${differing === 0 ? 'Nothing differs' : plural(differing, 'entry differs', 'entries differ')} between ${left.ref} (left) and ${right.ref} (right); ${plural(equal, 'is', 'are')} equal.`;
  return [...wrap(colour('bold', safeLine(head)), '').split('\n'), ...notes, ...(entries.length === 0 ? [] : ['', ...table(['How', 'Name', 'Left', 'Right'], entries.map((one) => [`${WORDS[one.difference]}${one.expected ? ' (by nature)' : ''}`, safeLine(one.name), side(one.left), side(one.right)])).split('\n')])];
}

async function saved(diag: Diag, { save, json }: EnvOptions): Promise<void> {
  const one = await diag.saveMoment({ body: typeof save === 'string' ? { note: save } : {} });
  if (json === true) printJson(one);
  else print(`Saved ${one.ref} with ${plural(one.entries, 'entry', 'entries')}.`);
}
