// Owns fetching a package from the npm registry, unpacked: npm checks the registry's digest.
import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The package comes out as `<into>/package`; `name` may have a version. */
export async function npmPack(name: string, into: string, timeoutMs: number): Promise<void> {
  // Where the tests run, certificates that only a registry needs are set aside: they cost each start of Node 40 ms (scripts/run-tests.ts).
  const { TESTS_EXTRA_CA_CERTS: certificates, ...env } = process.env;
  await execute('npm', ['pack', name, '--silent', '--pack-destination', into], { cwd: into, timeout: timeoutMs, env: certificates === undefined ? env : { ...env, NODE_EXTRA_CA_CERTS: certificates } });
  const file = (await readdir(into)).find((one) => one.endsWith('.tgz'));
  if (file === undefined) throw new Error(`npm pack ${name} left no file`);
  await execute('tar', ['xzf', file], { cwd: into });
  await rm(join(into, file));
}
