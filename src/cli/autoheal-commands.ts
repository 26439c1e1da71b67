// Owns how `diag autoheal` is written on the command line.
import type { Command } from 'commander';
import { autohealDiff, autohealRestore, autohealSet, autohealShow, type RestoreOptions, type SetOptions, type ShowOptions } from './commands/autoheal.ts';
import { command } from './command.ts';
import { number, some } from './options.ts';

const MAX_HOURS = 120;
const all = <T>(self: Command): T => self.optsWithGlobals<T & Record<string, unknown>>();

export function autohealCommand(remote: (c: Command) => Command): Command {
  const autoheal = command('autoheal', 'auto-heal in web.config: show it, compare, set, restore')
    .description('Reads and changes auto-heal of the site\'s web.config, or of any file with --file, which needs no agent. Everything else in the file stays byte for byte; a backup is kept.');
  const file = (c: Command): Command => remote(c).option('--file <web.config>', 'a file on this machine, without an agent', some);
  const rules = (c: Command): Command => file(c).option('--rules <file>', 'the rules as JSON in the management API\'s form (default: standard input)', some).option('--leave-out', 'without the triggers that web.config has no words for; otherwise they are refused');
  const either = (c: Command): Command => c.option('--platform', 'the rules of the management API, where the agent is allowed to ask it');
  autoheal.addCommand(either(file(command('autoheal show', 'the rules, what each cannot see, backups, and when they would have fired in the last day')))
    .option('--log <path...>', 'with --file: HTTP logs or folders of them to try the rules over')
    .option('--hours <hours>', 'how far back, where an agent is asked', number(1, MAX_HOURS), 24)
    .action((_own: object, self: Command) => autohealShow(all<ShowOptions>(self))));
  autoheal.addCommand(either(rules(command('autoheal diff', 'what a set would change; exits with 1 when something')))
    .action((_own: object, self: Command) => autohealDiff(all<SetOptions>(self))));
  autoheal.addCommand(either(rules(command('autoheal set', 'write rules into web.config after a backup; the app restarts')))
    .action((_own: object, self: Command) => autohealSet(all<SetOptions>(self))));
  autoheal.addCommand(file(command('autoheal restore', 'bring web.config back as a backup has it, byte for byte; the app restarts'))
    .option('--backup <id>', 'which one, as show lists them (default: the newest)', some)
    .action((_own: object, self: Command) => autohealRestore(all<RestoreOptions>(self))));
  return autoheal;
}
