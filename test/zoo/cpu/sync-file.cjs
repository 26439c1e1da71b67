// Owns files that are read synchronously while requests wait.
'use strict';
const { readFileSync, readdirSync, statSync } = require('node:fs');
const burn = require('./burn.cjs');
// expect: loadSettings sync-io
function loadSettings() {
  for (const name of readdirSync(__dirname)) { statSync(`${__dirname}/${name}`); readFileSync(`${__dirname}/${name}`, 'utf8'); }
}
burn(loadSettings);
