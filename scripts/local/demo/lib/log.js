// Owns the shop's log lines: ISO time, level, text, on stdout.
'use strict';

function log(level, text) {
  process.stdout.write(`${new Date().toISOString()} ${level} ${text}\n`);
}

module.exports = {
  info: (text) => log('INFO', text),
  warn: (text) => log('WARN', text),
  error: (text) => log('ERROR', text),
};
