// Owns a regular expression that backtracks: each sign more doubles its time.
'use strict';
const burn = require('./burn.cjs');
// expect: checkEmail regex
function checkEmail(text) {
  return /^([a-z0-9]+)+@example\.com$/.test(text);
}
burn(() => checkEmail(`${'a'.repeat(23)}!`));
