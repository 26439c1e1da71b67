// Owns the verdict of a dump: why the process died, or that it was alive, the JavaScript that ran, the exception, and what the process was.
import type { DumpRead } from '../../../../shared/dump-read.ts';
import { isOwnCode, jsPlace, line, processTitle } from '../../../../shared/dump-text.ts';
import { bytes, count } from '../../../../shared/units.ts';
import { Time } from '../../../parts/text.tsx';

const FRAMES = 60;

export function Why({ dump }: { dump: DumpRead }) {
  const { death, javascript: js, process: one } = dump;
  const thrown = js?.exception;
  return (
    <section class={`dump-why ${death === undefined ? 'alive' : 'died'}`}>
      <div class="said">
        <h1>{processTitle(dump)} {death === undefined ? 'was alive when the dump was taken' : thrown === undefined ? `died of ${death.name}` : `died of ${line(thrown.name, 80)}: ${line(thrown.message, 300)}`}</h1>
        {death === undefined ? undefined : <p>{death.name}: {death.meaning}{death.place === undefined ? undefined : <>, in <code>{line(death.place)}</code></>}{death.address === undefined ? undefined : <>, address <code>{death.address}</code></>}.</p>}
        {js === undefined ? undefined : <p>{js.runtime}{js.heapBytes === undefined ? '' : `, JavaScript heap ${bytes(js.heapBytes)}`}{js.why === undefined ? '.' : js.understood ? `; ${js.why}.` : `; its JavaScript cannot be told: ${js.why}.`}</p>}
        <p class="session-facts">{one.system} · {dump.format === 'core' ? 'ELF core' : 'minidump'} of {bytes(dump.bytes)}{one.takenAt === undefined ? undefined : <> · taken <Time at={one.takenAt} form="day" /></>}{one.startedAt === undefined ? undefined : <> · started <Time at={one.startedAt} form="day" /></>}{dump.handles === undefined ? '' : ` · ${count(dump.handles.total)} handles`}</p>
        {one.commandLine === undefined ? undefined : <p class="session-facts"><code>{one.commandLine}</code></p>}
      </div>
      {js === undefined || js.stack.length === 0 ? undefined : <JavaScript js={js} />}
    </section>
  );
}

function JavaScript({ js }: { js: NonNullable<DumpRead['javascript']> }) {
  const more = js.stack.length - FRAMES;
  return (
    <div class="dump-js">
      <h2>JavaScript stack of the main thread <small>{count(js.stack.length)} frames; functions that V8 built into others have none</small></h2>
      <ol class="frames" tabIndex={0} aria-label="JavaScript stack">{js.stack.slice(0, FRAMES).map((frame, i) => <li key={i} class={frame.file !== undefined && isOwnCode(frame.file) ? 'own' : ''}><b>{line(frame.function, 120)}</b> <span>{jsPlace(frame)}{frame.column === undefined || frame.begins === true ? '' : `:${frame.column}`}</span></li>)}{more > 0 ? <li class="more">and {count(more)} more</li> : undefined}</ol>
    </div>
  );
}
