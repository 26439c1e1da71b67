// Owns `diag autoheal … --platform`: the rules as the management API has them, by way of an agent that is allowed to ask it.
import type { AutoHealRules, PlatformHealView } from '../../shared/auto-heal.ts';
import { DiagError } from '../../shared/errors.ts';
import { exitCode } from '../exit.ts';
import { print, printJson, remark, safeLine } from '../print.ts';
import { withAgent } from '../reach.ts';
import type { HealOptions } from './autoheal-site.ts';
import { printDiff, printNotes, printRules } from './autoheal-print.ts';

/** Exits with 1 when the rules are out of bounds or do nothing. */
export async function platformShow(options: HealOptions): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    const view = known(await diag.platformAutoHeal());
    if (view.unreadable !== undefined) exitCode(3);
    if (view.notes.some(({ level }) => level === 'error')) exitCode(1);
    if (options.json === true) { printJson(view); return; }
    if (view.unreadable !== undefined) { remark(`It cannot be edited: ${safeLine(view.unreadable)}.`); return; }
    printRules(view.rules ?? {}, view.enabled === true);
    printNotes(view.notes);
  });
}

/** Exits with 1 when there is a difference, as diff does. */
export async function platformDiff(options: HealOptions, rules: AutoHealRules): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    known(await diag.platformAutoHeal());
    const check = await diag.checkPlatformAutoHeal({ body: { rules } });
    if (check.changes) exitCode(1);
    if (options.json === true) { printJson(check); return; }
    printNotes(check.notes);
    printDiff(check.diff);
    if (!check.changes) print('The site says this already.');
  });
}

export async function platformSet(options: HealOptions, rules: AutoHealRules): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    const { etag = '' } = known(await diag.platformAutoHeal());
    const written = await diag.putPlatformAutoHeal({ body: { rules, etag } });
    if (options.json === true) { printJson(written); return; }
    printDiff(written.diff);
    print(written.changed ? 'Written. What was there before stands in the audit. The app may restart.' : 'The site says this already: nothing was written.');
  });
}

/** @throws CAPABILITY_MISSING saying how the management API is turned on */
function known(view: PlatformHealView): PlatformHealView {
  if (view.offer.yes) return view;
  throw new DiagError('CAPABILITY_MISSING', { what: 'The management API', because: view.offer.because });
}
