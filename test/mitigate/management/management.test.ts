// Owns the tests of the management API with its makers' real packages against a server that checks each request by the published description.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { platformHealOf } from '../../../src/agent/platform-heal.ts';
import { managementOf } from '../../../src/agent/management.ts';
import { scaleHand } from '../../../src/mitigate/hands/scale.ts';
import type { Management } from '../../../src/mitigate/management/management.ts';
import type { FiringContext } from '../../../src/mitigate/rules/firing.ts';
import type { AutoHealRules } from '../../../src/shared/auto-heal.ts';
import type { Change } from '../../../src/shared/model.ts';
import { ActionStep } from '../../../src/shared/rules.ts';
import type { Parts } from '../../../src/agent/agent.ts';
import { fakePlatform } from '../../support/fake-platform.ts';
import { CA_FILE, HEADER_SECRET, SUBSCRIPTION, managementApi, type ManagementApi } from '../../support/management-api.ts';

const NEVER = new AbortController().signal;
const mask = (text: string): string => text.replaceAll(HEADER_SECRET, '***');
let api: ManagementApi;
before(async () => {
  api = await managementApi();
  process.env['IDENTITY_ENDPOINT'] = api.identity;              // the identity package reads these itself, as App Service sets them
  process.env['IDENTITY_HEADER'] = HEADER_SECRET;
});
after(async () => { delete process.env['IDENTITY_ENDPOINT']; delete process.env['IDENTITY_HEADER']; await api.close(); });
beforeEach(() => { api.refuse = undefined; api.operations.length = 0; api.plan.sku = { name: 'S1', tier: 'Standard', size: 'S1', family: 'S', capacity: 2 }; });

const ENV = { WEBSITE_OWNER_NAME: `${SUBSCRIPTION}+shop-WestEuropewebspace`, WEBSITE_RESOURCE_GROUP: 'shops', WEBSITE_SITE_NAME: 'shop', DIAG_SCALE_MAX: '4', DIAG_MANAGEMENT_CA: CA_FILE };
const of = (more: Record<string, string> = {}): Promise<Management> => managementOf({ ...ENV, DIAG_MANAGEMENT: 'identity', DIAG_MANAGEMENT_ENDPOINT: api.url, ...more }, mask);
const asked = (): readonly string[] => { assert.deepEqual(api.faults, []); return api.operations; };

test('it is off until it is configured, and says how', async () => {
  for (const [env, why] of [[ENV, /DIAG_MANAGEMENT=identity/], [{ DIAG_MANAGEMENT: 'cli' }, /DIAG_MANAGEMENT_SUBSCRIPTION, DIAG_MANAGEMENT_GROUP, DIAG_MANAGEMENT_SITE are missing/], [{ ...ENV, DIAG_MANAGEMENT: 'identity', DIAG_MANAGEMENT_ENDPOINT: 'http://127.0.0.1:1' }, /such as https/], [{ ...ENV, DIAG_MANAGEMENT: 'identity', DIAG_MANAGEMENT_SITE: '../other' }, /DIAG_MANAGEMENT_SITE/], [{ ...ENV, DIAG_MANAGEMENT: 'identity', DIAG_SCALE_MIN: '5' }, /above/]] as const) {
    const management = await managementOf(env, mask);
    assert.match(management.offer().because ?? '', why);
    await assert.rejects(management.restart(NEVER), { code: 'CAPABILITY_MISSING' });
  }
});

test('the site is restarted; a slot is a slot', async () => {
  await (await of()).restart(NEVER);
  await (await of({ WEBSITE_SLOT_NAME: 'staging' })).restart(NEVER);
  await (await of({ WEBSITE_SLOT_NAME: 'Production' })).restart(NEVER);
  assert.deepEqual(asked(), ['WebApps_Restart', 'WebApps_RestartSlot', 'WebApps_Restart']);
});

