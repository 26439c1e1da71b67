// Owns dialogs: the browser's own modal <dialog>, which keeps the focus inside and gives it back.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Icon } from './icons.tsx';

interface DialogProps { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean; foot?: ComponentChildren }
/** Open while it is mounted. Escape, the cross and a click beside it close it. */
export function Dialog({ title, onClose, children, wide, foot }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  // Before the next key: one pressed in between would still go to the page below.
  useLayoutEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) {
      dialog.showModal();
      // The browser would take the cross; what the dialog is for comes first.
      (dialog.querySelector<HTMLElement>('.dialog-body :is(input, select, button)') ?? dialog).focus();
    }
    return () => {
      dialog?.close();
      // What is out of the document gives no focus back by itself.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const beside = (event: MouseEvent): void => { if (event.target === box.current) onClose(); };
  return (
    <dialog ref={box} class={wide ? 'dialog wide' : 'dialog'} aria-label={title} onCancel={(e) => { e.preventDefault(); onClose(); }} onMouseDown={beside}>
      <div class="dialog-in">
        <header><h2>{title}</h2><button type="button" class="plain" aria-label="Close" onClick={onClose}><Icon name="close" /></button></header>
        <div class="dialog-body">{children}</div>
        {foot === undefined ? undefined : <footer>{foot}</footer>}
      </div>
    </dialog>
  );
}
