// Contexts of requests, kept by the timers that were started inside them.
const zoo = require('../zoo.cjs');
const { AsyncLocalStorage } = require('node:async_hooks');
const requests = new AsyncLocalStorage();
function beat() { return requests.getStore(); } // HOLDER beat
function serve(id) {
  requests.run({ id, body: Array.from({ length: 60 }, (_, i) => `row ${i} of ${id}`) }, () => { setInterval(beat, 3_600_000); });
}
let id = 0;
void zoo(() => { for (let i = 0; i < 80; i++) serve(id++); });
