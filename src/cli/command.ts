// Owns what all commands of the command line have in common.
import { Command } from 'commander';
import { VERSION } from '../agent/version.ts';

export function diag(): Command {
  return new Command('diag')
    .description('Finds out why a web app answers 502 and 503: observe, analyze, mitigate.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .showHelpAfterError('(--help shows what is possible)');
}

/** Settings are inherited only by commands made with .command(); these are made alone and added. */
export function command(name: string, summary: string): Command {
  return new Command(name.split(' ').at(-1)).summary(summary).exitOverride().showHelpAfterError(`(diag ${name} --help shows what is possible)`).helpOption('-h, --help', 'show this help').allowExcessArguments(false);
}
