// A cache with a bound, whose entries all are replaced between two looks.
const zoo = require('../zoo.cjs');
const items = new Map();
const MOST = 4_000;
let id = 0;
function set(value) { id++; items.set(id, value); if (items.size > MOST) items.delete(items.keys().next().value); }
void zoo(() => { for (let i = 0; i < 900; i++) set({ id, body: [`entry ${id}`, id, { deep: id }] }); });
