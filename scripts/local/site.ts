// Owns the identity App Service gives to the processes of a site: the variables of its worker and of its SCM site.
import { delimiter, join } from 'node:path';
import type { Home } from './home.ts';

export interface Site {
  readonly name: string;
  readonly hostname: string;
}

type Variables = Record<string, string>;

/**
 * The launcher's own variables without what tells of the way it was started: npm's, the test runner's, and the agent's
 * settings, whose token the app must never see.
 */
function inherited(from: NodeJS.ProcessEnv): Variables {
  const kept: Variables = {};
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined || /^(npm_|NODE_TEST_CONTEXT$|INIT_CWD$|DIAG_|LOCAL_|WEBSITE_)/i.test(name)) continue;
    kept[name] = value;
  }
  return kept;
}

function identity(home: Home, site: Site): Variables {
  return {
    HOME: home.root,
    WEBSITE_SITE_NAME: site.name,
    WEBSITE_HOSTNAME: site.hostname,
    WEBSITE_INSTANCE_ID: home.instance.id,
    WEBSITE_SKU: 'Standard',
    WEBSITE_COMPUTE_MODE: 'Dedicated',
    COMPUTERNAME: home.instance.computer,
    REGION_NAME: 'Local',
  };
}

/** What the app's worker sees. `PORT` is where it is to listen. */
export function workerVariables(home: Home, site: Site, app: string, port: number, from: NodeJS.ProcessEnv): Variables {
  const base = inherited(from);
  return {
    ...base,
    ...identity(home, site),
    PATH: [join(app, 'node_modules', '.bin'), base['PATH'] ?? ''].join(delimiter), // a start line may name the app's own programs
    PORT: String(port),
    HTTP_PLATFORM_PORT: String(port),
    WEBSITE_IIS_SITE_NAME: site.name,
    APP_POOL_ID: site.name,
  };
}

/** What the agent sees: the same site from its SCM side, and the settings that tell it how to be run here. */
export function agentVariables(home: Home, site: Site, port: number, token: string | undefined, from: NodeJS.ProcessEnv): Variables {
  const own = Object.entries(from).filter((entry): entry is [string, string] => entry[0].startsWith('DIAG_') && entry[1] !== undefined);
  return {
    ...inherited(from),
    DIAG_SITE_URL: `http://${site.hostname}`, // probes ask the site itself, which is this machine
    DIAG_ALLOW_LOOPBACK: '1',
    ...Object.fromEntries(own),
    ...identity(home, site),
    PORT: String(port),
    WEBSITE_IIS_SITE_NAME: `~1${site.name}`,
    APP_POOL_ID: `~1${site.name}`,
    ...(token === undefined ? {} : { DIAG_TOKEN: token }),
    DIAG_LISTEN_HOST: '127.0.0.1',
    DIAG_END_WITH_STDIN: '1',
  };
}
