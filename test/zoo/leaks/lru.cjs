// A cache of the least recently used that forgot its bound.
const zoo = require('../zoo.cjs');
class Lru {
  constructor(most) {
    this.most = most;
    this.items = new Map(); // HOLDER items
  }
  get(key) { const item = this.items.get(key); if (item) { this.items.delete(key); this.items.set(key, item); } return item; }
  set(key, item) { this.items.set(key, item); }
}
const recent = new Lru(100);
let id = 0;
void zoo(() => { for (let i = 0; i < 500; i++) { id++; recent.set(`page ${id}`, { html: [`<p>${id}</p>`, id], at: id }); recent.get(`page ${id - 9}`); } });
