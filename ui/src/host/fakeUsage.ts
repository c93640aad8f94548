// Answers about usage for component tests and the preview page, beside those of `fake.ts`.
import type {
  Bill,
  BudgetState,
  Forecast,
  Reading,
  Search,
  UsageAsk,
  UsageChoices,
  UsageEvent,
  UsageForecast,
  UsageRank,
  UsageServer,
  UsageSource,
  UsageSpent,
  UsageSummary,
  UsageTimeline,
  UsageTop,
  Waste,
  Wasted,
} from './generated';

const DAY_MS = 86_400_000;

const fixed = (value: number): string => value.toFixed(6);

export const usageSource = (some: Partial<UsageSource> = {}): UsageSource => ({
  name: 'ledger',
  takenAt: '2025-11-24T06:05:31Z',
  first: '2025-10-03T01:12:00Z',
  last: '2025-11-24T06:01:10Z',
  events: 42,
  doubled: 0,
  unreadable: 0,
  complete: true,
  ...some,
});

export const usageRank = (some: Partial<UsageRank> = {}): UsageRank => ({
  key: 'user-ada',
  name: 'ada',
  servers: 3,
  hours: '120.000000',
  runningHours: '100.000000',
  diskGbHours: '4800.000000',
  cost: '61.200000',
  costBefore: '30.000000',
  months: ['61.200000'],
  count: 1,
  ...some,
});

export const usageSpent = (some: Partial<UsageSpent> = {}): UsageSpent => ({
  servers: 5,
  owners: 2,
  hours: '200.000000',
  runningHours: '160.500000',
  diskGbHours: '8000.000000',
  unpricedHours: '0.000000',
  cost: {
    total: '102.345678',
    compute: '80.000000',
    disk: '12.345678',
    address: '10.000000',
    unsplit: '0.000000',
  },
  ...some,
});

/** A summary of the days that are asked for, month by month. */
export function usageSummary(ask: Pick<UsageAsk, 'from' | 'to'>, some: Partial<UsageSummary> = {}): UsageSummary {
  const days: string[] = [];
  for (let at = Date.parse(ask.from); at <= Date.parse(ask.to); at += DAY_MS) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  const months = [...new Set(days.map((day) => day.slice(0, 7)))];
  const total = some.total ?? usageSpent();
  const part = (text: string) => fixed(Number(text) / months.length);
  const each = (text: string) => months.map(() => part(text));
  return {
    from: ask.from,
    to: ask.to,
    asOf: '2025-11-24T06:05:31Z',
    currency: 'CNY',
    otherMoney: [],
    total,
    beforeFrom: '2025-10-01',
    beforeTo: '2025-10-24',
    before: usageSpent({ servers: 4, cost: { ...usageSpent().cost, total: '50.000000' } }),
    bills: { months: [], billed: '0', traffic: '0', currency: '' },
    months: months.map((month) => ({
      month,
      hours: part(total.hours),
      runningHours: part(total.runningHours),
      cost: {
        total: part(total.cost.total),
        compute: part(total.cost.compute),
        disk: part(total.cost.disk),
        address: part(total.cost.address),
        unsplit: part(total.cost.unsplit),
      },
    })),
    days: days.map((day, nth) => ({
      day,
      hours: fixed(8 + (nth % 7) * 2),
      runningHours: fixed(6 + (nth % 7) * 1.5),
    })),
    week: Array.from({ length: 168 }, (_, hour) => (hour % 24 > 8 && hour % 24 < 20 && hour < 120 ? '2.500' : '0.250')),
    owners: [
      usageRank({ months: each('61.200000') }),
      usageRank({
        key: 'user-bo',
        name: 'bo',
        servers: 2,
        cost: '41.145678',
        costBefore: '0.000000',
        months: each('41.145678'),
      }),
    ],
    flavors: [usageRank({ key: 's6.large.2', name: 's6.large.2', months: each('61.200000') })],
    regions: [usageRank({ key: 'demo-north-1', name: 'demo-north-1', months: each('61.200000') })],
    purposes: [usageRank({ key: '', name: '', months: each('61.200000') })],
    templates: [usageRank({ key: 'small', name: 'small', months: each('61.200000') })],
    assumedEnds: 0,
    counting: false,
    sources: [usageSource()],
    ...some,
  };
}

export const usageServer = (some: Partial<UsageServer> = {}): UsageServer => ({
  server: '4f4b3dfa-eb70-47cf-a60a-998a53bd6666',
  name: 'ada-dev-1124-k3',
  ownerId: 'user-ada',
  owner: 'ada',
  flavor: 's6.large.2',
  region: 'demo-north-1',
  purpose: 'billing refactoring',
  template: 'small',
  began: '2025-11-24T01:12:00Z',
  ended: null,
  assumedBeginning: false,
  assumedEnd: false,
  hours: '5.300000',
  runningHours: '4.100000',
  diskGbHours: '212.000000',
  cost: '2.403000',
  currency: 'CNY',
  ...some,
});

