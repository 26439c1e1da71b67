// Owns the error of an XML text that cannot be read, with its line.
export class XmlFault extends Error {
  readonly line: number;
  /** `why` goes after "because", without a full stop. */
  readonly why: string;
  constructor(line: number, why: string, options?: ErrorOptions) {
    super(`line ${line}: ${why}`, options);
    this.name = 'XmlFault';
    this.line = line;
    this.why = why;
  }
}
