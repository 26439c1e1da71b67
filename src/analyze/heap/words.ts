// Owns a list of 32-bit numbers that grows: stacks and queues over millions of nodes.

export class Words {
  values: Uint32Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 1024) { this.values = new Uint32Array(capacity); }

  push(value: number): void {
    if (this.length === this.values.length) {
      const more = new Uint32Array(this.values.length * 2);
      more.set(this.values);
      this.values = more;
    }
    this.values[this.length++] = value;
  }

  pop(): number { return (this.values[--this.length] as number); }
}
