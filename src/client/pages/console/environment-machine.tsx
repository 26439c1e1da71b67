// Owns what surrounds the site on the page: runtimes with their versions, and facts of the machine.
import { diag } from '../../agent.ts';
import { Empty, Show } from '../../parts/states.tsx';
import { Ago } from '../../parts/text.tsx';
import { useAsk } from '../../use-ask.ts';

export function Machine() {
  const asked = useAsk((signal) => diag.surroundings({ signal }), []);
  return (
    <Show asked={asked} rows={8}>{({ at, runtimes, facts }) => <div class="machine">
      <h3>Runtimes <small>on the agent's PATH, looked at <Ago at={at} /></small></h3>
      {runtimes.length === 0 ? <Empty title="None was found.">Neither Node, Python, PHP, Java nor .NET is on the PATH of the agent.</Empty>
        : <table class="rows"><thead><tr><th>Runtime</th><th>Version</th><th>Where</th></tr></thead><tbody>{runtimes.map((one) => <tr key={one.name}><td>{one.name}</td><td>{one.version ?? <span class="absent">{one.because ?? '–'}</span>}</td><td><code>{one.path}</code></td></tr>)}</tbody></table>}
      <h3>Machine</h3>
      <dl class="facts">{facts.map(({ id, title, value }) => <div key={id}><dt>{title}</dt><dd>{value}</dd></div>)}</dl>
    </div>}</Show>
  );
}
