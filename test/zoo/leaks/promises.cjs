// A promise that never settles, and everyone who waits for it.
const zoo = require('../zoo.cjs');
let open;
const ready = new Promise((resolve) => { open = resolve; }); // HOLDER ready
function request(id) {
  const payload = Array.from({ length: 50 }, (_, i) => ({ i, id }));
  void ready.then(() => payload.length + open.length);
}
let id = 0;
void zoo(() => { for (let i = 0; i < 150; i++) request(id++); });
