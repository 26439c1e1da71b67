// A listener a request on an emitter that lives as long as the process.
const zoo = require('../zoo.cjs');
const { EventEmitter } = require('node:events');
const bus = new EventEmitter().setMaxListeners(0); // HOLDER bus
function request(id) {
  const body = { id, rows: Array.from({ length: 30 }, (_, i) => ({ id: i, text: `${id}.${i}` })) };
  bus.on('config', () => { body.rows.length = 0; });
}
let id = 0;
void zoo(() => { for (let i = 0; i < 150; i++) request(id++); });
