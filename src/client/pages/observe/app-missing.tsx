// Owns what the App part says where no preload runs: how to get it, and what there is without it.
import { Link, viewOf } from '../../router.tsx';

export function HowToSee() {
  return (
    <section class="wide how-to"><h2>No process of the site carries the preload</h2>
      <p>One file, loaded into the site's Node processes, tells what cannot be seen from outside: requests in flight and what they wait for, routes, dependencies, the event loop, the heap, exceptions. It costs about a microsecond a request, changes nothing the app does, and rests while nobody looks.</p>
      <dl>
        <div><dt>On App Service, with the package</dt><dd>Install the package that was made by <code>npm run pack -- --preload</code>, then restart the site.</dd></div>
        <div><dt>On App Service, by hand</dt><dd>Set the app setting <code>NODE_OPTIONS</code> to <code>--require=C:\home\SiteExtensions\AppServiceDiag\dist\preload.js</code> (<code>D:\home</code> on older workers). The site restarts by itself. Remove the setting before the extension: a file that is gone ends each Node process at its start.</dd></div>
        <div><dt>Elsewhere</dt><dd>Start the app with <code>NODE_OPTIONS=--require=…/dist/preload.js</code> and <code>DIAG_HOME</code> set to the home of this agent.</dd></div>
        <div><dt>It is set, and nothing comes</dt><dd>It stays out of processes that serve nothing, of WebJobs and tools, and where <code>DIAG_PRELOAD</code> is <code>off</code>. A process that was started before needs a restart.</dd></div>
      </dl>
      <p class="note">Without it: profiles, heap snapshots and reports of Node come by its inspector with <Link to={viewOf('analyze')}>Diagnose now</Link>; requests from the HTTP log stand under <Link to={viewOf('observe', { part: 'http' })}>HTTP</Link>.</p>
    </section>
  );
}
