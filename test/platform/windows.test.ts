// Owns the run of the door to Windows on the real Windows Node under wine: the contract, what only this door does, and a start without koffi.
import { after, before, test } from 'node:test';
import { startWindowsHost, type WindowsHost } from '../support/windows.ts';
import { testOnWindows } from '../support/windows-tests.ts';
import { noWine } from '../support/wine.ts';

const skip = noWine() ?? false;
const timeout = 270_000;
let host: WindowsHost;

before(async () => { if (skip === false) host = await startWindowsHost(); });
after(async () => { if (skip === false) await host.close(); });

test('the contract of every platform holds on Windows', { skip, timeout }, (t) => testOnWindows(t, host, 'test/platform/windows-contract.ts'));
test('what only the door to Windows does', { skip, timeout }, (t) => testOnWindows(t, host, 'test/platform/windows-door.ts'));
test('without koffi the agent starts all the same', { skip, timeout }, (t) => testOnWindows(t, host, 'test/platform/windows-blind.ts', { withoutKoffi: true }));
test('files that users name, on Windows', { skip, timeout }, (t) => testOnWindows(t, host, 'test/platform/files/windows-files.ts'));
