// A chain of functions that V8 runs in each of its ways (with --allow-natives-syntax), ended inside the innermost.
'use strict';
function leaf(die) { if (die) process.abort(); return 1; }
function optimized(n) {
  let s = 0; for (let i = 0; i < n; i++) s += i;
  s += leaf(n === 7);
  return s;
}
function middle(n) { return optimized(n) + 1; }
%PrepareFunctionForOptimization(optimized);
%PrepareFunctionForOptimization(middle);
%NeverOptimizeFunction(leaf);
middle(5); middle(6);
%OptimizeFunctionOnNextCall(optimized);
middle(5);
%CompileBaseline(middle);
middle(7);
