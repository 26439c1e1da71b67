// Owns the measured size of an element, kept as it changes.
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** Width in CSS pixels; 0 until it was measured. */
export function useWidth(of: RefObject<HTMLElement | null>): number {
  return useSize(of).width;
}

export function useSize(of: RefObject<HTMLElement | null>): { readonly width: number; readonly height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const element = of.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setSize((was) => {
      const { clientWidth: width, clientHeight: height } = element;
      return was.width === width && was.height === height ? was : { width, height };
    }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return size;
}
