// What is referred to weakly goes, the references stay.
const zoo = require('../zoo.cjs');
const seen = new Map(); // HOLDER seen
function track(id) { seen.set(`object ${id}`, new WeakRef({ id })); }
let id = 0;
void zoo(() => { for (let i = 0; i < 1500; i++) track(id++); });
