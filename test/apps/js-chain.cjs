// A known chain of JavaScript calls: it says what its stack is, then waits there, synchronously, for the dump; or throws.
'use strict';
const { readSync, writeSync } = require('node:fs');
const fail = process.argv[2] === 'throw';
const kept = Array.from({ length: 200_000 }, (_, n) => ({ n, row: [n, `row ${n}`] }));

class VoucherMissing extends TypeError {}

class Cart {
  constructor(items) { this.items = items; }
  total() {
    return this.items.map(
      (item) => priceOf(item)).reduce((a, b) => a + b, 0);
  }
}

function priceOf(item) {
  const order = { id: 4711, item };
  return checkVoucher(order);
}

const checkVoucher = function (order) {
  if (fail) throw new VoucherMissing(`voucher of order ${order.id} is missing`);
  return waitHere();
};

function waitHere() {
  const { stack } = new Error('here'); writeSync(1, `${JSON.stringify({ stack, heapBytes: process.memoryUsage().heapTotal, kept: kept.length })}\n`); return readSync(0, Buffer.alloc(1), 0, 1, null);
}

setTimeout(function onTimer() {
  new Cart([{ name: 'shoe' }]).total();
}, 1);
