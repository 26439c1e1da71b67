// Owns the preload of the local app: on App Service the site extension adds it to NODE_OPTIONS of the main site, here we do.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BUILT = fileURLToPath(new URL('../../dist/preload.js', import.meta.url));

/** The worker's variables with the preload, behind what NODE_OPTIONS says already; unchanged where it was not built. */
export function withPreload(variables: Readonly<Record<string, string>>): Record<string, string> {
  if (!existsSync(BUILT)) return { ...variables };
  const own = `--require=${JSON.stringify(BUILT)}`;
  const before = variables['NODE_OPTIONS'] ?? '';
  return { ...variables, NODE_OPTIONS: before === '' ? own : `${before} ${own}` };
}