test('auto-heal is read and written in the API\'s own form', async () => {
  const management = await of();
  assert.deepEqual(await management.autoHeal(), { enabled: false });
  const rules = { triggers: { privateBytesInKB: 1_500_000, statusCodes: [{ status: 502, subStatus: 3, win32Status: 12_030, count: 10, timeInterval: '00:05:00', path: '/cart' }], slowRequestsWithPath: [{ timeTaken: '00:00:30', count: 5, timeInterval: '00:01:00', path: '/pay' }], statusCodesRange: [{ statusCodes: '500-503', count: 20, timeInterval: '00:01:00' }] }, actions: { actionType: 'CustomAction', customAction: { exe: 'D:\\home\\x.exe', parameters: '-a "b c"' }, minProcessExecutionTime: '00:10:00' } };
  assert.deepEqual(await management.setAutoHeal({ enabled: true, rules }), { enabled: true, rules });
  assert.deepEqual(await management.autoHeal(), { enabled: true, rules });
  assert.deepEqual(asked(), ['WebApps_GetConfiguration', 'WebApps_UpdateConfiguration', 'WebApps_GetConfiguration']);
});

test('auto-heal of the platform is shown with its notes, compared, written against what was read, audited and marked; what is not of the known form is told', async () => {
  const audited: string[] = [], published: Change[] = [], ended: number[] = [];
  const platform = await fakePlatform({});
  const processes = await platform.processes(NEVER);
  const heal = platformHealOf({ platform, observed: { processes: () => processes, publish: (change: Change) => { published.push(change); } } as unknown as Parts['observed'], audit: async (...words) => { audited.push(words.join(' ')); } }, await of(), ({ pid }) => { ended.push(pid); });
  Object.assign(api.config, { autoHealEnabled: false, autoHealRules: undefined });
  const rules: AutoHealRules = { triggers: { statusCodesRange: [{ statusCodes: '500-503', count: 20, timeInterval: '00:05:00' }] }, actions: { actionType: 'Recycle', minProcessExecutionTime: '00:10:00' } };
  const first = await heal.view();
  assert.deepEqual([first.offer.yes, first.enabled, first.rules, first.notes], [true, false, {}, []]);
  const check = await heal.check(rules);
  assert.deepEqual([check.changes, check.etag === first.etag, check.diff.added > 5], [true, true, true]);
  await assert.rejects(heal.write(rules, 'older', 'anna'), { code: 'AUTO_HEAL_CHANGED' });
  await assert.rejects(heal.write({ triggers: rules.triggers }, check.etag, 'anna'), { code: 'AUTO_HEAL_BAD' });
  assert.deepEqual([(await heal.write(rules, check.etag, 'anna')).changed, published.map(({ kind }) => kind), ended.length > 0], [true, ['configuration'], true]);
  const after = await heal.view();
  assert.deepEqual([after.enabled, after.rules], [true, rules]);
  assert.deepEqual([(await heal.write(rules, after.etag ?? '', 'anna')).changed, published.length], [false, 1]);
  assert.deepEqual(audited, ['anna set auto-heal management API before: {}', 'anna set auto-heal management API nothing to change']);
  Object.assign(api.config, { autoHealEnabled: true, autoHealRules: { triggers: { privateBytesInKB: 'much' } } });
  assert.match((await heal.view()).unreadable ?? '', /privateBytesInKB/);
  await assert.rejects(heal.write(rules, after.etag ?? '', 'anna'), { code: 'AUTO_HEAL_UNREADABLE' });
  Object.assign(api.config, { autoHealEnabled: false, autoHealRules: undefined });
  await platform.remove();
  asked();
});

test('what a change costs is said before, without a made-up price, and nothing is changed by the question', async () => {
  const management = await of();
  const { plan, sku, instances, sites, least, most, planMost, cost } = await management.judge({ instances: 3 });
  assert.deepEqual([plan, sku, instances, sites, least, most, planMost], ['shop-plan', 'S1', 2, 3, 1, 4, 10]);
  assert.equal(cost, 'it then costs 1.5 times what it costs now: the price of one S1 in West Europe × 3 instead of × 2 (prices are not known here)');
  assert.match((await management.judge({ sku: 'P1v3' })).cost ?? '', /price of one P1v3 in West Europe × 2 instead of that of one S1 × 2: prices are not known here/);
  assert.ok(!asked().includes('AppServicePlans_CreateOrUpdate'));
});

