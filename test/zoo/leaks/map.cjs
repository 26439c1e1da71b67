// A cache that only grows.
const zoo = require('../zoo.cjs');
class Session { constructor(id) { this.id = id; this.cart = ['a', 'b', id]; this.user = { name: `user ${id}` }; } }
const sessions = new Map(); // HOLDER sessions
let next = 0;
function handle() { next++; sessions.set(next, new Session(next)); }
void zoo(() => { for (let i = 0; i < 1000; i++) handle(); });
