// Figures of a class, one more for each route that a robot makes up.
const zoo = require('../zoo.cjs');
class Metrics {
  static byRoute = Object.create(null); // HOLDER byRoute
  static count(route) { const own = (Metrics.byRoute[route] ??= { route, times: [], last: null }); own.times.push(1); own.last = { at: route }; }
}
let id = 0;
void zoo(() => { for (let i = 0; i < 500; i++) Metrics.count(`/x/${id++}`); });
