// Owns the run of the watch that dumps on Windows, under wine.
import { after, before, test } from 'node:test';
import { startWindowsHost, type WindowsHost } from '../support/windows.ts';
import { testOnWindows } from '../support/windows-tests.ts';
import { noWine } from '../support/wine.ts';

const skip = noWine() ?? false;
let host: WindowsHost;

before(async () => { if (skip === false) host = await startWindowsHost(); });
after(async () => { if (skip === false) await host.close(); });

test('triggers dump on Windows, and do not', { skip, timeout: 270_000 }, (t) => testOnWindows(t, host, 'test/mitigate/windows-watch.ts'));
