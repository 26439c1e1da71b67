// Owns the few icons: inline SVG in the colour of the text, only where a word would not fit.

const PATHS = {
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.4 10.4 14 14',
  light: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3.05 3.05l1.1 1.1M11.85 11.85l1.1 1.1M3.05 12.95l1.1-1.1M11.85 4.15l1.1-1.1',
  dark: 'M13.5 9.8A5.8 5.8 0 0 1 6.2 2.5a5.8 5.8 0 1 0 7.3 7.3Z',
  system: 'M2 3h12v8H2zM6 13.5h4M8 11v2.5',
  close: 'M4 4l8 8M12 4l-8 8',
  down: 'M4 6l4 4 4-4',
  pin: 'M8 9.5V14M5 2h6l-.8 4 2 3.5H3.8L5.8 6z',
  download: 'M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10',
  now: 'M1.5 8h3l2-5 3 10 2-5h3',
  observe: 'M2 13.5h12M4 11V7M8 11V3M12 11V6',
  logs: 'M3 3.5h10M3 6.5h7M3 9.5h10M3 12.5h5',
  analyze: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.4 10.4 14 14M7 5v4M5 7h4',
  console: 'M2 3h12v10H2zM4.5 6l2 2-2 2M8.5 10.5h3',
  mitigate: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false"><path d={PATHS[name]} /></svg>;
}
