// Owns the run of the minidump reader on files that Windows' own MiniDumpWriteDump wrote, under wine.
import { after, before, test } from 'node:test';
import { startWindowsHost, type WindowsHost } from '../../support/windows.ts';
import { testOnWindows } from '../../support/windows-tests.ts';
import { noWine } from '../../support/wine.ts';

const skip = noWine() ?? false;
const timeout = 180_000;
let host: WindowsHost;

before(async () => { if (skip === false) host = await startWindowsHost(); });
after(async () => { if (skip === false) await host.close(); });

for (const part of ['mini', 'full']) {
  test(`a ${part} dump of Windows is read back as the living process was`, { skip, timeout }, (t) => testOnWindows(t, host, 'test/analyze/dump/windows-read.ts', { env: { PART: part } }));
}
