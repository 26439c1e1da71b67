// Owns an answer that is compressed synchronously.
'use strict';
const { gzipSync } = require('node:zlib');
const burn = require('./burn.cjs');
const page = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `<li>${i * 31 % 977}</li>`).join(''));
// expect: packPage sync-compress
function packPage() {
  return gzipSync(page).length;
}
burn(packPage);
