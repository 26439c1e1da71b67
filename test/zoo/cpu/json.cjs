// Owns the JSON of a big object, made and read for every request.
'use strict';
const burn = require('./burn.cjs');
const catalog = Array.from({ length: 20_000 }, (_, id) => ({ id, name: `article ${id}`, tags: ['a', 'b'], price: { amount: id / 7, currency: 'EUR' } }));
// expect: answerCatalog json
function answerCatalog() {
  return JSON.stringify(catalog).length;
}
burn(answerCatalog);
