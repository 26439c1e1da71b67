// Owns how rules of auto-heal, their notes and a difference are printed.
import type { AutoHealNote, AutoHealRules, DiffView } from '../../shared/auto-heal.ts';
import { actionWords, triggerWords } from '../../shared/auto-heal-words.ts';
import { unified } from '../../mitigate/auto-heal/line-diff.ts';
import { colour, print, safeLine, wrap, type Colour } from '../print.ts';

const NOTES: Readonly<Record<AutoHealNote['level'], readonly [string, Colour]>> = { error: ['wrong', 'red'], warning: ['warning', 'yellow'], note: ['note', 'dim'] };

export function printRules(rules: AutoHealRules, enabled: boolean): void {
  const triggers = triggerWords(rules);
  print(enabled ? 'Auto-heal is on.' : triggers.length === 0 && rules.actions === undefined ? 'Auto-heal is off.' : 'Auto-heal does nothing: it lacks its triggers or its action.');
  for (const { says } of triggers) print(`  when  ${safeLine(says)}`);
  if (rules.actions !== undefined) print(`  then  ${safeLine(actionWords(rules.actions))}`);
}

export function printNotes(notes: readonly AutoHealNote[]): void {
  for (const { level, on, says, source } of notes) {
    const [word, shade] = NOTES[level];
    print(wrap(safeLine(`${on}: ${says}${source === undefined ? '' : ` (${source})`}`), '         ', `${colour(shade, word.padEnd(7))}  `));
  }
}

export function printDiff(diff: DiffView): void {
  for (const line of unified(diff)) print(colour(line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : 'dim', safeLine(line)));
}
