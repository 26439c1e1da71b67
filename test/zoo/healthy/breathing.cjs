// Requests come and go: at each look other ones, about as many.
const zoo = require('../zoo.cjs');
const inFlight = new Map();
let id = 0;
void zoo((round) => {
  inFlight.clear();
  const now = 2_500 + (round % 3) * 40;
  for (let i = 0; i < now; i++) { id++; inFlight.set(id, { id, url: `/orders/${id}`, headers: { host: 'x', n: id }, body: Buffer.alloc(64, id % 256).toString('latin1') }); }
});
