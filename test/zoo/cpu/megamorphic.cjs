// Owns one place that sees objects of very many shapes.
'use strict';
const burn = require('./burn.cjs');
const shapes = Array.from({ length: 400 }, (_, i) => ({ [`a${i}`]: i, [`b${i}`]: i, value: i }));
// expect: sumValues own-code
function sumValues(items) {
  let sum = 0;
  for (let i = 0; i < 200_000; i++) sum += items[i % items.length].value;
  return sum;
}
burn(() => sumValues(shapes));
