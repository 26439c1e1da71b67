// Owns the second thread of one analysis: what it is asked, its answers in the order of the questions, and its end.
import type { Worker } from 'node:worker_threads';
import type { ClassRow } from './classes.ts';
import type { Dominators } from './dominators.ts';
import type { EdgeColumns } from './edges.ts';
import type { HeapGraph } from './graph.ts';
import type { SnapshotMeta } from './meta.ts';
import type { HeldSections, Sections } from './sections.ts';
import type { StringPlaces } from './strings.ts';

/** A graph as it is sent: its columns are memory of both threads, its strings lie in the file. */
export interface SentGraph extends Omit<HeapGraph, 'strings' | 'sizes' | 'allocations'> { readonly path: string; readonly places: StringPlaces; readonly small: Uint32Array }
/** Where the edges' numbers began and ended, and how many rows there were; `whole`: nothing was odd. */
export interface EdgesRead { readonly from: number; readonly to: number; readonly rows: number; readonly whole: boolean }

/** Questions with their answers; each needs those before it. */
export interface Questions {
  edges: { ask: { path: string; meta: SnapshotMeta; columns: EdgeColumns; at: number }; answer: EdgesRead };
  sizes: { ask: SentGraph; answer: { states: Uint8Array | undefined } };
  marks: { ask: { program: Uint32Array; from: number; to: number }; answer: { once: Uint32Array; often: Uint32Array; holding: Uint32Array } };
  incoming: { ask: { often: Uint32Array }; answer: { first: Uint32Array; from: Uint32Array } };
  classes: { ask: object; answer: { rows: readonly ClassRow[]; of: Uint32Array; before: Uint32Array; ways: Uint32Array } };
  sections: { ask: object; answer: Sections };
  held: { ask: { dominators: Dominators; child: Uint32Array; sibling: Uint32Array }; answer: { retained: Float64Array; sections: HeldSections } };
}
export type Question = keyof Questions;
export interface Asked { readonly question: Question; readonly ask: object }
export type Answered = { readonly answer: unknown } | { readonly failed: string };

export class SecondThread {
  readonly #worker: Worker;
  readonly #waiting: { readonly done: (answer: unknown) => void; readonly fail: (error: Error) => void }[] = [];
  #lost: Error | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.stdout.resume();
    worker.stderr.resume();
    worker.on('message', (said: Answered) => { if ('failed' in said) this.#lose(new Error(said.failed)); else this.#waiting.shift()?.done(said.answer); });
    worker.once('error', (error) => { this.#lose(error); });
    worker.once('exit', (code) => { this.#lose(new Error(`the second thread ended with ${code}`)); });
  }

  /** @throws whatever ended the thread: then nothing that it was given may be looked at again */
  ask<Q extends Question>(question: Q, ask: Questions[Q]['ask']): Promise<Questions[Q]['answer']> {
    const answer = new Promise<unknown>((done, fail) => {
      if (this.#lost === undefined) this.#waiting.push({ done, fail }); else fail(this.#lost);
    });
    // Whoever waits hears of it; who has not yet begun to wait is not at fault.
    answer.catch(() => undefined);
    if (this.#lost === undefined) this.#worker.postMessage({ question, ask } satisfies Asked);
    return answer as Promise<Questions[Q]['answer']>;
  }

  async end(): Promise<void> { await this.#worker.terminate(); }

  #lose(error: Error): void {
    this.#lost ??= error;
    for (const { fail } of this.#waiting.splice(0)) fail(this.#lost);
  }
}
