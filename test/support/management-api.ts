// Owns a management API for tests: HTTPS and a token endpoint on loopback, each request checked against the published description, a plan and a site that change.
import { readFileSync } from 'node:fs';
import { createServer as createTokens, type IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';

const FIXTURES = resolve(import.meta.dirname, '../fixtures');
export const CA_FILE = join(FIXTURES, 'tls/cert.pem');
export const SUBSCRIPTION = '11111111-2222-4333-8444-555555555555';
export const HEADER_SECRET = 'the-header-of-the-identity';
const TOKEN = 'eyJhbGciOiJub25lIn0.e30.token-of-the-identity';

interface Schema { readonly $ref?: string; readonly type?: string; readonly enum?: readonly string[]; readonly properties?: Readonly<Record<string, Schema>>; readonly required?: readonly string[]; readonly items?: Schema; readonly additionalProperties?: boolean }
interface Parameter { readonly name: string; readonly in: 'path' | 'query' | 'body'; readonly required: boolean; readonly type?: string; readonly schema?: Schema }
interface Operation { readonly operationId: string; readonly parameters: readonly Parameter[] }
const SPEC = JSON.parse(readFileSync(join(FIXTURES, 'management/web-2025-05-01.json'), 'utf8')) as { info: { version: string }; paths: Record<string, Record<string, Operation>>; definitions: Record<string, Schema> };

/** What of a value breaks a schema, each with its place. */
function faults(value: unknown, schema: Schema, at: string): string[] {
  if (schema.$ref !== undefined) return faults(value, SPEC.definitions[schema.$ref.replace('#/definitions/', '')] ?? {}, at);
  if (value === null || value === undefined) return [];
  if (schema.enum !== undefined && !schema.enum.includes(String(value))) return [`${at}: ${String(value)} is none of ${schema.enum.join(', ')}`];
  if (schema.type === 'array') return Array.isArray(value) ? value.flatMap((one, i) => faults(one, schema.items ?? {}, `${at}[${i}]`)) : [`${at}: no array`];
  if (schema.type === 'integer') return Number.isInteger(value) ? [] : [`${at}: no integer`];
  if (schema.type === 'string' || schema.type === 'boolean') return typeof value === schema.type ? [] : [`${at}: no ${schema.type}`];
  if (schema.type !== 'object') return [];
  if (typeof value !== 'object') return [`${at}: no object`];
  const known = schema.properties ?? {};
  const missing = (schema.required ?? []).filter((name) => !(name in value)).map((name) => `${at}.${name}: missing`);
  return [...missing, ...Object.entries(value).flatMap(([name, one]) => (known[name] === undefined ? (schema.additionalProperties === false ? [`${at}.${name}: not in the description`] : []) : faults(one, known[name], `${at}.${name}`)))];
}

/** The operation that a request is, and what of it breaks its description. */
function judged(method: string, url: URL, body: unknown): { readonly operation: string; readonly faults: readonly string[] } {
  for (const [template, methods] of Object.entries(SPEC.paths)) {
    const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    if (!new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`, 'i').test(url.pathname)) continue;
    const operation = methods[method.toLowerCase()];
    if (operation === undefined) return { operation: '', faults: [`${template} has no ${method}`] };
    const found: string[] = names.filter((name) => !operation.parameters.some((one) => one.in === 'path' && one.name === name)).map((name) => `${name} is no parameter`);
    const query = operation.parameters.filter((one) => one.in === 'query');
    for (const name of url.searchParams.keys()) if (!query.some((one) => one.name === name)) found.push(`query ${name}: not in the description`);
    for (const { name, required } of query) if (required && !url.searchParams.has(name)) found.push(`query ${name}: missing`);
    if (url.searchParams.get('api-version') !== SPEC.info.version) found.push(`api-version ${url.searchParams.get('api-version')}`);
    const given = operation.parameters.find((one) => one.in === 'body');
    if (given === undefined && body !== undefined) found.push('a body that is not in the description');
    if (given !== undefined) found.push(...(body === undefined ? ['body: missing'] : faults(body, given.schema ?? {}, given.name)));
    return { operation: operation.operationId, faults: found };
  }
  return { operation: '', faults: [`${url.pathname} is not in the description`] };
}

export interface ManagementApi {
  readonly url: string;
  /** For the managed identity: IDENTITY_ENDPOINT. */
  readonly identity: string;
  readonly operations: string[];
  readonly faults: string[];
  readonly plan: { sku: Record<string, unknown>; location: string; kind: string; properties: Record<string, unknown>; tags: Record<string, string> };
  readonly config: Record<string, unknown>;
  /** What the next requests answer instead: a status with a code. */
  refuse: { readonly status: number; readonly code: string; readonly message: string } | undefined;
  /** No identity is turned on: no token is given. */
  noIdentity: boolean;
  close(): Promise<void>;
}

export async function managementApi(): Promise<ManagementApi> {
  const farm = `/subscriptions/${SUBSCRIPTION}/resourceGroups/plans/providers/Microsoft.Web/serverfarms/shop-plan`;
  const state: Omit<ManagementApi, 'url' | 'identity' | 'close'> & { polls: number } = {
    operations: [], faults: [], refuse: undefined, noIdentity: false, polls: 0, config: { autoHealEnabled: false },
    plan: { sku: { name: 'S1', tier: 'Standard', size: 'S1', family: 'S', capacity: 2 }, location: 'West Europe', kind: 'app', properties: { numberOfSites: 3, maximumNumberOfWorkers: 10, reserved: false, perSiteScaling: false }, tags: { team: 'shop' } },
  };
  const shown = (): object => ({ id: farm, name: 'shop-plan', type: 'Microsoft.Web/serverfarms', ...state.plan });
  const answer = (operation: string, body: unknown): readonly [number, object | undefined] => {
    if (/^WebApps_Get(Slot)?$/.test(operation)) return [200, { id: 'x', name: 'shop', location: 'West Europe', properties: { serverFarmId: farm } }];
    if (operation.startsWith('WebApps_Restart')) return [200, undefined];
    if (operation.startsWith('WebApps_UpdateConfiguration')) Object.assign(state.config, (body as { properties: object }).properties);
    if (/^WebApps_(Get|Update)Configuration/.test(operation)) return [200, { id: 'x', name: 'web', properties: state.config }];
    if (operation === 'AppServicePlans_GetServerFarmSkus') return [200, { resourceType: 'Microsoft.Web/serverfarms', skus: [{ sku: { name: 'S1', tier: 'Standard' }, capacity: { minimum: 1, maximum: 10 } }, { sku: { name: 'P1v3', tier: 'PremiumV3' }, capacity: { minimum: 1, maximum: 30 } }] }];
    if (operation !== 'AppServicePlans_CreateOrUpdate') return [200, shown()];
    Object.assign(state.plan.sku, (body as { sku: object }).sku);
    return [202, shown()];
  };
  const api = createServer({ key: readFileSync(join(FIXTURES, 'tls/key.pem')), cert: readFileSync(CA_FILE) }, (req, res) => {
    void read(req).then((text) => {
      const url = new URL(req.url ?? '/', 'https://management.invalid');
      const reply = (status: number, content: object | undefined, headers: Record<string, string> = {}): void => { res.writeHead(status, { 'content-type': 'application/json', ...headers }); res.end(content === undefined ? '' : JSON.stringify(content)); };
      if (req.headers.authorization !== `Bearer ${TOKEN}`) { reply(401, { error: { code: 'InvalidAuthenticationToken', message: 'The access token is missing' } }); return; }
      if (url.pathname === '/poll') { state.polls += 1; reply(state.polls > 1 ? 200 : 202, shown(), state.polls > 1 ? {} : { location: `https://${req.headers.host}/poll?api-version=2025-05-01`, 'retry-after': soon() }); return; }
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      const { operation, faults: found } = judged(req.method ?? '', url, body);
      state.operations.push(operation);
      state.faults.push(...found);
      if (state.refuse !== undefined) { reply(state.refuse.status, { error: { code: state.refuse.code, message: state.refuse.message } }); return; }
      const [status, content] = answer(operation, body);
      reply(status, content, status === 202 ? { location: `https://${req.headers.host}/poll?api-version=2025-05-01`, 'retry-after': soon() } : {});
    });
  });
  const tokens = createTokens((req, res) => {
    const url = new URL(req.url ?? '/', 'http://identity.invalid');
    const good = !state.noIdentity && req.headers['x-identity-header'] === HEADER_SECRET && url.searchParams.get('resource') !== null;
    res.writeHead(good ? 200 : 400, { 'content-type': 'application/json' });
    res.end(JSON.stringify(good ? { access_token: TOKEN, expires_on: String(Math.floor(Date.now() / 1_000) + 86_000), resource: url.searchParams.get('resource'), token_type: 'Bearer' } : { error: 'invalid_request' }));
  });
  const [port, tokenPort] = [await listening(api), await listening(tokens as unknown as Server)];
  return Object.assign(state, { url: `https://localhost:${port}`, identity: `http://127.0.0.1:${tokenPort}/msi/token`, close: async () => { for (const one of [api, tokens]) { one.close(); one.closeAllConnections(); } } });
}

/** A time instead of seconds: less than one of these can be said so. */
const soon = (): string => new Date(Date.now() + 1_000).toUTCString();

async function read(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  return (server.address() as AddressInfo).port;
}
