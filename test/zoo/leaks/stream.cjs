// A stream that is written to and that nobody reads.
const zoo = require('../zoo.cjs');
const { PassThrough } = require('node:stream');
const out = new PassThrough(); // HOLDER out
function audit(id) { out.write(`request ${id} ${'x'.repeat(1500)}\n`); }
let id = 0;
void zoo(() => { for (let i = 0; i < 100; i++) audit(id++); });
