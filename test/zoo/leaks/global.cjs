// A list that is nobody's: a property of the global object.
const zoo = require('../zoo.cjs');
global.requestLog = []; // HOLDER requestLog
let id = 0;
void zoo(() => { for (let i = 0; i < 700; i++) { id++; global.requestLog.push({ id, url: `/orders/${id}`, at: [id] }); } });
