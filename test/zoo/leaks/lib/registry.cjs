// State of a module: as long as the process lives.
'use strict';
exports.limit = 10;
exports.seen = {}; // HOLDER seen
exports.note = (key, value) => { exports.seen[key] = value; };
