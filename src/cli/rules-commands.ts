// Owns how the commands of rules and alerts are written on the command line.
import type { Command } from 'commander';
import { alertList, alertTest } from './commands/alert.ts';
import { history } from './commands/history.ts';
import { rulesCheck, rulesList, rulesTry, type TryOptions } from './commands/rules.ts';
import { command } from './command.ts';
import { number, some, type Remote } from './options.ts';

const MAX_HOURS = 120;
const MAX_ENTRIES = 20_000;

/** Own options of a command inside another one, with those that stand before it. */
const all = <T>(self: Command): T => self.optsWithGlobals<T & Record<string, unknown>>();

export function rulesCommands(remote: (c: Command) => Command): Command[] {
  const rules = command('rules', 'rules: list them, check a file, try when they would have fired')
    .description('Rules watch the site and act: evidence first, then the cure, within limits.');
  rules.addCommand(remote(command('rules list', 'the rules with their live phase and what holds them back'))
    .action((_own: object, self: Command) => rulesList(all<Remote>(self))));
  rules.addCommand(command('rules check', 'whether a file of rules is right; needs no agent')
    .argument('<file>', 'rules.json').option('--json', 'print what was read as JSON')
    .action((file: string, own: { json?: boolean }) => rulesCheck(file, own)));
  rules.addCommand(remote(command('rules try', 'when the rules of a file would have fired'))
    .description('Replays rules over the recorded history of an agent, or with --log over logs that lie on this machine, without one.')
    .argument('<file>', 'rules.json')
    .option('--log <path...>', 'HTTP logs or folders of them, packed or not')
    .option('--hours <hours>', 'how far back, where an agent is asked', number(1, MAX_HOURS), 1)
    .action((file: string, _own: object, self: Command) => rulesTry(file, all<TryOptions>(self))));
  const alert = command('alert', 'channels for alerts: list them, test one');
  alert.addCommand(remote(command('alert list', 'the channels and what waits for them')).action((_own: object, self: Command) => alertList(all<Remote>(self))));
  alert.addCommand(remote(command('alert test', 'send a test to a channel now')).argument('<channel>', 'its id', some).action((channel: string, _own: object, self: Command) => alertTest(channel, all<Remote>(self))));
  const told = remote(command('history', 'what the rules did and why'))
    .description('Lists what the rules of this instance did: phases, firings, each action with its result; newest first.')
    .option('--last <entries>', 'how many', number(1, MAX_ENTRIES), 200)
    .option('--csv', 'print a table for a spreadsheet')
    .action(history);
  return [rules, alert, told];
}
