// Owns the environment of a shell: what the site's app has, without what belongs to the agent or to the app's process alone.

type Env = Readonly<Record<string, string | undefined>>;

/** Ours, and iisnode's and Node's words to this very process. */
const OWN = /^(DIAG_|IISNODE_|NODE_CHANNEL_|NODE_UNIQUE_ID$|NODE_OPTIONS$|WEBJOBS_|PORT$|LAUNCHER_)/i;
/** Words to the app's process: its port would be taken, its preload would tell of every command. */
const APPS = /^(DIAG_|NODE_OPTIONS$|NODE_CHANNEL_|NODE_UNIQUE_ID$|IISNODE_|PORT$|HTTP_PLATFORM_PORT$|ASPNETCORE_(PORT|TOKEN)$|PWD$|OLDPWD$|SHLVL$|_$|TERM$|COLUMNS$|LINES$)/i;

/** `app`: the variables of the worker, where they can be read. UTF-8 is asked for where nobody says otherwise: the page shows nothing else. */
export function shellEnvironment(own: Env, app: readonly { readonly name: string; readonly value: string }[], site: { readonly home: string }): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) if (value !== undefined && !OWN.test(name)) env[name] = value;
  const names = new Map(Object.keys(env).map((name) => [name.toUpperCase(), name]));
  for (const { name, value } of app) {
    if (APPS.test(name)) continue;
    const known = names.get(name.toUpperCase());               // Windows knows one name in any case, Linux has hardly two
    if (known !== undefined && known !== name) delete env[known];
    env[name] = value;
  }
  if (!Object.keys(env).some((name) => /^(LANG|LC_ALL|LC_CTYPE)$/i.test(name))) env['LANG'] = 'C.UTF-8';
  env['HOME'] ??= site.home;
  return env;
}
