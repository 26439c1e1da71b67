// Compressors that are never closed: little in the heap, much beside it.
const zoo = require('../zoo.cjs');
const zlib = require('node:zlib');
const open = new Set(); // HOLDER open
function compress() { open.add(zlib.createDeflate({ memLevel: 4 })); }
void zoo(() => { for (let i = 0; i < 20; i++) compress(); });
