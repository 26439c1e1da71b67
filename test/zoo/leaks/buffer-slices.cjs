// Sixteen bytes of each upload are kept, and with them all of it.
const zoo = require('../zoo.cjs');
const heads = []; // HOLDER heads
function upload() { heads.push(Buffer.allocUnsafeSlow(32_768).subarray(0, 16)); }
void zoo(() => { for (let i = 0; i < 20; i++) upload(); });
