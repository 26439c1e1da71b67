// Each new thing sees the one before through a context that they share.
const zoo = require('../zoo.cjs');
let theThing = null; // HOLDER theThing
function replace() {
  const original = theThing;
  const unused = () => { if (original) return 'hi'; return ''; };
  theThing = { longArray: Array.from({ length: 1500 }, () => '*'), method() { return unused.length; } };
}
void zoo(() => { for (let i = 0; i < 20; i++) replace(); });
