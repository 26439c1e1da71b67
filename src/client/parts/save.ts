// Owns saving something as a file from the page, CSV text, and the clipboard.

export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** A file name from a title: letters, digits and dashes. */
export const fileName = (title: string, ending: string): string => `${title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')}.${ending}`;

/** One CSV field. A leading = + - @ would be a formula in a spreadsheet: text from logs gets an apostrophe, numbers stay. */
export function csvField(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csv = (rows: readonly (readonly (string | number | null | undefined)[])[]): string => rows.map((r) => r.map(csvField).join(',')).join('\r\n') + '\r\n';

/** Absent where the page is not served from a secure address. */
export const canCopy = (): boolean => typeof navigator.clipboard?.writeText === 'function';
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    if (error instanceof DOMException) return false;
    throw error;
  }
}
