// Owns styles that are made by script: as sheets of the document, which the page's policy allows, where a style element would be refused.

/** Looks to its maker like a style element: its text is the sheet, its removal the sheet's end. The build puts it where xterm.js would make one (scripts/xterm-styles.ts). */
export function sheetElement(): HTMLElement {
  const element = document.createElement('template');
  const end = adopt('');
  let css = '';
  Object.defineProperty(element, 'textContent', { get: () => css, set(text: string) { css = text; end.sheet.replaceSync(text); } });
  element.remove = () => { end.run(); Element.prototype.remove.call(element); };
  return element;
}

/** Adds a sheet to the document until its end is run. */
export function adopt(css: string): { readonly sheet: CSSStyleSheet; run(): void } {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return { sheet, run() { document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet); } };
}
