// Loads koffi's native part from a copy on the local disk: a file that is loaded from the share would be locked there, and no update could replace it.
const { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } = require('node:fs');
const { createHash } = require('node:crypto');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** Undefined: koffi looks for it in its own places then, beside this package. */
function loadStatic(pkg) {
  const source = join(__dirname, '../../../../@koromix', `koffi-${pkg}`, pkg.replace('-', '_'), 'koffi.node');
  if (!existsSync(source)) return undefined;
  try {
    return require(localCopy(source));
  } catch {
    return undefined;                                          // no room on the local disk: from the share then
  }
}

/** Named by its content: another version is another file, a half-made one never has the name. */
function localCopy(source) {
  const mark = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const folder = join(tmpdir(), 'app-service-diag-native');
  const target = join(folder, `koffi-${mark}.node`);
  if (existsSync(target)) return target;
  mkdirSync(folder, { recursive: true });
  const part = `${target}.${process.pid}.part`;
  try {
    copyFileSync(source, part);
    renameSync(part, target);
  } finally {
    rmSync(part, { force: true });
  }
  return target;
}

module.exports = { loadStatic };
