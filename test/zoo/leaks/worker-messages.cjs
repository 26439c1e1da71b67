// Questions to a worker that never answers.
const zoo = require('../zoo.cjs');
const { Worker } = require('node:worker_threads');
const worker = new Worker('require("node:worker_threads").parentPort.on("message", () => {})', { eval: true });
worker.unref();
const unanswered = new Map(); // HOLDER unanswered
let id = 0;
function ask(question) { id++; const own = id; worker.postMessage({ id: own }); unanswered.set(own, { question, answer: (text) => `${question.text}${text}`, asked: { own } }); }
void zoo(() => { for (let i = 0; i < 600; i++) ask({ text: `question ${i}`, words: [i, i, i] }); });
