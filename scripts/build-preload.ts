// Owns the build of the preload: four files, of which every Node can read the first, and Node 16 and later the second; the others are threads that are started when they are needed.
import { build, type BuildOptions, type Metafile } from 'esbuild';
import { join } from 'node:path';

/** The older Node reads the first file and leaves the second alone. Unlike our other files it has no banner, and shares nothing. */
export async function buildPreload(root: string, outdir: string, version: string): Promise<Metafile[]> {
  const both: BuildOptions & { metafile: true } = {
    absWorkingDir: root, bundle: true, platform: 'node', format: 'cjs', outdir, sourcemap: 'linked', minify: true, legalComments: 'none', metafile: true,
    external: ['./preload-app.js'], define: { DIAG_VERSION: JSON.stringify(version) }, logLevel: 'warning',
  };
  const built = await Promise.all([
    build({ ...both, target: 'node10', entryPoints: { preload: join(root, 'src/preload/main.ts') } }),
    build({ ...both, target: 'node16', entryPoints: { 'preload-app': join(root, 'src/preload/app-main.ts') } }),
    build({ ...both, target: 'node16', entryPoints: { 'preload-catch': join(root, 'src/preload/catch-worker.ts') } }),
    build({ ...both, target: 'node16', entryPoints: { 'preload-watchdog': join(root, 'src/preload/watchdog-worker.ts') } }),
  ]);
  return built.map(({ metafile }) => metafile);
}
