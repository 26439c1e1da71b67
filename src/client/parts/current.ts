// Owns that the current part of a row of links is in sight where the row is too narrow for all.
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

export function useCurrentInSight(nav: RefObject<HTMLElement | null>, current: string): void {
  useEffect(() => {
    const row = nav.current;
    const link = row?.querySelector<HTMLElement>('[aria-current]');
    // Not scrollIntoView: that would move the page as well.
    if (row && link) row.scrollLeft = Math.max(0, link.offsetLeft - row.offsetLeft - (row.clientWidth - link.clientWidth) / 2);
  }, [current]);
}