/** So many servers, of which `top` asks for some. */
export const usageTimeline = (
  count = 2,
  some: Partial<UsageTimeline> = {},
  { skip = 0, limit }: Pick<UsageTop, 'limit' | 'skip'> = { limit: count },
): UsageTimeline => ({
  rows: Array.from({ length: count }, (_, nth) => ({
    server: nth === 0 ? '4f4b3dfa-eb70-47cf-a60a-998a53bd6666' : `server-${nth}`,
    name: nth === 0 ? 'ada-dev-1124-k3' : `ci-runner-${nth}`,
    ownerId: 'user-ada',
    owner: 'ada',
    began: '2025-11-20T01:00:00Z',
    ended: nth % 2 === 0 ? null : '2025-11-22T01:00:00Z',
    assumedEnd: false,
    stretches: [
      { from: '2025-11-20T01:00:00Z', to: '2025-11-21T13:00:00Z', runs: true, flavor: 's6.large.2' },
      { from: '2025-11-21T13:00:00Z', to: '2025-11-22T01:00:00Z', runs: false, flavor: 's6.large.2' },
    ],
  })).slice(skip, skip + limit),
  count,
  asOf: '2025-11-24T06:05:31Z',
  ...some,
});

export const usageEvent = (some: Partial<UsageEvent> = {}): UsageEvent => ({
  eventId: '019ab4d2-8f00-7aaa-8000-000000000001',
  time: '2025-11-24T01:12:00Z',
  action: 'server.created',
  outcome: 'ok',
  owner: 'ada',
  flavor: 's6.large.2',
  diskGb: 40,
  pricePerHour: '0.4530',
  currency: 'CNY',
  leaseEnd: '2025-11-24T10:00:00Z',
  cause: '',
  source: 'ledger',
  ...some,
});

export const usageChoices = (some: Partial<UsageChoices> = {}): UsageChoices => ({
  owners: [
    ['user-ada', 'ada'],
    ['user-bo', 'bo'],
  ],
  flavors: ['s6.large.2', 's6.xlarge.2'],
  regions: ['demo-north-1'],
  purposes: ['', 'billing refactoring'],
  templates: ['small', 'medium'],
  currencies: ['CNY'],
  ...some,
});

export const forecast = (some: Partial<Forecast> = {}): Forecast => ({
  from: '2025-11-01',
  to: '2025-11-30',
  soFar: '102.345678',
  expected: '131.000000',
  low: '120.000000',
  high: '142.000000',
  method: 'run_rate',
  errorPercent: '8.4',
  tries: 6,
  tooLittle: false,
  ...some,
});

export const usageForecast = (some: Partial<UsageForecast> = {}): UsageForecast => ({
  asOf: '2025-11-24T06:05:31Z',
  currency: 'CNY',
  months: ['2025-07', '2025-08', '2025-09', '2025-10'].map((month, nth) => ({ month, cost: fixed(90 + nth * 12) })),
  running: forecast(),
  nextMonth: forecast({
    from: '2025-12-01',
    to: '2025-12-31',
    soFar: '0.000000',
    expected: '140.000000',
    low: '110.000000',
    high: '170.000000',
    method: 'mean_of_three',
    errorPercent: '12.1',
    tries: 5,
  }),
  nextQuarter: forecast({
    from: '2026-01-01',
    to: '2026-03-31',
    soFar: '0.000000',
    expected: '420.000000',
    low: null,
    high: null,
    method: 'last_month',
    errorPercent: null,
    tries: 0,
    tooLittle: true,
  }),
  methods: [
    { method: 'last_month', monthErrorPercent: '14.0', monthTries: 5, quarterErrorPercent: null, quarterTries: 1 },
    { method: 'mean_of_three', monthErrorPercent: '12.1', monthTries: 5, quarterErrorPercent: null, quarterTries: 1 },
  ],
  ...some,
});

export const budgetState = (some: Partial<BudgetState> = {}): BudgetState => ({
  budget: { scope: 'all', key: '', monthly: { amount: '120', currency: 'CNY' }, percentages: [50, 80, 100] },
  month: '2025-11',
  spent: '102.345678',
  expected: '131.000000',
  tooLittle: false,
  spentPercent: '85.3',
  expectedPercent: '109.2',
  reached: [50, 80],
  toBeReached: [50, 80, 100],
  asOf: '2025-11-24T06:05:31Z',
  ...some,
});

export const wasted = (some: Partial<Wasted> = {}): Wasted => ({
  kind: 'server',
  id: '4f4b3dfa-eb70-47cf-a60a-998a53bd6666',
  name: 'ada-load-1123-p8',
  owner: 'ada',
  own: true,
  reasons: ['forgotten'],
  state: 'stopped',
  flavor: 's6.large.2',
  sizeGb: 140,
  server: null,
  leaseEnd: null,
  since: '2025-11-20T02:00:00Z',
  perMonth: { amount: '102.20', currency: 'CNY' },
  acts: ['delete_server', 'set_lease'],
  ...some,
});

