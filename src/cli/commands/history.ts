// Owns `diag history`: what the rules did and why, newest first.
import { historyCsv } from '../../shared/rules-csv.ts';
import type { RuleEntry } from '../../shared/rules.ts';
import { duration, utc } from '../../shared/units.ts';
import type { Remote } from '../options.ts';
import { print, printJson, remark, safeLine, table } from '../print.ts';
import { withAgent } from '../reach.ts';

interface Options extends Remote { readonly csv?: boolean; readonly last: number }

export async function history(options: Options): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    const answer = await diag.ruleHistory({ query: { limit: options.last } });
    if (options.json) { printJson(answer); return; }
    if (options.csv) { process.stdout.write(historyCsv(answer.entries)); return; }
    if (answer.entries.length === 0) print('No rule has done anything yet.');
    else print(table(['Time', 'Rule', 'What', 'Why, or what came of it'], answer.entries.map((entry) => [utc(entry.at), entry.rule, ...wordsOf(entry)])));
    if (answer.unreadable > 0) remark(`${answer.unreadable} lines of the history could not be read.`);
  });
}

function wordsOf(entry: RuleEntry): [string, string] {
  switch (entry.did) {
    case 'phase': return [entry.phase, entry.heldBy ?? ''];
    case 'fired': return ['fired', safeLine(entry.condition)];
    case 'begun': return [`step ${entry.step + 1} begins`, ''];
    case 'ended': return [`${entry.type} ${entry.result}`, safeLine([entry.session === undefined ? '' : `session ${entry.session}`, entry.tookMs === undefined ? '' : duration(entry.tookMs), entry.says ?? ''].filter(Boolean).join(', '))];
    case 'closed': return ['all steps ended', ''];
    case 'over': return ['over', 'the condition is gone'];
  }
}
