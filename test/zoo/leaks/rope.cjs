// A text that only grows: each piece stays a string of its own.
const zoo = require('../zoo.cjs');
let log = ''; // HOLDER log
function note(text) { log += `${text} and what else there is to say about it\n`; }
let id = 0;
void zoo(() => { for (let i = 0; i < 2500; i++) note(`line ${id++}`); return log.length; });
