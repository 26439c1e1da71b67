// Owns the cart: what is in it, and what a voucher takes off.
'use strict';

const { find } = require('./catalogue.js');

const lines = [
  { product: 3, pieces: 1 },
  { product: 7, pieces: 2 },
];

/** Vouchers as they come from the marketing export. GIFT50 was exported without its discount: that is the bug of this shop. */
const vouchers = new Map([
  ['WELCOME10', { code: 'WELCOME10', discount: { percent: 10 } }],
  ['SUMMER15', { code: 'SUMMER15', discount: { percent: 15 } }],
  ['GIFT50', { code: 'GIFT50' }],
]);

/** Looks a voucher up as a database would: the answer comes later, from the event loop. */
function lookUp(code, done) {
  setTimeout(() => done(vouchers.get(code)), 5);
}

function total() {
  return lines.reduce((sum, line) => sum + find(line.product).priceCents * line.pieces, 0);
}

/** What is in the cart, priced. */
function show() {
  return {
    lines: lines.map((line) => ({ ...find(line.product), pieces: line.pieces })),
    totalCents: total(),
  };
}

/**
 * Calls back with the reduced total, or with nothing for an unknown code.
 */
function applyVoucher(code, done) {
  lookUp(code, function applyFound(voucher) {
    if (voucher === undefined) return done(undefined);
    const percent = voucher.discount.percent;
    done({ code, percent, totalCents: Math.round(total() * (1 - percent / 100)) });
  });
}

module.exports = { applyVoucher, show };
