// Owns a child program that is waited for.
'use strict';
const { execFileSync } = require('node:child_process');
const burn = require('./burn.cjs');
// expect: readVersion sync-child
function readVersion() {
  return execFileSync(process.execPath, ['-e', '0']).length;
}
burn(readVersion);
