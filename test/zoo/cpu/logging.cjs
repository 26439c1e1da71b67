// Owns a log that inspects whole objects on the way of every request.
'use strict';
const { inspect } = require('node:util');
const burn = require('./burn.cjs');
const request = { headers: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${i}`, `value ${i}`])), body: Array.from({ length: 80 }, (_, i) => ({ id: i, nested: { deep: { deeper: [i] } } })) };
// expect: logRequest logging
function logRequest(one) {
  return inspect(one, { depth: 6, colors: true }).length;
}
burn(() => logRequest(request));
