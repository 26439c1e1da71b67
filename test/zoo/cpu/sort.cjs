// Owns a sort whose comparator makes new texts for every comparison.
'use strict';
const burn = require('./burn.cjs');
const names = Array.from({ length: 3_000 }, (_, i) => `Name ${(i * 7919) % 3_000}`);
// expect: byName sort
function byName(a, b) {
  const x = a.toLowerCase().split('').reverse().join(''), y = b.toLowerCase().split('').reverse().join('');
  return x < y ? -1 : x > y ? 1 : 0;
}
burn(() => [...names].sort(byName));
