// Owns which service a host is that the app calls: as the preload says it, by the names that Azure gives its services, or by the port.
import { SERVICE_PORTS } from '../../shared/service-ports.ts';
import type { Scene } from '../events/scene.ts';
import { sameHost } from './same-host.ts';

/** Ends of names below which Azure puts one service each. */
const AZURE: readonly (readonly [string, string])[] = [
  ['.database.windows.net', 'Azure SQL'], ['.mysql.database.azure.com', 'MySQL'], ['.postgres.database.azure.com', 'PostgreSQL'], ['.redis.cache.windows.net', 'Redis'], ['.redis.azure.net', 'Redis'],
  ['.mongo.cosmos.azure.com', 'MongoDB'], ['.mongocluster.cosmos.azure.com', 'MongoDB'], ['.documents.azure.com', 'Cosmos DB'], ['.servicebus.windows.net', 'Service Bus or Event Hubs'], ['.vault.azure.net', 'Key Vault'],
  ['.blob.core.windows.net', 'Blob Storage'], ['.queue.core.windows.net', 'Queue Storage'], ['.table.core.windows.net', 'Table Storage'], ['.file.core.windows.net', 'Azure Files'], ['.search.windows.net', 'AI Search'], ['.azconfig.io', 'App Configuration'],
];

/** Undefined: it is not known. `host`: "db.internal:3306", "https://shop.vault.azure.net", "[::1]:6379". */
export function serviceOf(scene: Scene, host: string): string | undefined {
  const told = new Set(scene.inside.dependencies.flatMap((d) => (d.service !== undefined && sameHost(host, d.host) ? [d.service] : [])));
  const [only] = told;
  const general = told.size === 1 ? only : undefined;
  const plain = host.replace(/^\w+:\/\//, '').replace(/\/.*$/, '').toLowerCase();
  const name = plain.replace(/:\d+$/, ''), port = Number(/:(\d{1,5})$/.exec(plain)?.[1]);
  return AZURE.find(([end]) => name.endsWith(end))?.[1] ?? general ?? (/^https?:/i.test(host) ? undefined : SERVICE_PORTS[port]);
}

/** "MySQL at db.internal:3306"; the host alone where the service is not known. `as`: how the host is written. */
export function serviceAt(scene: Scene, host: string, as: (host: string) => string = (text) => text): string {
  const service = serviceOf(scene, host);
  return service === undefined ? as(host) : `${service} at ${as(host)}`;
}
