// Owns C++ names for people: the qualified name of a function without its parameters (Itanium C++ ABI, chapter 5.1); what is not understood stays as it is.

/** Names of templates can be pages long; these are for one line. */
const MAX_NAME = 1_024;
const MAX_DEPTH = 64;
const STANDARD: Readonly<Record<string, string>> = { St: 'std', Sa: 'std::allocator', Sb: 'std::basic_string', Ss: 'std::string', Si: 'std::istream', So: 'std::ostream', Sd: 'std::iostream' };
const BUILTIN = /^(?:D[adefhinstu]|[a-z])/;
const OPERATORS: Readonly<Record<string, string>> = { nw: ' new', na: ' new[]', dl: ' delete', da: ' delete[]', pl: '+', mi: '-', ml: '*', dv: '/', eq: '==', ne: '!=', lt: '<', gt: '>', le: '<=', ge: '>=', aS: '=', ls: '<<', rs: '>>', cl: '()', ix: '[]', pt: '->', nt: '!', aa: '&&', oo: '||', pp: '++', mm: '--', pL: '+=', mI: '-=' };

export function demangle(name: string): string {
  const plain = name.replace(/@.*$/, '').replace(/\.(?:part|isra|constprop|cold|lto_priv|llvm)\b.*$/, '');
  if (!plain.startsWith('_Z') || plain.length > MAX_NAME) return plain;
  try {
    return new Names(plain).function();
  } catch (error) {
    if (error instanceof NotUnderstood) return plain;
    throw error;
  }
}

class NotUnderstood extends Error {}

class Names {
  #text: string;
  #at = 2;
  #depth = 0;
  constructor(text: string) { this.#text = text; }

  function(): string {
    const special: Readonly<Record<string, string>> = { TV: 'vtable for ', TI: 'typeinfo for ', TS: 'typeinfo name for ', GV: 'guard variable for ' };
    const prefix = special[this.#text.slice(2, 4)];
    if (prefix !== undefined) { this.#at = 4; return prefix + this.#name(); }
    const thunk = /^_ZTh(?:n?\d+)_/.exec(this.#text) ?? /^_ZTv(?:n?\d+)_(?:n?\d+)_/.exec(this.#text);
    if (thunk !== null) { this.#at = thunk[0].length; return `thunk to ${this.#name()}`; }
    return this.#name();
  }

  #name(): string {
    if (this.#take('N')) return this.#nested();
    if (this.#take('Z')) return this.#local();
    const first = this.#simple();
    return this.#peek() === 'I' ? first + this.#arguments() : first;
  }

  #local(): string {
    const outer = this.#name();
    let guard = 0;
    while (this.#peek() !== 'E') { if (guard++ > MAX_DEPTH) throw new NotUnderstood(); this.#type(); }
    this.#at += 1;
    if (this.#take('s')) return outer;
    const inner = this.#name();
    return `${outer}::${inner}`;
  }

  #nested(): string {
    while (/[rVKRO]/.test(this.#peek()) && !/^(?:St|Sa|Ss)/.test(this.#rest(2))) this.#at += 1;
    const parts: string[] = [];
    while (!this.#take('E')) {
      if (parts.length > MAX_DEPTH) throw new NotUnderstood();
      const last = parts.at(-1);
      if (this.#peek() === 'I') { if (last === undefined) throw new NotUnderstood(); parts[parts.length - 1] = last + this.#arguments(); }
      else if (/^[CD][0-9]/.test(this.#rest(2))) { this.#at += 2; parts.push((this.#text[this.#at - 2] === 'D' ? '~' : '') + (last ?? '').replace(/<.*$/, '')); }
      else parts.push(this.#simple());
    }
    return parts.join('::');
  }

  #simple(): string {
    const standard = STANDARD[this.#rest(2)];
    if (standard !== undefined) {
      this.#at += 2;
      return standard === 'std' && /[0-9]/.test(this.#peek()) ? `std::${this.#source()}` : standard;
    }
    if (/[0-9]/.test(this.#peek())) return this.#source();
    if (this.#take('L')) return this.#source();
    if (this.#take('S')) { const end = this.#text.indexOf('_', this.#at); if (end < 0) throw new NotUnderstood(); this.#at = end + 1; return '…'; }
    const lambda = /^Ul(.*?)E(\d*)_/.exec(this.#text.slice(this.#at, this.#at + 200));
    if (lambda !== null && !/[NI]/.test(lambda[1] ?? '')) { this.#at += lambda[0].length; return '{lambda}'; }
    const operator = OPERATORS[this.#rest(2)];
    if (operator === undefined) throw new NotUnderstood();
    this.#at += 2;
    return `operator${operator}`;
  }

  #source(): string {
    const length = /^\d{1,4}/.exec(this.#rest(4))?.[0];
    if (length === undefined) throw new NotUnderstood();
    this.#at += length.length;
    const name = this.#rest(Number(length));
    if (name.length < Number(length)) throw new NotUnderstood();
    this.#at += name.length;
    while (this.#peek() === 'B') { this.#at += 1; this.#source(); }
    return name.startsWith('_GLOBAL__N') ? '(anonymous namespace)' : name;
  }

  /** Read past, not told: they would be most of the line. */
  #arguments(): string {
    this.#at += 1;
    let guard = 0;
    while (!this.#take('E')) { if (guard++ > MAX_DEPTH) throw new NotUnderstood(); this.#argument(); }
    return '<…>';
  }

  #argument(): void {
    if (this.#take('J')) { let guard = 0; while (!this.#take('E')) { if (guard++ > MAX_DEPTH) throw new NotUnderstood(); this.#argument(); } return; }
    if (!this.#take('L')) { this.#type(); return; }
    if (this.#rest(2) === '_Z') { this.#at += 2; this.#name(); let guard = 0; while (this.#peek() !== 'E') { if (guard++ > MAX_DEPTH) throw new NotUnderstood(); this.#type(); } this.#at += 1; return; }
    this.#type();
    const value = /^n?[0-9a-f]*E/.exec(this.#rest(40));
    if (value === null) throw new NotUnderstood();
    this.#at += value[0].length;
  }

  #type(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new NotUnderstood();
    while (/[PROKVrCG]/.test(this.#peek())) this.#at += 1;
    if (this.#take('F')) { let guard = 0; while (!this.#take('E')) { if (guard++ > MAX_DEPTH) throw new NotUnderstood(); this.#type(); } }
    else if (this.#take('M')) { this.#type(); this.#type(); }
    else if (this.#rest(2) === 'Dp') { this.#at += 2; this.#type(); }
    else if (this.#peek() === 'A') this.#array();
    else if (this.#peek() === 'T') { const end = this.#text.indexOf('_', this.#at); if (end < 0) throw new NotUnderstood(); this.#at = end + 1; if (this.#peek() === 'I') this.#arguments(); }
    else if (/[NZSL0-9]/.test(this.#peek())) this.#name();
    else { const builtin = BUILTIN.exec(this.#rest(2))?.[0]; if (builtin === undefined) throw new NotUnderstood(); this.#at += builtin.length; }
    this.#depth -= 1;
  }

  #array(): void {
    const head = /^A\d*_/.exec(this.#rest(12))?.[0];
    if (head === undefined) throw new NotUnderstood();
    this.#at += head.length;
    this.#type();
  }

  #peek(): string { return this.#text[this.#at] ?? ''; }
  #rest(length: number): string { return this.#text.slice(this.#at, this.#at + length); }
  #take(letter: string): boolean { if (this.#peek() !== letter) return false; this.#at += 1; return true; }
}
