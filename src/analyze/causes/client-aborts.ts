// Owns the cause client-aborts: clients gave requests up before the answer was whole; told as what it is, and no failure of the app.
import { duration } from '../../shared/units.ts';
import { clock, count, plural, rowText, routesOf, oneLine, type CauseRule, type Claim } from './cause.ts';

/** Single aborts are everywhere. */
const LEAST = 5;
const LEAST_SHARE = 0.005;

export const clientAborts: CauseRule = {
  id: 'client-aborts', about: 'clients that give up', explains: ['gone'], needs: ['http'], collect: ['http-logs'],
  judge(scene): Claim[] {
    const { aborts, total, abortRows } = scene.rows;
    const gone = scene.rows.failed.filter((r) => r.effect === 'gone');
    if (aborts + gone.length < LEAST || aborts + gone.length < total * LEAST_SHARE) return [];
    const all = [...abortRows, ...gone].sort((a, b) => a.at - b.at);
    const waits = all.flatMap((r) => (r.takenMs === undefined ? [] : [r.takenMs])).sort((a, b) => a - b);
    const median = waits[Math.floor(waits.length / 2)];
    const [first] = all, [top] = routesOf(all);
    return [{
      cause: 'client-aborts', key: '', rows: gone, incidents: aborts, bad: true, remark: true, since: first?.at, weights: [{ by: 0.8, says: 'the codes say that the client closed the connection' }, { by: 0.4, says: 'the app itself was at work on them or had answered' }],
      for: first === undefined ? [] : [{ text: `${plural(aborts + gone.length, 'request')} given up, half of them after at most ${duration(median ?? 0)}`, at: first.at, where: first.source, proof: rowText(first) }], against: [],
      chain: [{ ...(first ? { at: first.at } : {}), what: 'Clients close the connection before the answer is whole', part: 'root' }],
      title: () => `Clients gave up ${count(aborts + gone.length)} of ${plural(total, 'request')}${median === undefined ? '' : `, half of them within ${duration(median)}`}${top ? `, most often ${oneLine(`${top.method} ${top.route}`, 100)}` : ''}${first ? `, from ${clock(first.at)} on` : ''}: that is not the app's fault.`,
      advice: ['Nothing, while they wait a short time: tabs are closed and pages left.', 'Where they waited long, the route is too slow for them: look at the slowest requests.'],
    }];
  },
  excludes: (scene) => (scene.rows.total > 0 ? `clients gave up ${plural(scene.rows.aborts, 'request')} of ${count(scene.rows.total)}` : undefined),
};
