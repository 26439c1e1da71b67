// A queue that is worked off, longer at one look than at the next.
const zoo = require('../zoo.cjs');
let queue = [];
let done = 0;
void zoo((round) => {
  for (let i = 0; i < 3_000; i++) queue.push({ job: round * 3_000 + i, args: [i, `job ${i}`] });
  const most = round < 10 ? 3_000 : 2_500;
  if (queue.length > most) { done += queue.length - most; queue = queue.slice(-most); }
  return done;
});
