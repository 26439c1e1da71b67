// Owns what the leaky app keeps: orders for ever, and a table that is filled once.
interface Order { readonly id: number; readonly lines: readonly string[] }
const cache = new Map<number, Order>();
const once: { readonly n: number; readonly texts: readonly string[] }[] = [];

function made(id: number): Order { return { id, lines: [`line ${id}`, 'a', 'b'] }; }
export function remember(id: number): void { cache.set(id, made(id)); }
export function fill(count: number): void { while (once.length < count) once.push({ n: once.length, texts: ['x', `y${once.length}`] }); }
