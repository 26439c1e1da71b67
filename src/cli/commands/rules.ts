// Owns `diag rules`: which there are and how they stand, whether a file of rules is right, and when they would have fired.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DiagError, sayError } from '../../shared/errors.ts';
import type { Rule, RuleView, TrialView } from '../../shared/rules.ts';
import { plural, utc } from '../../shared/units.ts';
import type { ParsedRules } from '../../mitigate/rules/set.ts';
import { exitCode } from '../exit.ts';
import type { Remote } from '../options.ts';
import { print, printJson, remark, safeLine, table } from '../print.ts';
import { withAgent } from '../reach.ts';
import { stop } from '../until.ts';

export interface TryOptions extends Remote { readonly log?: readonly string[]; readonly hours: number }
const SHOWN = 20;

export async function rulesList(options: Remote): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    const view = await diag.rules();
    if (options.json) { printJson(view); return; }
    if (view.rules.length === 0) print('There is no rule. Put some into data/DaaS/diag/rules.json of the home, or begin with one of the presets on the Mitigate page.');
    else print(table(['Rule', 'Phase', 'Since', 'Reading', 'What it does'], view.rules.map(lineOf)));
    for (const { line, id, why } of view.refused) remark(`rules.json, line ${line}: ${id === undefined ? '' : `${safeLine(id)} `}is refused: ${safeLine(why)}`);
    for (const fault of view.faults) remark(safeLine(fault));
    if (!view.leads) remark('Another agent of this instance acts: phases are what it wrote last.');
  });
}

function lineOf({ rule, phase, since, heldSays, heldUntil, measured, error, says }: RuleView): string[] {
  const held = heldSays === undefined ? '' : `: ${heldSays}${heldUntil === undefined ? '' : ` until ${utc(heldUntil)}`}`;
  return [rule.id, `${phase}${held}`, since === undefined ? '' : utc(since), safeLine(error ?? measured[0]?.says ?? ''), safeLine(says)];
}

/** Exits with 1 when a rule is refused. */
export async function rulesCheck(file: string, options: { readonly json?: boolean }): Promise<void> {
  const { rules, refused } = await parsed(file);
  if (options.json) printJson({ rules, refused });
  else {
    const { sayRule } = await import('../../mitigate/rules/describe.ts');
    for (const rule of rules) print(`${rule.id}: ${safeLine(sayRule(rule))}`);
    for (const { line, id, why } of refused) print(`line ${line}: ${id === undefined ? '' : `${safeLine(id)} `}is refused: ${safeLine(why)}`);
    print(`${plural(rules.length, 'rule')} good, ${refused.length} refused`);
  }
  if (refused.length > 0) exitCode(1);
}

/** Over the history of an agent, or over logs that lie here. */
export async function rulesTry(file: string, options: TryOptions): Promise<void> {
  const { rules, refused } = await parsed(file);
  for (const { line, why } of refused) remark(`line ${line} is refused: ${safeLine(why)}`);
  if (rules.length === 0) throw new DiagError('BAD_INPUT', { why: `${file}: there is no rule to try` });
  const trials: TrialView[] = [];
  if (options.log === undefined) await withAgent(options, async ({ diag }) => { for (const rule of rules) trials.push(await diag.tryRule({ params: { rule: rule.id }, body: { rule, hours: options.hours } })); });
  else trials.push(...await overLogs(rules, options.log));
  if (options.json) printJson({ trials }); else for (const trial of trials) printTrial(trial);
  if (refused.length > 0) exitCode(1);
}

async function overLogs(rules: readonly Rule[], paths: readonly string[]): Promise<TrialView[]> {
  const [{ pastOfLogs }, { tryRule }] = await Promise.all([import('../../mitigate/rules/past-logs.ts'), import('../../mitigate/rules/trial.ts')]);
  const { past, from, to, note } = await pastOfLogs(paths.map((path) => resolve(path)), stop);
  if (note !== undefined) remark(note);
  const trials: TrialView[] = [];
  for (const rule of rules) trials.push(await tryRule(rule, past, from, to));
  return trials;
}

function printTrial(trial: TrialView): void {
  print(`${trial.rule}: ${safeLine(trial.says)}`);
  if (trial.cannot !== undefined) { print(`  cannot be told: ${safeLine(trial.cannot)}`); return; }
  const span = `from ${utc(trial.from)} to ${utc(trial.to)}, ${trial.measured} of ${trial.steps} steps measured`;
  print(trial.firedCount === 0 ? `  would not have fired ${span}` : `  would have fired ${plural(trial.firedCount, 'time')} ${span}`);
  for (const { at, says } of trial.fired.slice(0, SHOWN)) print(`  ${utc(at)}  ${safeLine(says)}`);
  if (trial.firedCount > SHOWN) print(`  and ${trial.firedCount - SHOWN} more; --json lists them`);
  if (trial.note !== undefined) print(`  ${safeLine(trial.note)}`);
}

async function parsed(file: string): Promise<ParsedRules> {
  const { parseRules } = await import('../../mitigate/rules/set.ts');
  try {
    return parseRules(await readFile(file, 'utf8'));
  } catch (error) {
    throw new DiagError('BAD_INPUT', { why: `${file}: ${sayError(error)}` }, { cause: error });
  }
}
