// Owns where the preload stays out: the SCM site, package and build tools, evaluations, threads, and where there is nowhere to report to.

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
  readonly isMainThread: boolean;
}

const TOOLS = /(?:^|[\\/])(?:npm|npx|yarn|yarnpkg|pnpm|pnpx|corepack|nodemon|tsc|tsserver|webpack|webpack-cli|rollup|esbuild|swc|babel|parcel|vite|gulp|grunt|jest|mocha|vitest|ava|tap|nyc|c8|eslint|prettier|node-gyp|node-pre-gyp|prebuild-install|nx|turbo|lerna|husky|kudusync|zx|rimraf)(?:-cli|-bin)?(?:\.[cm]?js)?$/i;
/** Programs that build as well as serve: their second word says which. */
const BUILDS = /^(?:build|export|generate|lint|test|info|telemetry|prepare)$/;
const BUILDERS = /(?:^|[\\/])(?:next|nuxt|nuxi|remix|astro|gatsby|ng|nest|react-scripts|vue-cli-service|prisma|typeorm|sequelize|knex)(?:\.[cm]?js)?$/i;
const DAEMONS = /[\\/]pm2[\\/]lib[\\/](?:Daemon|God)|[\\/]SiteExtensions[\\/]|[\\/]KuduScript[\\/]|[\\/]oryx/i;
/** Scripts of npm that run while a site is built or tested, not while it serves. */
const SCRIPTS = /^(?:(?:pre|post)?(?:install|uninstall|prepare|publish|publishOnly|pack|build|test|lint|format|compile|rebuild|version)|prestart|postinstall|dependencies)(?:[:-].*)?$/;

const OFF = /^(?:off|0|false|no)$/i;

/** Why nothing is to be done in this process; undefined: it may be an app. */
export function reasonToStayOut({ env, argv, isMainThread }: Surroundings): string | undefined {
  if (!isMainThread) return 'a worker thread';
  if (OFF.test(env['DIAG_PRELOAD'] ?? '')) return 'DIAG_PRELOAD';
  if ([env['APP_POOL_ID'], env['WEBSITE_IIS_SITE_NAME']].some((name) => name?.startsWith('~1') === true)) return 'the SCM site';
  if ((env['WEBJOBS_NAME'] ?? '') !== '') return 'a WebJob';
  if (homeOf(env) === undefined) return 'nowhere to report to';
  if (env['NODE_TEST_CONTEXT'] !== undefined) return 'a test';
  if (SCRIPTS.test(env['npm_lifecycle_event'] ?? '')) return 'a script of npm';
  const program = argv[1];
  if (program === undefined) return 'no program';
  if (TOOLS.test(program) || DAEMONS.test(program)) return 'a tool';
  if (BUILDERS.test(program) && BUILDS.test(argv[2] ?? '')) return 'a build';
  return undefined;
}

export type DriverChannels = 'none' | 'harmless' | 'all';

/** Which channels of database drivers are heard: with some of them a driver swallows errors that would end the app, so those must be asked for. */
export function driverChannelsOf(env: Surroundings['env']): DriverChannels {
  const said = env['DIAG_PRELOAD_DRIVERS'] ?? '';
  return OFF.test(said) ? 'none' : /^all$/i.test(said) ? 'all' : 'harmless';
}

/** The home as the agent has it: DIAG_HOME where it is given, on App Service its HOME. Its parts are the agent's: config.ts. */
export function homeOf(env: Surroundings['env']): string | undefined {
  if (env['DIAG_HOME']) return env['DIAG_HOME'];
  if (!env['WEBSITE_SITE_NAME']) return undefined;
  return env['HOME'] !== undefined && /^(?:[A-Za-z]:[\\/]|\/)home\b/i.test(env['HOME']) ? env['HOME'] : env['HOME'] === '/root' ? '/home' : env['HOME'];
}
