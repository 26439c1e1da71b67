// The first words of each page are kept, and with them the page.
const zoo = require('../zoo.cjs');
const titles = []; // HOLDER titles
function fetched(id) { const page = `title of page number ${id} `.repeat(1) + Buffer.alloc(20_000, 97 + (id % 26)).toString('latin1'); titles.push(page.slice(0, 22)); }
let id = 0;
void zoo(() => { for (let i = 0; i < 20; i++) fetched(id++); });
