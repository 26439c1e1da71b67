// Owns the types of pg as far as the lab uses it: the package brings none.
declare module 'pg' {
  export class Client {
    constructor(at: { host: string; port: number; user: string; database: string });
    connect(): Promise<void>;
    query(text: string): Promise<unknown>;
    end(): Promise<void>;
  }
}
