// Owns the cause response-header-invalid: what the app answers is no HTTP that the front accepts, most often a header that is malformed or too large.
import { effectText, rowsFact, type CauseRule, type Claim, weightOf, plural } from './cause.ts';
import { factOf } from './sign-claim.ts';

export const responseHeaderInvalid: CauseRule = {
  id: 'response-header-invalid', about: 'an answer that is no HTTP', explains: ['invalid'], needs: ['http', 'front-log'], collect: ['http-logs'],
  judge(scene): Claim[] {
    const rows = scene.rows.failed.filter((r) => r.effect === 'invalid');
    const signs = scene.signs('upstream-header');
    if (rows.length === 0) return [];
    const large = signs.some((s) => /too big|overflow/i.test(s.text));
    return [{
      cause: 'response-header-invalid', key: '', rows, incidents: rows.length, since: rows[0]?.at,
      weights: [{ by: 0.75, says: 'the front says that the answer was invalid, not that there was none' }, ...(signs.length > 0 ? [{ by: 0.6, says: 'the front\'s log names the header' }] : [{ by: 0.4, says: 'the connection had come about and bytes had come back' }])],
      for: [...signs.slice(0, 2).map(factOf), ...rowsFact(rows, 'got an answer that the front did not accept')], against: [],
      chain: [{ at: rows[0]?.at ?? 0, what: 'The app answers with a head that is no valid HTTP', ...(signs[0] === undefined ? {} : { detail: signs[0].text }), part: 'root' }, { at: rows[0]?.at ?? 0, what: `${plural(Math.round(weightOf(rows)), 'request')} end as an invalid response`, part: 'effect' }],
      title: (t) => `The app answers ${t.route === undefined ? '' : `${t.route} `}with a head that the front does not accept${large ? ': it is too large' : ''}; ${effectText(t, 'the front\'s log says so')}.`,
      advice: [large ? 'Make the head smaller (cookies above all), or let the front take more (proxy_buffer_size).' : 'Look at the raw answer of that route on the instance (curl -v to the app\'s own port): line breaks or control characters in a header, a second Content-Length, a body where none may be.', 'Encode what goes into headers (encodeURIComponent, RFC 5987), file names above all.'],
    }];
  },
  excludes: (scene) => (scene.rowsFrom === 'http-log' || scene.rowsFrom === 'error-log' ? 'no request was answered with something that is no HTTP' : undefined),
};
