// A history of fixed size, written round and round.
const zoo = require('../zoo.cjs');
const ring = Array.from({ length: 5_000 }, () => null);
const numbers = new Float64Array(200_000);
let at = 0;
void zoo(() => { for (let i = 0; i < 1_300; i++) { ring[at % ring.length] = { at, values: [at, at * 2], text: `sample ${at}` }; numbers[at % numbers.length] = at; at++; } });
