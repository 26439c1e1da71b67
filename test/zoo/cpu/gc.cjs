// Owns garbage: objects that live just long enough to be carried along by every collection.
'use strict';
const burn = require('./burn.cjs');
const window = [];
// expect: remember gc
function remember() {
  for (let i = 0; i < 40_000; i++) window.push({ at: i, values: [i, i + 1, i + 2], text: `entry ${i}` });
  if (window.length > 600_000) window.splice(0, 300_000);
}
burn(remember);
