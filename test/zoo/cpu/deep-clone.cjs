// Owns a tree that is copied as a whole for a change of one field.
'use strict';
const burn = require('./burn.cjs');
const tree = (depth) => (depth === 0 ? { leaf: 1 } : Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`k${i}`, tree(depth - 1)])));
const state = tree(5);
// expect: cloneDeep recursion
function cloneDeep(value) {
  if (typeof value !== 'object' || value === null) return value;
  const copy = {};
  for (const key of Object.keys(value)) copy[key] = cloneDeep(value[key]);
  return copy;
}
burn(() => cloneDeep(state));
