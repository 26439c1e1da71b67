// Owns who we are: site, instance, machine and plan, from App Service's variables or, elsewhere, from the machine itself.
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { basename, resolve } from 'node:path';
import type { AppInfo } from '../shared/model.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** Folder names that say nothing about the site. */
const NAMELESS = new Set(['', 'home', 'root', 'tmp']);

/** The full id has 64 hexadecimal digits; its first six are what the portal, Kudu and the log file names show. */
const INSTANCE_LETTERS = 6;

export function appInfo(env: Env, home: string, os: string): AppInfo {
  const machine = said(env, 'COMPUTERNAME') ?? hostname();
  const runtime = runtimeOf(env);
  const hostName = said(env, 'WEBSITE_HOSTNAME');
  const plan = said(env, 'WEBSITE_SKU');
  return {
    site: said(env, 'WEBSITE_SITE_NAME') ?? siteOf(home),
    instance: instanceOf(env, machine),
    machine,
    os,
    ...(hostName === undefined ? {} : { hostName }),
    ...(plan === undefined ? {} : { plan }),
    ...(runtime === undefined ? {} : { runtime }),
  };
}

function said(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === '' ? undefined : value;
}

function siteOf(home: string): string {
  const name = basename(resolve(home));
  return NAMELESS.has(name) || name.startsWith('.') ? hostname() : name;
}

function instanceOf(env: Env, machine: string): string {
  // The id becomes part of folder and file names: anything but letters and digits is hashed away.
  const given = said(env, 'WEBSITE_INSTANCE_ID')?.slice(0, INSTANCE_LETTERS).toLowerCase();
  if (given !== undefined && /^[a-z0-9]+$/.test(given)) return given;
  return createHash('sha256').update(said(env, 'WEBSITE_INSTANCE_ID') ?? machine).digest('hex').slice(0, INSTANCE_LETTERS);
}

/** Only what the platform says; what really runs is seen in the process list. */
function runtimeOf(env: Env): string | undefined {
  const stack = said(env, 'WEBSITE_STACK');
  if (stack !== undefined) return [stack, said(env, 'WEBSITE_STACK_VERSION')].filter((part) => part !== undefined).join(' ');
  const node = said(env, 'WEBSITE_NODE_DEFAULT_VERSION');
  if (node !== undefined) return `Node ${node.replace(/^~/, '')}`;
  const php = said(env, 'PHP_VERSION');
  return php === undefined ? undefined : `PHP ${php}`;
}
