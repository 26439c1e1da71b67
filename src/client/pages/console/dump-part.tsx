// Owns the diagnostic dump on the page: which logs, from when, how much of them at most, and the zip that is made while it is fetched.
import { useState } from 'preact/hooks';
import type { z } from 'zod';
import type { LogProvider, LogProviderId } from '../../../shared/log-bundle.ts';
import { bytes, plural } from '../../../shared/units.ts';
import { agentNow, diag, fileAddress } from '../../agent.ts';
import { Icon } from '../../parts/icons.tsx';
import { Empty, Show } from '../../parts/states.tsx';
import { Ago } from '../../parts/text.tsx';
import { useAsk } from '../../use-ask.ts';
import { DUMP_SINCE, DUMP_SIZES, dumpQuery } from './dump-query.ts';

type Provider = z.infer<typeof LogProvider>;

export function DumpPart() {
  const asked = useAsk((signal) => diag.logProviders({ signal }), []);
  return (
    <section class="wide">
      <h2>Diagnostic dump <small>logs, failed request traces and deployments as one zip; secrets masked, and a manifest of what is in it and what is not</small></h2>
      <Show asked={asked} rows={8}>{({ providers, more }) => (providers.every(({ files }) => files === 0)
        ? <Empty title="There is no log yet.">Turn on application logging or the web server log of the app; what is written appears here.</Empty>
        : <Choice providers={providers} more={more} />)}</Show>
    </section>
  );
}

function Choice({ providers, more }: { providers: readonly Provider[]; more: number }) {
  const [left, setLeft] = useState<ReadonlySet<LogProviderId>>(new Set());
  const [sinceMs, setSinceMs] = useState(0);
  const [maxBytes, setMaxBytes] = useState(0);
  const chosen = providers.filter(({ id, files }) => files > 0 && !left.has(id));
  const toggle = (id: LogProviderId): void => {
    const next = new Set(left);
    if (!next.delete(id)) next.add(id);
    setLeft(next);
  };
  // Asked again at the click: "an hour ago" is meant from then.
  const place = (): string => fileAddress('logBundle', {}, dumpQuery(providers, left, sinceMs, maxBytes, agentNow()));
  const size = chosen.reduce((sum, one) => sum + one.bytes, 0);
  return (
    <div class="diagnose">
      <ul class="picks">{providers.map((one) => <Pick key={one.id} one={one} ticked={chosen.includes(one)} onToggle={() => toggle(one.id)} />)}</ul>
      <div class="fields row">
        <label>Since<select value={sinceMs} onChange={(e) => setSinceMs(Number(e.currentTarget.value))}>{DUMP_SINCE.map(([ms, word]) => <option key={ms} value={ms}>{word}</option>)}</select></label>
        <label>At most, before it is packed<select value={maxBytes} onChange={(e) => setMaxBytes(Number(e.currentTarget.value))}>{DUMP_SIZES.map((max) => <option key={max} value={max}>{max === 0 ? 'all of it' : bytes(max)}</option>)}</select></label>
      </div>
      <div class="form-foot">
        <small>{plural(chosen.reduce((sum, one) => sum + one.files, 0), 'file')}, {bytes(size)} on disk{more > 0 ? `, and ${plural(more, 'file')} more than were looked at` : ''}{maxBytes > 0 && size > maxBytes ? `; of these the newest ${bytes(maxBytes)}` : ''}</small>
        {chosen.length === 0 ? <button type="button" class="go" disabled>Fetch the zip</button> : <a class="go" href={place()} onClick={(e) => { e.currentTarget.href = place(); }} download><Icon name="download" />Fetch the zip</a>}
      </div>
    </div>
  );
}

function Pick({ one, ticked, onToggle }: { one: Provider; ticked: boolean; onToggle: () => void }) {
  const id = `dump-${one.id}`;
  return (
    <li class={one.files > 0 ? 'pick' : 'pick off'}>
      <input id={id} type="checkbox" checked={ticked} disabled={one.files === 0} onChange={onToggle} aria-describedby={`${id}-about`} />
      <label for={id}>{one.title}</label>
      <small class="cost">{one.files === 0 ? 'none' : bytes(one.bytes)}</small>
      <p id={`${id}-about`}>{one.files === 0 ? 'Nothing of it was written.' : <>{plural(one.files, 'file')}{one.newestAt === undefined ? '' : <>, the newest <Ago at={one.newestAt} /></>}</>}</p>
    </li>
  );
}
