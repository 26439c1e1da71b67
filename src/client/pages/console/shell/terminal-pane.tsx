// Owns the shown terminal: the box it is drawn into, and what is said about its connection, its end and its lack of a terminal.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ShellView } from '../../../../shared/shells.ts';
import { cell, useCell } from '../../../cell.ts';
import { Ago } from '../../../parts/text.tsx';
import type { ShellLinkState } from './link.ts';
import { openTerminal, type PageTerminal } from './terminal.ts';

const CONNECTING = cell<ShellLinkState>({ word: 'connecting' });

interface PaneProps { shell: ShellView; screenReader: boolean; onTold: (shell: ShellView) => void; onLeave: () => void; onGone: () => void }

export function TerminalPane({ shell, screenReader, onTold, onLeave, onGone }: PaneProps) {
  const box = useRef<HTMLDivElement>(null);
  const [terminal, setTerminal] = useState<PageTerminal>();
  const calls = useRef({ onTold, onLeave });
  calls.current = { onTold, onLeave };
  useEffect(() => {
    if (box.current === null) return undefined;
    const opened = openTerminal(box.current, {
      shell: shell.id, screenReader,
      told: (message) => { if (message.type === 'hello' || message.type === 'shell') calls.current.onTold(message.shell); },
      leave: () => calls.current.onLeave(),
    });
    opened.focus();
    setTerminal(opened);
    return () => opened.end();
  }, [shell.id]);
  useEffect(() => { terminal?.setScreenReader(screenReader); }, [terminal, screenReader]);
  const state = useCell(terminal?.link.state ?? CONNECTING);
  return <>
    <Said state={state} shell={shell} retry={() => { terminal?.link.retry(); terminal?.focus(); }} onGone={onGone} />
    <div class="shell-box" data-state={state.word} role="tabpanel" aria-label={shell.title}><div class="shell-screen" ref={box} /></div>
    <p class="shell-foot">All keys go to the shell while it has the focus; <kbd>Ctrl+F6</kbd> leaves it. <kbd>Ctrl+C</kbd> copies what is marked, and interrupts where nothing is; <kbd>Ctrl+V</kbd> pastes.</p>
  </>;
}

function Said({ state, shell, retry, onGone }: { state: ShellLinkState; shell: ShellView; retry: () => void; onGone: () => void }) {
  if (state.word === 'lost') return <p class="shell-say warn" role="status"><span><b>Disconnected</b> <Ago at={state.since} />; attaching again. What runs in the shell goes on.</span><button type="button" class="quiet" onClick={retry}>Try now</button></p>;
  if (state.word === 'taken') return <p class="shell-say warn" role="status"><span><b>Shown elsewhere:</b> it was opened on another page by {state.who}; one page at a time can show it.</span><button type="button" class="quiet" onClick={retry}>Take it back</button></p>;
  if (state.word === 'refused') return <p class="shell-say warn" role="status"><span>{state.detail} <code>{state.code}</code></span><button type="button" class="quiet" onClick={onGone}>Show the others</button></p>;
  return <>
    {shell.ended === undefined ? undefined : <p class="shell-say calm" role="status"><span><b>Ended</b> <Ago at={shell.ended.at} />. {shell.ended.because}{shell.ended.exitCode === undefined || shell.ended.because.includes('exit code') ? '' : ` Exit code ${shell.ended.exitCode}.`}</span></p>}
    {shell.by === 'pipes' && shell.ended === undefined ? <p class="shell-say" role="note">Without a terminal: {shell.why ?? 'none can be had here'}. Lines are edited by the agent; programs that draw a screen (vim, top) do not work in it.</p> : undefined}
  </>;
}