export const waste = (some: Partial<Waste> = {}): Waste => ({
  items: [],
  perMonth: null,
  unpriced: 0,
  unchecked: 0,
  sessionsKnown: true,
  asOf: '2025-11-24T06:05:31Z',
  ...some,
});

export const bill = (some: Partial<Bill> = {}): Bill => ({
  month: '2025-11',
  isFinal: false,
  billed: { amount: '98.10', currency: 'CNY' },
  list: { amount: '120.00', currency: 'CNY' },
  kinds: [
    { kind: 'compute', billed: { amount: '80.00', currency: 'CNY' } },
    { kind: 'traffic', billed: { amount: '18.10', currency: 'CNY' } },
  ],
  owners: [
    {
      owner: 'ada',
      billed: { amount: '98.10', currency: 'CNY' },
      estimated: { amount: '102.35', currency: 'CNY' },
      difference: { amount: '-4.25', currency: 'CNY' },
    },
  ],
  resources: [
    {
      id: 'server-1',
      name: 'ada-dev-1124-k3',
      kind: 'compute',
      owner: 'ada',
      region: 'demo-north-1',
      billed: { amount: '80.00', currency: 'CNY' },
    },
  ],
  more: 0,
  estimated: { amount: '102.35', currency: 'CNY' },
  difference: { amount: '-4.25', currency: 'CNY' },
  reasons: [
    { reason: 'not_final', amount: null },
    { reason: 'discount', amount: { amount: '-21.90', currency: 'CNY' } },
  ],
  asOf: '2025-11-24T06:05:31Z',
  ...some,
});

export const reading = (some: Partial<Reading> = {}): Reading => ({
  of: 'platform',
  source: 'platform',
  state: 'never',
  began: null,
  ended: null,
  done: 0,
  ofAll: 0,
  new: 0,
  doubled: 0,
  unreadable: 0,
  newer: 0,
  badLines: [],
  installations: 0,
  gaps: 0,
  withheld: 0,
  problem: null,
  ...some,
});

/** The fields of the way with jobs, as the backend reports them. */
export const searchProfile = {
  mode: 'job',
  auth_header: 'Authorization',
  auth_value: 'Bearer {token}',
  headers: {},
  submit: {
    method: 'POST',
    path: '/search',
    query: {},
    body: { query: '{sql}', earliest: '{earliest}', latest: '{latest}' },
    id_pointer: '/id',
  },
  poll: {
    method: 'GET',
    path: '/search/{id}',
    state_pointer: '/state',
    done: ['SUCCEEDED', 'DONE'],
    failed: ['FAILED'],
    error_pointer: '/error',
    interval_ms: 500,
    timeout_ms: 60_000,
  },
  results: {
    method: 'GET',
    path: '/search/{id}/results',
    rows_pointer: '/rows',
    columns_pointer: '',
    total_pointer: '/total',
    row_shape: 'objects',
    page: { offset: 'offset', limit: 'limit', size: 1000 },
  },
  cancel: { method: 'DELETE', path: '/search/{id}' },
  bound: 'rfc3339_ms',
  event_set: 'wangcheng',
  message_column: '_message',
  statement_rows: 100_000,
  tries: 4,
  timeout_ms: 30_000,
  ca_pem: '',
  allow_plain_http: false,
};

export const search = (some: Partial<Search> = {}): Search => ({
  url: 'http://127.0.0.1:8088',
  eventSet: 'wangcheng',
  allowPlainHttp: false,
  tokenStored: true,
  preset: 'job',
  profile: searchProfile,
  ...some,
});

/** What a healthy backend with some usage answers. */
export const usageAnswers: Record<string, (request: never) => unknown> = {
  'usage.summary': (ask: UsageAsk) => usageSummary(ask),
  'usage.choices': () => usageChoices(),
  'usage.timeline': (top: UsageTop) => usageTimeline(2, {}, top),
  'usage.servers': () => ({ servers: [usageServer()], count: 1, asOf: '2025-11-24T06:05:31Z' }),
  'usage.events': () => [usageEvent()],
  'usage.forecast': () => usageForecast(),
  'usage.budgets': () => [],
  'usage.set_budgets': () => [budgetState()],
  'usage.waste': () => waste(),
  'usage.bill': () => bill(),
  'usage.sources': () => [usageSource()],
  'usage.elsewhere': () => ({
    servers: [],
    more: 0,
    unreadable: 0,
    audited: true,
    from: '2025-11-17T06:05:31Z',
    asOf: '2025-11-24T06:05:31Z',
  }),
  'platform.status': () => search(),
  'platform.reading': () => reading(),
  'platform.statements': () => [
    { name: 'hours_by_owner', title: 'Hours by owner', sql: 'SELECT owner FROM wangcheng' },
  ],
};
