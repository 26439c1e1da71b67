// Loads koffi's native part from a copy on the local disk: a file that is loaded from the share would be locked there, and no update could replace it.
const { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs');
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

const digestOf = (content) => createHash('sha256').update(content).digest('hex');

/** Named by its content: another version is another file, a half-made one never has the name. One that is not what its name says (the disk, or another program) is made anew, not loaded. */
function localCopy(source) {
  const content = readFileSync(source);
  const digest = digestOf(content);
  const folder = join(tmpdir(), 'app-service-diag-native');
  const target = join(folder, `koffi-${digest.slice(0, 16)}.node`);
  if (existsSync(target) && digestOf(readFileSync(target)) === digest) return target;
  mkdirSync(folder, { recursive: true });
  const part = `${target}.${process.pid}.part`;
  try {
    writeFileSync(part, content);
    renameSync(part, target);
  } finally {
    rmSync(part, { force: true });
  }
  return target;
}

module.exports = { loadStatic };
