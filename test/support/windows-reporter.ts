// Owns how a test run on Windows tells its results: one line of JSON for each test.
export interface Outcome { readonly name: string; readonly nesting: number; readonly passed: boolean; readonly tookMs: number; readonly skipped?: string; readonly error?: string }

interface Event { readonly type: string; readonly data: { readonly name?: string; readonly nesting?: number; readonly skip?: string | boolean; readonly details?: { readonly duration_ms?: number; readonly error?: Error & { cause?: unknown } } } }

export default async function* report(events: AsyncIterable<Event>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { error } = data.details ?? {};
    const cause = error?.cause instanceof Error ? error.cause : error;
    yield `outcome ${JSON.stringify({ name: data.name, nesting: data.nesting, passed: type === 'test:pass', tookMs: Math.round(data.details?.duration_ms ?? 0), ...(data.skip === undefined ? {} : { skipped: String(data.skip) }), ...(error === undefined ? {} : { error: cause?.stack ?? String(cause) }) })}\n`;
  }
}
