// Owns `diag alert`: the channels, and a test of one.
import { utc } from '../../shared/units.ts';
import type { Remote } from '../options.ts';
import { print, printJson, remark, safeLine, table } from '../print.ts';
import { withAgent } from '../reach.ts';

export async function alertList(options: Remote): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    const answer = await diag.alerts();
    if (options.json) { printJson(answer); return; }
    if (answer.channels.length === 0) print('No channel is set up.');
    else print(table(['Channel', 'Kind', 'Host', 'Waiting', 'Last try'], answer.channels.map((one) => [one.id, `${one.type}${one.enabled ? '' : ' (off)'}`, safeLine(one.host), String(one.waiting), one.lastAt === undefined ? '' : `${utc(one.lastAt)} ${safeLine(one.lastFailed ?? 'taken')}`]), [3]));
    if (answer.fault !== undefined) remark(safeLine(answer.fault));
  });
}

export async function alertTest(channel: string, options: Remote): Promise<void> {
  await withAgent(options, async ({ diag }) => {
    const done = await diag.testAlert({ params: { channel } });
    if (options.json) printJson(done); else print(`${safeLine(channel)} took the test.`);
  });
}
