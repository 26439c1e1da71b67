// Owns a getter that counts all over again at each look.
'use strict';
const burn = require('./burn.cjs');
class Basket {
  lines = Array.from({ length: 2_000 }, (_, i) => ({ price: i, pieces: i % 3 }));
  // expect: total getter
  get total() {
    let sum = 0;
    for (const line of this.lines) sum += line.price * line.pieces;
    return sum;
  }
}
const basket = new Basket();
burn(() => { for (let i = 0; i < 1_000; i++) if (basket.total < 0) throw new Error('never'); });