test('the plan is scaled out and up, and keeps all else that it has', async () => {
  const management = await of();
  assert.match(await management.scale({ instances: 4 }, NEVER), /^the plan shop-plan goes from 2 × S1 to 4 × S1; it then costs 2 times/);
  assert.equal(api.plan.sku['capacity'], 4);
  assert.match(await management.scale({ sku: 'P1v3', instances: 1 }, NEVER), /to 1 × P1v3/);
  assert.deepEqual([api.plan.sku['name'], api.plan.sku['capacity'], api.plan.tags], ['P1v3', 1, { team: 'shop' }]);
  assert.match(await management.scale({ instances: 1 }, NEVER), /already$/);
  assert.equal(asked().filter((one) => one === 'AppServicePlans_CreateOrUpdate').length, 2);
});

for (const [change, why] of [[{ instances: 5 }, /outside 1 to 4/], [{ sku: 'P3v9' }, /cannot become P3v9; it can be S1, P1v3/]] as const) {
  test(`a change beyond the limits is refused and not sent: ${JSON.stringify(change)}`, async () => {
    await assert.rejects((await of()).scale(change, NEVER), { code: 'SCALE_REFUSED', message: why });
    assert.ok(!asked().includes('AppServicePlans_CreateOrUpdate'));
  });
}

test('more than the SKU has is refused even where the settings allow it', async () => {
  await assert.rejects((await of({ DIAG_SCALE_MAX: '20' })).scale({ instances: 11 }, NEVER), { code: 'SCALE_REFUSED', message: /S1 has at most 10/ });
});

test('a rule scales by its step, never beyond its own most, and tells what it did', async () => {
  const management = await of();
  const audited: string[] = [];
  const hand = scaleHand({ scaleBy: (by, most, signal) => management.scaleBy(by, most, signal), audit: async (...words) => { audited.push(words.join('; ')); } });
  const on = { fired: { rule: 'busy', condition: 'CPU 95 %' }, before: [], signal: NEVER } as unknown as FiringContext;
  const step = ActionStep.parse({ type: 'scale', by: 2, most: 3 });
  assert.match((await hand.run(step, on)).says ?? '', /from 2 × S1 to 3 × S1/);
  assert.match((await hand.run(step, on)).says ?? '', /^3 instances run already: the limit of 3 holds$/);
  assert.match((await hand.run(ActionStep.parse({ type: 'scale', by: -9, most: 3 }), on)).says ?? '', /to 1 × S1/);
  assert.match(audited[0] ?? '', /^rule busy; by 2, at most 3: CPU 95 %; the plan/);
  assert.equal(hand.after, undefined);
  asked();
});

for (const [status, code, next] of [[403, 'AuthorizationFailed', /Website Contributor/], [404, 'ResourceNotFound', /DIAG_MANAGEMENT_SUBSCRIPTION/], [409, 'Conflict', /under way/]] as const) {
  test(`an answer of ${status} is told with its code and the next step, and no secret`, async () => {
    api.refuse = { status, code, message: `no, not with ${HEADER_SECRET}` };
    await assert.rejects((await of()).restart(NEVER), (error: Error & { code: string; next: string }) => {
      assert.deepEqual([error.code, error.message.includes(HEADER_SECRET)], ['MANAGEMENT_FAILED', false]);
      assert.match(error.message, new RegExp(`it answered ${status} ${code}: no, not with`));
      assert.match(error.next, next);
      return true;
    });
  });
}

test('an identity that is refused says how to turn one on', async () => {
  api.noIdentity = true;
  const management = await of({ DIAG_MANAGEMENT_CLIENT_ID: '99999999-2222-4333-8444-555555555555' });   // another identity: no token of an earlier test is at hand
  await assert.rejects(management.restart(NEVER), (error: Error & { code: string; next: string }) => { assert.equal(error.code, 'MANAGEMENT_FAILED'); assert.match(error.next, /managed identity/); return true; });
  api.noIdentity = false;
});
