// Owns menus: a button that opens a short list of choices, one of them chosen.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Choice { readonly word: string; readonly title: string; readonly note?: string }
interface MenuProps { label: string; button: ComponentChildren; choices: readonly Choice[]; chosen: string | undefined; onChoose: (word: string) => void; class?: string }

/** Arrow keys move, Enter chooses, Escape closes and gives the focus back. */
export function Menu({ label, button, choices, chosen, onChoose, class: extra = '' }: MenuProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const items = (): HTMLElement[] => [...(box.current?.querySelectorAll<HTMLElement>('[role=menuitemradio]') ?? [])];
  const close = (): void => { setOpen(false); box.current?.querySelector('button')?.focus(); };
  useEffect(() => {
    if (!open) return undefined;
    (items().find((i) => i.getAttribute('aria-checked') === 'true') ?? items()[0])?.focus();
    const away = (event: Event): void => { if (!box.current?.contains(event.target as Node)) setOpen(false); };
    addEventListener('pointerdown', away);
    return () => removeEventListener('pointerdown', away);
  }, [open]);
  const key = (event: KeyboardEvent): void => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = event.key === 'ArrowDown' ? at + 1 : event.key === 'ArrowUp' ? at - 1 : undefined;
    if (open && event.key === 'Escape') close();
    else if (open && to !== undefined) all[(to + all.length) % all.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class={`menu ${extra}`} ref={box} onKeyDown={key}>
      <button type="button" class="quiet" aria-haspopup="menu" aria-expanded={open} aria-label={label} onClick={() => setOpen(!open)}>{button}</button>
      {open ? <div class="menu-list" role="menu" aria-label={label}>
        {choices.map((c) => <button key={c.word} type="button" role="menuitemradio" aria-checked={c.word === chosen} onClick={() => { close(); onChoose(c.word); }}>{c.title}{c.note === undefined ? undefined : <small>{c.note}</small>}</button>)}
      </div> : undefined}
    </div>
  );
}
