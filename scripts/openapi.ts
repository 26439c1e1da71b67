// Owns public/openapi.json: walks the API contract and writes what outsiders read; a test regenerates and compares it.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { api, Problem, type Route } from '../src/shared/api.ts';
import { errors } from '../src/shared/errors.ts';

const root = resolve(import.meta.dirname, '..');
type Json = Record<string, unknown>;

const schema = (s: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema, ...rest } = z.toJSONSchema(s, { target: 'openapi-3.0', io, unrepresentable: 'any' }) as Json;
  void $schema;
  return rest;
};

function parameters(route: Route): Json[] {
  const of = (s: z.ZodType | undefined, where: string): Json[] => {
    if (!s) return [];
    const json = schema(s, 'input') as { properties?: Record<string, Json>; required?: string[] };
    return Object.entries(json.properties ?? {}).map(([name, p]) => ({ name, in: where, required: where === 'path' || (json.required ?? []).includes(name), schema: p }));
  };
  return [...of(route.params, 'path'), ...of(route.query, 'query')];
}

function operation(name: string, route: Route): Json {
  const answers = Object.entries(route.answers).map(([status, answer]) => [status, {
    description: Number(status) === 206 ? 'Part of the file' : 'Done',
    content: typeof answer === 'string' ? { [answer]: { schema: { type: 'string', format: 'binary' } } } : { 'application/json': { schema: schema(answer, 'output') } },
  }]);
  return {
    operationId: name,
    summary: route.summary,
    parameters: parameters(route),
    ...(route.body ? { requestBody: { required: true, content: { 'application/json': { schema: schema(route.body, 'input') } } } } : {}),
    responses: { ...Object.fromEntries(answers), default: { description: 'Refused or failed', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } } },
    ...(route.open ? { security: [] } : {}),
  };
}

/** The whole document as text, the same for the same contract. */
export async function openapi(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries(api) as [string, Route][]) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route) };
  }
  const document = {
    openapi: '3.0.3',
    info: { title: 'App Service diagnostics agent', version, description: 'Observe, analyze, mitigate: all below the base path /diag. Changes need the header "X-Diag: 1" or a Bearer token.' },
    servers: [{ url: '/diag' }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
    components: {
      schemas: { Problem: { ...schema(Problem, 'output'), 'x-codes': Object.keys(errors) } },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, cookie: { type: 'apiKey', in: 'cookie', name: 'diag' } },
    },
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await writeFile(join(root, 'public/openapi.json'), await openapi());
