// Owns how a program of the CPU zoo lives: it does its work again and again for so many milliseconds, then ends; the inspector or --cpu-prof looks on.
'use strict';
module.exports = function burn(work) {
  const until = Date.now() + Number(process.argv[2] ?? 600);
  let round = 0;
  do work(round++); while (Date.now() < until);
};
