// A large cache that is filled once.
const zoo = require('../zoo.cjs');
const products = new Map();
for (let i = 0; i < 60_000; i++) products.set(i, { id: i, name: `product ${i}`, price: i / 7, tags: ['a', `t${i % 9}`] });
let asked = 0;
void zoo(() => { for (let i = 0; i < 5000; i++) asked += products.get(i * 7 % 60_000).price > 3 ? 1 : 0; return asked; });
