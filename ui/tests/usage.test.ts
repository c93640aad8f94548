import { waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { server, serverList, wireError } from '../src/host/fake';
import {
  budgetState,
  reading,
  search,
  usageForecast,
  usageRank,
  usageServer,
  usageSource,
  usageSpent,
  usageSummary,
  usageTimeline,
  waste,
  wasted,
} from '../src/host/fakeUsage';
import type { Budget, UsageAsk, UsageTop } from '../src/host/generated';
import { daysOf, dayOf, monthDays, readDay } from '../src/screens/usage/period';
import { fieldsOf, profileOf, textsOf, wrong } from '../src/screens/usage/searchProfile';
import { ticks } from '../src/parts/charts/scale';
import { searchProfile } from '../src/host/fakeUsage';
import { NOW } from './setup';
import { open, part, parts, text } from './open';

async function usage(answers: Parameters<typeof open>[0] = {}) {
  const opened = await open(answers);
  await opened.user.click(await part('nav-usage'));
  return opened;
}

/** What has to be there. */
function there<T>(some: T | null | undefined): T {
  if (some === null || some === undefined) throw new Error('it is not there');
  return some;
}

const figure = (id: string) => document.querySelector<HTMLElement>(`[data-testid="usage-figure"][data-figure="${id}"]`);

it('shows the figures of this month in Shanghai, each with the period before', async () => {
  const { host } = await usage();
  await part('usage-overview');
  expect(host.requests('usage.summary')[0]).toEqual({
    from: '2025-11-01',
    to: '2025-11-24',
    cut: { owners: [], flavors: [], regions: [], purposes: [], templates: [], currency: null },
  });
  expect(figure('cost')?.dataset['value']).toBe('102.345678');
  expect(text(figure('cost') ?? document.body)).toBe('Cost Estimate ¥102.35 +104.7%, before ¥50.00');
  expect(text(figure('servers') ?? document.body)).toContain('5');
  expect(text(await part('usage-source-line'))).toContain('This installation 42 events, taken 14:05 today');
});

it('says what the figures leave out', async () => {
  await usage({
    'usage.summary': (ask: UsageAsk) =>
      usageSummary(ask, {
        total: usageSpent({ unpricedHours: '12.500000' }),
        assumedEnds: 3,
        otherMoney: [{ amount: '4.2', currency: 'USD' }],
        sources: [usageSource(), usageSource({ name: 'platform', takenAt: null, complete: false })],
      }),
  });
  const remarks = text(await part('usage-remarks'));
  expect(remarks).toContain('12.5 h without a known price');
  expect(remarks).toContain('3 servers was told by nobody');
  expect(remarks).toContain('$4.20 in another currency');
  expect(text(await part('usage-source-line'))).toContain('Data platform 42 events, never taken, not complete');
});

it('goes on asking while new events are being counted', async () => {
  let asked = 0;
  const { host } = await usage({
    'usage.summary': (ask: UsageAsk) => usageSummary(ask, { counting: ++asked === 1 }),
  });
  await waitFor(() => expect(host.requests('usage.summary')).toHaveLength(2), { timeout: 4000 });
  expect(parts('usage-remarks')).toHaveLength(0);
});

it('greets whoever has no usage yet, and says where everybody’s events come from', async () => {
  const { user } = await usage({
    'usage.summary': (ask: UsageAsk) => usageSummary(ask, { sources: [usageSource({ events: 0 })] }),
  });
  await waitFor(() => expect(text(document.body)).toContain('No usage yet'));
  await user.click(
    there([...document.querySelectorAll('button')].find((one) => text(one) === "Read everybody's events")),
  );
  await part('usage-sources');
});

it('shows what is wrong with the ledger, and asks again', async () => {
  let broken = true;
  const { user } = await usage({
    'usage.summary': (ask: UsageAsk) => {
      if (broken) throw wireError({ code: 'ledger_failed', sentence: 'The ledger cannot be read.' });
      return usageSummary(ask);
    },
  });
  const box = await part('error-box');
  expect(text(box)).toContain('The ledger cannot be read.');
  broken = false;
  await user.click(there(box.querySelector('button')));
  await part('usage-overview');
});

it('goes from a month to an owner to a server to its events, and back', async () => {
  const { user, host } = await usage();
  await user.selectOptions(await part('usage-period'), 'months_12');
  await waitFor(() => expect(parts('usage-months-chart-column')).toHaveLength(12));
  const october = there(
    document.querySelector<SVGElement>('[data-testid="usage-months-chart-column"][data-key="2025-10"]'),
  );
  expect(october.getAttribute('aria-label')).toContain('Oct 2025: ¥8.53');
  await user.click(october);
  await waitFor(() =>
    expect(host.requests('usage.summary').at(-1)).toMatchObject({ from: '2025-10-01', to: '2025-10-31' }),
  );
  await waitFor(async () => expect((await part('usage-overview')).dataset['from']).toBe('2025-10-01'));
  await user.click(there(document.querySelector<HTMLElement>('[data-testid="usage-rank"][data-key="user-ada"]')));
  await waitFor(() =>
    expect(host.requests('usage.timeline').at(-1)).toMatchObject({
      from: '2025-10-01',
      cut: { owners: ['user-ada'] },
      limit: 500,
    }),
  );
  await user.click(there(await waitFor(() => parts('usage-row')[0])));
  expect((await part('usage-event')).dataset['action']).toBe('server.created');
  expect(host.requests('usage.events')).toEqual([{ server: '4f4b3dfa-eb70-47cf-a60a-998a53bd6666' }]);
  const trail = await part('usage-trail');
  expect(text(trail)).toBe('Last 12 months Oct 2025 Oct 2025 · \u2068ada\u2069');
  await user.click(there(trail.querySelector('button')));
  await waitFor(() => expect(parts('usage-trail')).toHaveLength(0));
  expect((await part<HTMLSelectElement>('usage-period')).value).toBe('months_12');
}, 20_000);

it('keeps which days and which part were asked about', async () => {
  const first = await usage();
  await first.user.selectOptions(await part('usage-period'), 'days_30');
  await first.user.click(await part('usage-filter-owners'));
  await first.user.click(
    there(document.querySelector<HTMLElement>('[data-testid="usage-choice"][data-word="user-bo"]')),
  );
  await waitFor(() =>
    expect(first.host.requests('usage.summary').at(-1)).toMatchObject({
      from: '2025-10-26',
      cut: { owners: ['user-bo'] },
    }),
  );
  document.body.innerHTML = '';
  const second = await usage();
  await waitFor(() =>
    expect(second.host.requests('usage.summary')[0]).toMatchObject({
      from: '2025-10-26',
      to: '2025-11-24',
      cut: { owners: ['user-bo'] },
    }),
  );
}, 20_000);

it('keeps a day that is being typed while the clock goes on', async () => {
  const { user } = await usage();
  const from = await part<HTMLInputElement>('usage-from');
  await user.clear(from);
  await user.type(from, '2025-1');
  await new Promise((done) => setTimeout(done, 1300));
  expect(from.value).toBe('2025-1');
});

it('has a table behind each picture', async () => {
  const { user } = await usage();
  for (const [card, rows] of [
    ['usage-months', 1],
    ['usage-days', 24],
    ['usage-week', 24],
  ] as const) {
    await user.click(await part(`${card}-table`));
    const table = (await part(card)).querySelector('table');
    expect(table?.querySelectorAll('tbody tr'), card).toHaveLength(rows);
  }
  const cells = (await part('usage-months')).querySelectorAll('tbody th, tbody td');
  expect([...cells].map(text)).toEqual(['Nov 2025', '¥102.35', '¥80.00', '¥12.35', '¥10.00']);
});

it('shows what bills say beside the estimate, in no sum of it, and reads them on a wish', async () => {
  let read = false;
  const bill = { month: '2025-11', isFinal: false, asOf: '2025-11-24T06:05:31Z', billed: '120.5', traffic: '18.1' };
  const { user, host } = await usage({
    'usage.summary': (ask: UsageAsk) =>
      usageSummary(ask, read ? { bills: { months: [bill], billed: '120.5', traffic: '18.1', currency: 'CNY' } } : {}),
    'usage.read_bills': () => {
      read = true;
      return { read: 1, kept: 0 };
    },
  });
  expect(text(await part('usage-bills'))).toContain('none of these months');
  await user.click(await part('usage-read-bills'));
  await waitFor(async () => expect((await part('usage-bills')).dataset['months']).toBe('1'));
  expect(host.requests('usage.read_bills')).toMatchObject([{ from: '2025-11-01', to: '2025-11-24' }]);
  expect(text(await part('usage-bills'))).toMatch(/come to ¥120.50, of which ¥18.10 for traffic.*Not final: Nov 2025/);
  expect(figure('cost')?.dataset['value'], 'the estimate is what it was').toBe('102.345678');
  await user.click(await part('usage-months-table'));
  const cells = (await part('usage-months')).querySelectorAll('tbody th, tbody td');
  expect([...cells].map(text)).toEqual(['Nov 2025', '¥102.35', '¥80.00', '¥12.35', '¥10.00', '¥18.10', '¥120.50']);
});

it('ranks by what it is asked for, with the rest in one line that leads nowhere', async () => {
  const { user, host } = await usage({
    'usage.summary': (ask: UsageAsk) =>
      usageSummary(ask, {
        templates: [usageRank({ key: 'docker', name: 'docker' }), usageRank({ key: '', name: '', count: 12 })],
      }),
  });
  await user.click(await part('usage-rank-templates'));
  const [first, rest] = parts('usage-rank');
  expect(text(there(rest))).toContain('12 others');
  const before = host.requests('usage.summary').length;
  await user.click(there(rest));
  expect(host.requests('usage.summary')).toHaveLength(before);
  await user.click(there(first));
  await waitFor(() => expect(host.requests('usage.summary').at(-1)).toMatchObject({ cut: { templates: ['docker'] } }));
});

it('reads a long timeline as it is looked at, with only the rows near the view in the document', async () => {
  const { user, host } = await usage({ 'usage.timeline': (top: UsageTop) => usageTimeline(2311, {}, top) });
  await user.click(await part('usage-part-servers'));
  await part('usage-timeline');
  await waitFor(() => expect(parts('usage-row').length).toBeGreaterThan(0));
  expect(parts('usage-row').length).toBeLessThan(60);
  expect(text(document.body)).toContain('2,311 servers');
  const first = there(parts('usage-row')[0]);
  expect(first.getAttribute('aria-label')).toMatch(/ada-dev-1124-k3, ada: ran 1 d 12 h, stopped 12 h/);
  first.focus();
  await user.keyboard('{End}');
  await waitFor(() => expect(document.activeElement?.getAttribute('data-server')).toBe('server-2310'));
  expect(host.requests('usage.timeline').map((one) => (one as UsageTop).skip)).toEqual([0, 2000]);
  expect(document.activeElement?.getAttribute('aria-posinset')).toBe('2311');
});

it('lists the dearest servers page by page', async () => {
  const { user, host } = await usage({
    'usage.servers': ({ skip = 0, limit }: UsageTop) => ({
      servers: Array.from({ length: Math.min(limit, 1200 - skip) }, (_, nth) =>
        usageServer({ server: `server-${skip + nth}`, name: `server-${skip + nth}` }),
      ),
      count: 1200,
      asOf: '2025-11-24T06:05:31Z',
    }),
  });
  await user.click(await part('usage-part-servers'));
  await user.click(await part('usage-show-list'));
  const first = there(await waitFor(() => there(parts('usage-server-row')[0])));
  expect(parts('usage-server-row').length).toBeLessThan(60);
  first.focus();
  await user.keyboard('{End}');
  await waitFor(() => expect(document.activeElement?.getAttribute('data-server')).toBe('server-1199'));
  expect(host.requests('usage.servers').map((one) => (one as UsageTop).skip)).toEqual([0, 1000]);
});

it('shows why and what ends each waste, and leads to the act that asks first', async () => {
  const { user, host } = await usage({
    'servers.list': () => serverList([server({ state: 'stopped', leaseEnd: null })]),
    'usage.waste': () =>
      waste({ items: [wasted()], perMonth: { amount: '102.20', currency: 'CNY' }, sessionsKnown: false }),
  });
  await user.click(await part('usage-part-waste'));
  const item = await part('waste-item');
  expect(text(item)).toContain('stopped without a lease: costs without end');
  expect(text(item)).toContain('¥102.20 a month');
  await user.click(await part('waste-everyone'));
  await waitFor(() => expect(host.requests('usage.waste').at(-1)).toEqual({ whose: 'everyone' }));
  await user.click(await part('waste-delete_server'));
  await part('delete-confirm-name');
  expect(host.requests('servers.delete'), 'nothing is deleted without the name').toEqual([]);
});

it('states method, interval and past error of each forecast, and where too little is known', async () => {
  const { user } = await usage();
  await user.click(await part('usage-part-forecast'));
  await part('forecast-methods');
  const [running, , quarter] = parts('forecast');
  expect(text(there(running))).toBe(
    'This month Nov 2025 ¥131.00 Estimate Four times of five from ¥120.00 to ¥142.00 ¥102.35 so far ' +
      'Worked out: as this month goes Would have been wrong by 8.4% (6 tries)',
  );
  expect(text(there(quarter))).toContain('too little to go by');
  expect(text(there(quarter))).toContain('Cannot be tried on the past yet');
});

it('adds a budget and holds it against what is spent and what will be', async () => {
  const { user, host } = await usage({ 'usage.forecast': () => usageForecast() });
  await user.click(await part('usage-part-forecast'));
  await part('budgets-none');
  await user.click(await part('budget-add'));
  const submit = await part<HTMLButtonElement>('budget-submit');
  expect(submit.disabled, 'no amount yet').toBe(true);
  await user.type(await part('budget-monthly'), '120');
  await user.clear(await part('budget-percentages'));
  await user.type(await part('budget-percentages'), '80, 50，100, 0');
  expect(submit.disabled, 'nothing is said at 0 %').toBe(true);
  await user.clear(await part('budget-percentages'));
  await user.type(await part('budget-percentages'), '100, 50，80');
  await user.click(submit);
  const kept: Budget = budgetState().budget;
  await waitFor(() => expect(host.requests('usage.set_budgets')).toEqual([[kept]]));
  const budget = await part('budget');
  expect(text(budget)).toContain('¥102.35 of ¥120.00');
  expect(text(budget)).toContain('80% reached');
  expect(budget.querySelector('[role="meter"]')?.getAttribute('aria-valuetext')).toBe('85.3% spent, 109.2% expected');
});

it('shows the bill against the estimate with reasons, and who may not see it', async () => {
  const { user, host } = await usage();
  await user.click(await part('usage-part-bill'));
  const reasons = await part('bill-reasons');
  expect(text(reasons)).toBe('The month is not over, or its bill is not final Discounts −¥21.90');
  expect(text(await part('bill-final'))).toContain('Not final');
  host.answer('usage.bill', () => {
    throw wireError({ code: 'not_allowed', sentence: 'This key may not read bills.' });
  });
  await user.selectOptions(await part('bill-month'), '2025-10');
  expect(text(await part('error-box'))).toContain('This key may not read bills.');
  expect(host.requests('usage.bill')).toEqual([{ month: '2025-11' }, { month: '2025-10' }]);
});

it('shows how a pull goes on as it is told, cancels it, and counts anew when it ends', async () => {
  const began = '2025-11-24T06:30:00Z';
  const running = reading({ state: 'running', began, done: 200, ofAll: 1000 });
  const { user, host } = await usage({ 'platform.pull': () => running, 'platform.cancel': () => running });
  await user.click(await part('usage-part-sources'));
  await user.click(await part('reading-pull'));
  expect(text(await part('reading'))).toContain('200 of 1,000');
  host.emit({ kind: 'reading', reading: reading({ ...running, done: 800 }) });
  await waitFor(async () => expect(text(await part('reading'))).toContain('800 of 1,000'));
  await user.click(await part('reading-cancel'));
  expect(host.requests('platform.cancel')).toHaveLength(1);
  const sources = host.requests('usage.sources').length;
  host.emit({ kind: 'reading', reading: reading({ ...running, state: 'cancelled', ended: began, new: 800 }) });
  await waitFor(async () => expect((await part('reading')).dataset['state']).toBe('cancelled'));
  expect(text(await part('reading'))).toContain('what was read stays');
  await waitFor(() => expect(host.requests('usage.sources').length).toBeGreaterThan(sources));
});

it('names bad lines of a file by number and never shows them', async () => {
  const { user, host } = await usage({ 'platform.import_chosen': () => null });
  await user.click(await part('usage-part-sources'));
  await user.click(await part('reading-import'));
  host.emit({
    kind: 'reading',
    reading: reading({
      of: 'file',
      source: 'file:march.csv',
      state: 'done',
      began: '2025-11-24T06:30:00Z',
      ended: '2025-11-24T06:30:01Z',
      done: 2048,
      ofAll: 2048,
      unreadable: 1,
      badLines: [{ line: 7, why: 'not_json' }],
    }),
  });
  expect(text(await part('reading-lines'))).toBe('Line 7: no JSON');
});

it('tests a profile of one’s own before it is kept, field by field', async () => {
  const { user, host } = await usage({
    'platform.test': () => ({
      ok: false,
      sql: 'SELECT 1',
      steps: [{ request: 'POST /jobs', status: 404, answer: 'no such path', milliseconds: 12 }],
      events: null,
      problem: wireError({ code: 'search_rejected', sentence: 'The platform refused the question.' }),
    }),
    'platform.configure': () => search({ preset: 'custom' }),
  });
  await user.click(await part('usage-part-sources'));
  await user.click(await part('search-preset-custom'));
  const path = await part<HTMLInputElement>('search-submit.path');
  await user.clear(path);
  await user.type(path, '/jobs');
  await user.click(await part('search-test'));
  const trial = await part('search-trial');
  expect(trial.dataset['ok']).toBe('false');
  expect(text(trial)).toContain('Request 1: status 404, 12 ms');
  const asked = host.requests('platform.test')[0] as { with: { profile: typeof searchProfile; token: null } };
  expect(asked.with.profile.submit).toEqual({ ...searchProfile.submit, path: '/jobs' });
  const body = await part<HTMLTextAreaElement>('search-submit.body');
  await user.clear(body);
  await user.type(body, 'nonsense');
  expect((await part<HTMLButtonElement>('search-save')).disabled, 'no JSON').toBe(true);
});

it('reads every field of a profile back as it was', () => {
  const beside = { event_set: 'wangcheng', allow_plain_http: false };
  expect({ ...profileOf(textsOf(searchProfile), searchProfile), ...beside }).toEqual(searchProfile);
  expect(wrong(textsOf(searchProfile), searchProfile).size).toBe(0);
  expect(fieldsOf(searchProfile).map(({ path }) => path)).toContain('results.page.size');
});

it('saves what is shown as a workbook or a table, and names the file that the backend made', async () => {
  const { user, host } = await usage({
    'usage.export': () => ({ name: 'wangcheng-20251101-20251124.xlsx', bytes: 18_432 }),
  });
  await user.click(await part('usage-export'));
  await user.click(await part('usage-export-xlsx'));
  expect(text(await part('usage-exported'))).toContain('wangcheng-20251101-20251124.xlsx 18 KiB');
  await user.click(await part('usage-export'));
  await user.click(await part('usage-export-csv-servers'));
  const { cut } = host.requests('usage.summary')[0] as UsageAsk;
  const ask = { from: '2025-11-01', to: '2025-11-24', cut };
  await waitFor(() =>
    expect(host.requests('usage.export')).toEqual([
      { ask, format: 'xlsx', table: 'months' },
      { ask, format: 'csv', table: 'servers' },
    ]),
  );
}, 20_000);

it('shows a report on white paper beside the application, and prints it', async () => {
  const { user, host } = await usage({ 'app.print': () => null });
  await user.click(await part('usage-export'));
  await user.click(await part('usage-report'));
  const page = await part('usage-report-page');
  expect(page.parentElement, 'what is beside the application is printed without it').toBe(document.body);
  expect(page.dataset['theme']).toBe('light');
  await waitFor(() => expect(text(page)).toContain('The 1 dearest servers'));
  expect(text(page)).toContain('Forecast and budgets');
  await user.click(await part('usage-print'));
  expect(host.requests('app.print')).toHaveLength(1);
  await user.keyboard('{Escape}');
  await waitFor(() => expect(parts('usage-report-page')).toHaveLength(0));
}, 20_000);

it('tells that a budget is reached, and leads to it', async () => {
  const { user, host } = await open();
  host.emit({
    kind: 'budget_reached',
    reached: {
      scope: 'owner',
      key: 'user-ada',
      name: 'ada',
      month: '2025-11',
      percent: 80,
      expected: false,
      amount: { amount: '81.234567', currency: 'CNY' },
      budget: { amount: '100', currency: 'CNY' },
    },
  });
  const toast = await part('toast');
  expect(text(toast)).toContain('The budget for \u2068ada\u2069: 80% is spent ¥81.23 of ¥100.00, estimated');
  await user.click(there(toast.querySelector('.link')));
  await part('usage-overview');
});

it('knows the days of Asia/Shanghai', () => {
  expect(dayOf(Date.parse('2025-11-30T15:59:59Z'))).toBe('2025-11-30');
  expect(dayOf(Date.parse('2025-11-30T16:00:00Z'))).toBe('2025-12-01');
  expect(daysOf({ name: 'last_month' }, Date.parse('2025-02-28T16:00:00Z'))).toEqual({
    from: '2025-02-01',
    to: '2025-02-28',
  });
  expect(daysOf({ name: 'last_quarter' }, NOW)).toEqual({ from: '2025-07-01', to: '2025-09-30' });
  expect(daysOf({ name: 'months_24' }, NOW)).toEqual({ from: '2023-12-01', to: '2025-11-24' });
  expect(monthDays('2024-02')).toEqual({ from: '2024-02-01', to: '2024-02-29' });
  expect([readDay('2025/2/3'), readDay('2025-02-30'), readDay('30.11.2025')]).toEqual(['2025-02-03', null, null]);
});

it.each([
  [0, [0, 1]],
  [7, [0, 2, 4, 6, 8]],
  [102.3, [0, 50, 100, 150]],
  [1_000_000, [0, 250_000, 500_000, 750_000, 1_000_000]],
])('has round marks up to %d', (most, marks) => {
  expect(ticks(most)).toEqual(marks);
});
