// Owns the canned auto-heal of the stage: a web.config of an iisnode app with rules, its notes, a difference, backups, a trial.
import type { AutoHealCheck, AutoHealView, ConvertedView, PlatformHealView, WouldFire } from '../../src/shared/auto-heal.ts';
import { toBicep } from '../../src/mitigate/auto-heal/bicep.ts';
import { toRules } from '../../src/mitigate/auto-heal/convert.ts';
import { lineDiff } from '../../src/mitigate/auto-heal/line-diff.ts';
import { notesFor, openWebConfig, withRules } from '../../src/mitigate/auto-heal/web-config.ts';
import { T } from './stage-data.ts';

const TEXT = `<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <system.webServer>
    <iisnode watchedFiles="web.config" />
    <monitoring>
      <triggers>
        <memory privateBytesInKB="1258291" />
        <statusCode>
          <add statusCode="502" subStatusCode="3" win32StatusCode="0" count="10" timeInterval="00:05:00" />
        </statusCode>
      </triggers>
      <actions value="Recycle" />
    </monitoring>
  </system.webServer>
</configuration>
`;
const config = openWebConfig(Buffer.from(TEXT));
const { rules } = config.read;
const more = { ...rules, triggers: { ...rules.triggers, slowRequests: { timeTaken: '00:01:00', count: 10, timeInterval: '00:05:00' } } };
const diff = lineDiff(TEXT, Buffer.from(withRules(config, more) ?? []).toString());
const backup = { id: '20261121T011407123-0f8fad5b', at: T - 3_600_000, file: '/home/site/wwwroot/web.config', sha256: 'a'.repeat(64), bytes: TEXT.length, existed: true, why: 'before auto-heal was set by someone' };

export function view(empty: boolean): AutoHealView {
  const shared = { file: '/home/site/wwwroot/web.config', etag: empty ? 'none' : 'a'.repeat(32), exists: !empty };
  return empty ? { ...shared, enabled: false, rules: {}, notes: [], backups: [] } : { ...shared, encoding: 'utf-8', enabled: true, rules, notes: notesFor(config, rules, TEXT.length), backups: [backup] };
}
export const check: AutoHealCheck = { etag: 'a'.repeat(32), rules: more, changes: true, notes: notesFor(config, more, TEXT.length), unsaid: [], refused: [], diff };
export const compared = { backup, etag: 'a'.repeat(32), diff };
export const tried: WouldFire = { from: T - 86_400_000, to: T, triggers: [{ on: 'statusCodes.0', says: '10 answers 502.3 within 5 min', firedCount: 2, fired: [{ at: T - 7_200_000, says: '10 within 5 min' }, { at: T - 600_000, says: '10 within 5 min' }], note: 'After the first recycle the load might have gone on differently.' }, { on: 'privateBytesInKB', says: '1258291 KB of private bytes', firedCount: 0, fired: [] }] };
export const converted: ConvertedView = { ...toRules(rules), bicep: toBicep(rules, 'shop') };

export const platform = (empty: boolean): PlatformHealView => (empty
  ? { offer: { yes: false, because: 'the management API is off; DIAG_MANAGEMENT=identity (the managed identity of the app) or cli (az login) turns it on' }, notes: [] }
  : { offer: { yes: true }, enabled: true, rules: { triggers: { statusCodesRange: [{ statusCodes: '500-503', count: 20, timeInterval: '00:05:00' }] }, actions: { actionType: 'Recycle', minProcessExecutionTime: '00:10:00' } }, etag: 'a1', notes: [] });
