// Owns `diag autoheal`: what web.config says and would have done, what a change would change, the change, and the way back.
import type { AutoHealCheck, AutoHealView, BackupView, WouldFire } from '../../shared/auto-heal.ts';
import { bytes, plural, utc } from '../../shared/units.ts';
import { exitCode } from '../exit.ts';
import { colour, print, printJson, remark, safeLine, wrap } from '../print.ts';
import { platformDiff, platformSet, platformShow } from './autoheal-platform.ts';
import { printDiff, printNotes, printRules } from './autoheal-print.ts';
import { rulesGiven } from './autoheal-rules.ts';
import { withConfig, type HealOptions } from './autoheal-site.ts';

export interface ShowOptions extends HealOptions { readonly log?: readonly string[]; readonly hours: number }
export interface SetOptions extends HealOptions { readonly rules?: string; readonly leaveOut?: boolean }
export interface RestoreOptions extends HealOptions { readonly backup?: string }

const SHOWN = 10;

/** Exits with 1 when the rules of the file are out of bounds or do nothing. */
export async function autohealShow(options: ShowOptions): Promise<void> {
  if (options.platform === true) { await platformShow(options); return; }
  await withConfig(options, async (config) => {
    const view = await config.view();
    const tried = view.unreadable === undefined ? await config.trial(options.hours, options.log) : undefined;
    if (view.unreadable !== undefined) exitCode(3);
    if (view.notes.some(({ level }) => level === 'error')) exitCode(1);
    if (options.json) { printJson({ ...view, ...(tried === undefined ? {} : { wouldHaveFired: tried }) }); return; }
    printView(view);
    if (tried !== undefined) printTrial(tried);
    printBackups(view.backups);
  });
}

/** Exits with 1 when there is a difference, as diff does. */
export async function autohealDiff(options: SetOptions): Promise<void> {
  const rules = await rulesGiven(options.rules);
  if (options.platform === true) { await platformDiff(options, rules); return; }
  await withConfig(options, async (config) => {
    const check = await config.check(rules, options.leaveOut === true);
    if (check.changes) exitCode(1);
    if (options.json) { printJson(check); return; }
    printCheck(check);
    printDiff(check.diff);
    if (!check.changes) print('web.config says this already.');
  });
}

export async function autohealSet(options: SetOptions): Promise<void> {
  const rules = await rulesGiven(options.rules);
  if (options.platform === true) { await platformSet(options, rules); return; }
  await withConfig(options, async (config) => {
    const written = await config.write(rules, options.leaveOut === true);
    for (const one of written.left) remark(safeLine(`Not written: ${one}`));
    if (options.json) { printJson(written); return; }
    printDiff(written.diff);
    if (!written.changed) { print('web.config says this already: nothing was written.'); return; }
    print(`Written. ${backupWords(written.backup)} The app restarts.`);
    printNotes(written.view.notes.filter(({ level }) => level !== 'note'));
  });
}

export async function autohealRestore(options: RestoreOptions): Promise<void> {
  await withConfig(options, async (config) => {
    const written = await config.restore(options.backup);
    if (options.json) { printJson(written); return; }
    printDiff(written.diff);
    print(written.changed ? `Restored byte for byte. ${backupWords(written.backup)} The app restarts.` : 'web.config is as the backup has it: nothing was written.');
  });
}

const backupWords = (backup: BackupView | undefined): string => (backup === undefined ? '' : `What was there before is backup ${backup.id}: diag autoheal restore --backup ${backup.id} brings it back.`);

function printView({ file, exists, encoding, enabled, rules, notes, refused, unreadable }: AutoHealView): void {
  print(safeLine(`${file}${exists ? `, ${encoding ?? ''}` : ', not there yet'}`));
  if (unreadable !== undefined) { remark(`It cannot be edited: ${safeLine(unreadable)}.`); return; }
  printRules(rules, enabled);
  if (refused !== undefined) remark(`It cannot be changed here: ${safeLine(refused)}.`);
  printNotes(notes);
}

function printCheck({ rules, notes, unsaid }: AutoHealCheck): void {
  printRules(rules, rules.triggers !== undefined && rules.actions !== undefined);
  for (const one of unsaid) print(wrap(safeLine(one), '         ', `${colour('yellow', 'unsaid')}   `));
  printNotes(notes);
}

function printTrial({ from, to, triggers }: WouldFire): void {
  if (triggers.length === 0) return;
  print(`\nFrom ${utc(from)} to ${utc(to)}:`);
  for (const { says, firedCount, fired, cannot, note } of triggers) {
    print(safeLine(`  ${says}: ${cannot === undefined ? (firedCount === 0 ? 'would not have fired' : `would have fired ${plural(firedCount, 'time')}`) : `cannot be told: ${cannot}`}`));
    for (const { at } of fired.slice(0, SHOWN)) print(`    ${utc(at)}`);
    if (fired.length > SHOWN) print(`    and ${firedCount - SHOWN} more; --json lists them`);
    if (note !== undefined) print(wrap(safeLine(note), '    '));
  }
}

function printBackups(backups: readonly BackupView[]): void {
  if (backups.length === 0) return;
  print(`\n${plural(backups.length, 'backup')}, newest first:`);
  for (const { id, at, bytes: size, existed, why } of backups) print(safeLine(`  ${id}  ${utc(at)}  ${existed ? bytes(size) : 'no file'}  ${why}`));
}
