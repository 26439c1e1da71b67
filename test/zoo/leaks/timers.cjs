// Timers that nobody clears, each with what its closure sees.
const zoo = require('../zoo.cjs');
function watch(order) {
  const rows = Array.from({ length: 40 }, (_, i) => `${order}:${i}`);
  setInterval(() => { rows.push('tick'); }, 3_600_000); // HOLDER setInterval
}
let order = 0;
void zoo(() => { for (let i = 0; i < 100; i++) watch(order++); });
