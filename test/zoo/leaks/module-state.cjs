// What a module exports, with a key a request.
const zoo = require('../zoo.cjs');
const registry = require('./lib/registry.cjs');
let id = 0;
void zoo(() => { for (let i = 0; i < 800; i++) { id++; registry.note(`key-${id}`, { id, tags: [id, id + 1, `t${id}`] }); } });
