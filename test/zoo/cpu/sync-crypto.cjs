// Owns a password that is hashed synchronously.
'use strict';
const { pbkdf2Sync } = require('node:crypto');
const burn = require('./burn.cjs');
// expect: hashPassword sync-crypto
function hashPassword(password) {
  return pbkdf2Sync(password, 'salt', 20_000, 64, 'sha512').toString('hex');
}
burn((round) => hashPassword(`secret ${round}`));
