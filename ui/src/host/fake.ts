// A host without a backend, for component tests and the preview page. Never part of the application.
import {
  calls,
  type Account,
  type AppInfo,
  type Beginning,
  type Catalogue,
  type Change,
  type Deletion,
  type Delivery,
  type Disk,
  type DiskCommands,
  type DiskList,
  type Event,
  type FoundKey,
  type GrantStanding,
  type JoinedOrganisation,
  type Leftover,
  type Leftovers,
  type Money,
  type Operation,
  type Quote,
  type RefusedEvent,
  type Rehearsed,
  type Region,
  type ResizeOption,
  type ResizeOptions,
  type Server,
  type ServerList,
  type Settings,
  type Template,
  type WireError,
} from './generated';
import { usageAnswers } from './fakeUsage';
import type { Host } from './host';

/** One call that was made: its name on the wire and what was asked. */
export type Called = { name: string; request: unknown };

export type FakeHost = Host & {
  /** Every call so far, in order. */
  readonly called: readonly Called[];
  /** The requests of one call, in order. */
  requests(name: string): unknown[];
  /** Answers this call like this from now on. Throwing (or rejecting with) a WireError is an answer too. */
  answer(name: string, answer: (request: never) => unknown): void;
  /** Sends a change, as the backend would. */
  emit(change: Change): void;
};

/** A host that answers as a signed-in, healthy application with nothing in it, except where `answers` say otherwise. */
export function fakeHost(answers: Record<string, (request: never) => unknown> = {}): FakeHost {
  const called: Called[] = [];
  const table = new Map<string, (request: never) => unknown>(Object.entries({ ...healthy, ...answers }));
  const receivers = new Set<(change: Change) => void>();
  /** What the calls would answer one by one. */
  const beginning = async () => {
    const ask = (name: string) => table.get(name)?.(undefined as never);
    return {
      info: await ask('app.info'),
      settings: await ask('settings.get'),
      accounts: await ask('accounts.list'),
      operations: await ask('operations.list'),
      delivery: await ask('delivery.status'),
      sessions: await ask('sessions.list'),
      servers: await Promise.resolve()
        .then(() => ask('servers.list'))
        .catch(() => null),
    };
  };
  return {
    ...calls(async <Answer>(name: string, request: unknown) => {
      called.push({ name, request: structuredClone(request) });
      const answer = table.get(name) ?? (name === 'app.beginning' ? beginning : undefined);
      if (!answer) throw wireError({ code: 'not_faked', sentence: `No answer for ${name}` });
      return structuredClone(await answer(request as never)) as Answer;
    }),
    async watch(receive) {
      receivers.add(receive);
      return { beginning: structuredClone(await beginning()) as Beginning, stop: () => receivers.delete(receive) };
    },
    called,
    requests: (name) => called.filter((call) => call.name === name).map((call) => call.request),
    answer: (name, answer) => void table.set(name, answer),
    emit: (change) => {
      for (const receive of receivers) receive(structuredClone(change));
    },
  };
}

export const rehearsed = (some: Partial<Rehearsed> = {}): Rehearsed => ({
  requests: [
    {
      service: 'ECS',
      operation: 'BatchStopServers',
      method: 'POST',
      url: 'https://ecs.example.com/v1/p/cloudservers/action',
      headers: [['authorization', '***']],
      body: '{"os-stop":{}}',
      pretty: '{\n  "os-stop": {}\n}',
      koo: 'hcloud ECS BatchStopServers --os-stop.type=SOFT',
      python: null,
    },
  ],
  follows: [],
  command: 'wangcheng server stop build-01',
  refused: [],
  ...some,
});

export const wireError = (some: Partial<WireError> = {}): WireError => ({
  code: 'cloud_refused',
  sentence: 'The cloud refused the request.',
  nextStep: null,
  detail: null,
  providerCode: null,
  requestId: null,
  ...some,
});

export const account = (some: Partial<Account> = {}): Account => ({
  id: 'account-1',
  name: 'Demo',
  region: 'demo-north-1',
  projectId: '0f9c5b7e2d814a3f9b6c1d2e3f4a5b6c',
  accountId: '6b1d2e3f4a5b6c0f9c5b7e2d814a3f9b',
  accountName: 'acme',
  userId: '1a2b3c4d5e6f708192a3b4c5d6e7f809',
  userName: 'ada',
  remembered: true,
  demo: true,
  state: { kind: 'ready' },
  ...some,
});

export const server = (some: Partial<Server> = {}): Server => ({
  id: '4f4b3dfa-eb70-47cf-a60a-998a53bd6666',
  name: 'ada-dev-1124-k3',
  state: 'running',
  fault: null,
  own: true,
  owner: 'ada',
  purpose: 'billing refactoring',
  flavor: 's6.large.2',
  vcpus: 2,
  ramMb: 4096,
  image: 'Ubuntu 24.04 server 64bit',
  os: 'Ubuntu 24.04',
  zone: 'demo-north-1a',
  addresses: [
    { address: '192.168.0.17', kind: 'private' },
    { address: '203.0.113.24', kind: 'public' },
  ],
  diskCount: 2,
  adoptable: false,
  tags: {},
  created: '2025-11-24T01:12:00Z',
  leaseEnd: '2025-11-24T10:00:00Z',
  operation: null,
  ...some,
});

export const serverList = (servers: Server[], some: Partial<ServerList> = {}): ServerList => ({
  account: 'account-1',
  servers,
  asOf: '2025-11-24T06:05:31Z',
  refreshing: false,
  unreadable: 0,
  problem: null,
  ...some,
});

export const operation = (some: Partial<Operation> = {}): Operation => ({
  id: '019ab4d2-7c11-7e3a-9f00-0c5f2d3e4a5b',
  kind: 'server.create',
  account: 'account-1',
  serverId: null,
  serverName: 'ada-dev-1124-k3',
  stage: 'sent',
  outcome: null,
  cancellable: false,
  cancelling: false,
  error: null,
  jobId: 'ff80808288d41e1b018990260955686a',
  progress: null,
  leaseEnd: '2025-11-24T14:00:00Z',
  template: 'small',
  flavor: 's6.large.2',
  recordedAt: '2025-11-24T06:00:00Z',
  sentAt: '2025-11-24T06:00:01Z',
  settledAt: null,
  ...some,
});

export const template = (some: Partial<Template> = {}): Template => ({
  id: 'small',
  nameZh: '小型开发机',
  nameEn: 'Small development server',
  vcpus: 2,
  ramGb: 4,
  image: 'Ubuntu 24.04 server 64bit',
  systemDiskGb: 40,
  dataDiskGb: null,
  publicMbps: 5,
  leaseHours: 8,
  environment: 'docker',
  ...some,
});

export const catalogue = (some: Partial<Catalogue> = {}): Catalogue => ({
  templates: [template()],
  flavors: [{ id: 's6.large.2', vcpus: 2, ramMb: 4096, zones: ['demo-north-1a'], arm: false }],
  images: [
    { id: 'image-1', name: 'Ubuntu 24.04 server 64bit', os: 'Ubuntu', minDiskGb: 40, arm: false, cloudInit: true },
  ],
  zones: ['demo-north-1a', 'demo-north-1b'],
  subnets: [
    { id: 'subnet-1', name: 'dev', cidr: '192.168.0.0/24', vpc: 'vpc-1', vpcName: 'vpc-dev', freeAddresses: 241 },
  ],
  securityGroups: [{ id: 'group-1', name: 'default' }],
  keyPairs: ['ada-laptop'],
  servers: { used: 3, max: 10 },
  vcpus: { used: 8, max: 40 },
  defaults: null,
  asOf: '2025-11-24T06:05:31Z',
  ...some,
});

/** An amount in the currency of the examples. */
export const yuan = (amount: string): Money => ({ amount, currency: 'CNY' });

export const disk = (some: Partial<Disk> = {}): Disk => ({
  id: 'disk-1',
  name: 'ada-dev-1124-k3-volume-0000',
  device: '/dev/vda',
  sizeGb: 40,
  mostGb: 1024,
  diskType: 'GPSSD',
  system: true,
  attached: true,
  goesWithServer: true,
  own: true,
  state: 'in-use',
  perHour: yuan('0.0400'),
  ...some,
});

/** A data disk beside it. */
export const dataDisk = (some: Partial<Disk> = {}): Disk =>
  disk({
    id: 'disk-2',
    name: 'ada-dev-1124-k3-volume-0001',
    device: '/dev/vdb',
    sizeGb: 100,
    mostGb: 32_768,
    system: false,
    perHour: yuan('0.1000'),
    ...some,
  });

export const diskList = (some: Partial<DiskList> = {}): DiskList => ({
  server: '4f4b3dfa-eb70-47cf-a60a-998a53bd6666',
  disks: [disk(), dataDisk()],
  free: 22,
  diskTypes: ['GPSSD', 'SAS', 'SSD'],
  leastGb: 10,
  mostGb: 32_768,
  asOf: '2025-11-24T06:05:31Z',
  ...some,
});

export const commands = (some: Partial<DiskCommands> = {}): DiskCommands => ({
  shell: 'bash',
  text: '# Grow the partition\ngrowpart /dev/vda 1\n# Grow the file system\nresize2fs /dev/vda1',
  ...some,
});

export const deletion = (some: Partial<Deletion> = {}): Deletion => ({
  server: '4f4b3dfa-eb70-47cf-a60a-998a53bd6666',
  name: 'ada-dev-1124-k3',
  parts: [
    { kind: 'system_disk', id: 'disk-1', name: 'ada-volume-0000', sizeGb: 40, goes: true, perMonth: null },
    { kind: 'data_disk', id: 'disk-2', name: 'ada-volume-0001', sizeGb: 100, goes: true, perMonth: null },
    { kind: 'public_address', id: 'eip-1', name: '203.0.113.24', sizeGb: null, goes: true, perMonth: null },
    { kind: 'private_key', id: null, name: '', sizeGb: null, goes: true, perMonth: null },
  ],
  staysPerMonth: null,
  asOf: '2025-11-24T06:05:31Z',
  ...some,
});

export const leftover = (some: Partial<Leftover> = {}): Leftover => ({
  kind: 'disk',
  id: 'disk-9',
  name: 'old-data',
  server: null,
  sizeGb: 200,
  diskType: 'GPSSD',
  mbit: null,
  created: '2025-11-20T02:00:00Z',
  perMonth: yuan('146.00'),
  ...some,
});

export const leftovers = (some: Partial<Leftovers> = {}): Leftovers => ({
  items: [],
  unchecked: 0,
  perMonth: null,
  asOf: '2025-11-24T06:05:31Z',
  ...some,
});

export const resizeOption = (some: Partial<ResizeOption> = {}): ResizeOption => ({
  flavor: 's6.xlarge.2',
  vcpus: 4,
  ramMb: 8192,
  perHour: yuan('0.7060'),
  morePerHour: yuan('0.2530'),
  problem: null,
  ...some,
});

export const resizeOptions = (some: Partial<ResizeOptions> = {}): ResizeOptions => ({
  now: {
    server: '4f4b3dfa-eb70-47cf-a60a-998a53bd6666',
    name: 'ada-dev-1124-k3',
    flavor: 's6.large.2',
    vcpus: 2,
    ramMb: 4096,
    perHour: yuan('0.4530'),
    needsStop: true,
    asOf: '2025-11-24T06:05:31Z',
  },
  options: [resizeOption()],
  priceProblem: null,
  ...some,
});

export const grantStanding = (some: Partial<GrantStanding> = {}): GrantStanding => ({
  joined: null,
  stopped: null,
  inForce: null,
  uses: [],
  unpriced: 0,
  problem: null,
  ...some,
});

export const joinedOrganisation = (some: Partial<JoinedOrganisation> = {}): JoinedOrganisation => ({
  organisation: 'Example Ltd.',
  fingerprints: ['1a2b-3c4d-5e6f-7081-92a3-b4c5-d6e7-f809'],
  source: 'obs://example-team-policy/grant.json',
  number: 7,
  issued: '2025-11-20T02:00:00Z',
  expires: '2025-12-24T06:00:00Z',
  ask: 'mia <mia@example.com>',
  currency: 'CNY',
  checkedAt: '2025-11-24T06:00:00Z',
  problem: null,
  tokenWanted: null,
  defaults: {},
  ...some,
});

export const quote = (some: Partial<Quote> = {}): Quote => ({
  perHour: { amount: '0.4530', currency: 'CNY' },
  forLease: { amount: '3.6240', currency: 'CNY' },
  leaseHours: '8',
  parts: [
    { part: 'compute', spec: 's6.large.2', perHour: yuan('0.2530'), forLease: yuan('2.0240') },
    { part: 'system_disk', spec: 'GPSSD 40 GB', perHour: yuan('0.0400'), forLease: yuan('0.3200') },
    { part: 'public_address', spec: '5 Mbit/s', perHour: yuan('0.1600'), forLease: yuan('1.2800') },
  ],
  problems: [],
  grant: [],
  flavor: 's6.large.2',
  image: 'image-1',
  zone: 'demo-north-1a',
  subnet: 'subnet-1',
  securityGroup: 'group-1',
  keyPair: null,
  freshKey: true,
  asOf: '2025-11-24T06:05:31Z',
  ...some,
});

export const event = (some: Partial<Event> = {}): Event => {
  const { seq = 1, time = '2025-11-24T06:01:10.120Z', action = 'server.created', outcome = 'ok' } = some;
  return {
    seq,
    eventId: `019ab4d2-8f00-7aaa-8000-${String(seq).padStart(12, '0')}`,
    time,
    action,
    outcome,
    serverName: 'ada-dev-1124-k3',
    owner: 'ada',
    opId: '019ab4d2-7c11-7e3a-9f00-0c5f2d3e4a5b',
    delivered: true,
    json: JSON.stringify({ schema: 'wangcheng.event.v1', seq, time, action, outcome, owner: 'ada' }),
    ...some,
  };
};

/** Every field of the platform's own way, as the backend reports it. */
export const yanhuangProfile = {
  path: '',
  hei_id: '',
  hei_name: '',
  method: 'POST',
  query: {},
  headers: {},
  content_type: '',
  token_header: 'Authorization',
  token_value: 'Bearer {token}',
  routing: 'body',
  framing: 'json_array',
  message_mode: 'json_text',
  spread: false,
  message_field: '_message',
  datatype_field: '_datatype',
  event_set_field: '_event_set',
  time_field: '_time',
  source_field: '_source',
  host_field: '',
  extra_fields: {},
  datatype: 'json',
  event_set: 'wangcheng',
  source: 'wangcheng',
  host: '',
  time_format: 'rfc3339_ms',
  compression: 'none',
  success: [200, 201, 202, 204],
  success_pointer: '',
  success_equals: '',
  limits: { events: 200, bytes: 524_288, wait_ms: 0 },
  retry: { statuses: [408, 425, 429], base_ms: 1000, max_ms: 300_000, jitter: true, honour_retry_after: true },
  health_path: '/ping',
  health_status: 0,
  health_body: '',
  timeout_ms: 30_000,
  ca_pem: '',
  allow_plain_http: false,
};

export const refusedEvent = (some: Partial<RefusedEvent> = {}): RefusedEvent => ({
  seq: 3,
  time: '2025-11-24T05:00:00Z',
  json: '{"action":"server.created","seq":3}',
  reason: '400 no such data type',
  refusedAt: '2025-11-24T05:00:01Z',
  attempts: 1,
  again: false,
  ...some,
});

export const delivery = (some: Partial<Delivery> = {}): Delivery => ({
  state: 'idle',
  url: 'http://127.0.0.1:8088/services/collector/event',
  eventSet: 'wangcheng',
  datatype: 'json',
  allowPlainHttp: false,
  tokenStored: true,
  waiting: 0,
  lastSeq: 1,
  deliveredAt: '2025-11-24T06:01:11Z',
  nextTryAt: null,
  attempts: 0,
  problem: null,
  preset: 'yanhuang',
  profile: yanhuangProfile,
  quarantined: 0,
  ...some,
});

export const appInfo = (some: Partial<AppInfo> = {}): AppInfo => ({
  version: '0.1.0',
  platform: 'linux-x86_64',
  dataDir: '/home/ada/.local/share/dev.wangcheng.desktop',
  installationId: '7b1e0d52-4c0c-4a9e-9d1b-2f6c8d3b5a10',
  demo: {
    region: 'demo-north-1',
    users: [
      { name: 'ada', role: 'developer' },
      { name: 'mia', role: 'administrator' },
    ],
  },
  demoActive: true,
  language: 'system',
  theme: 'system',
  notice: null,
  ...some,
});

export const settings = (some: Partial<Settings> = {}): Settings => ({
  language: 'en',
  theme: 'light',
  warnMinutes: [10, 30, 120],
  tellOperations: true,
  stayInTray: false,
  proxy: 'system',
  proxyUrl: '',
  caFile: '',
  ...some,
});

export const foundKey = (some: Partial<FoundKey> = {}): FoundKey => ({
  id: 'environment',
  source: 'environment',
  file: null,
  label: null,
  accessKey: 'HPUA…0J3K',
  temporary: false,
  projectId: null,
  domainId: null,
  ...some,
});

export const regions: Region[] = [
  { id: 'cn-north-4', nameZh: '华北-北京四', nameEn: 'CN North-Beijing4', demo: false },
  { id: 'cn-east-3', nameZh: '华东-上海一', nameEn: 'CN East-Shanghai1', demo: false },
  { id: 'demo-north-1', nameZh: '演示区域', nameEn: 'Demo region', demo: true },
];

const healthy: Record<string, (request: never) => unknown> = {
  ...usageAnswers,
  'app.info': () => appInfo(),
  'app.wishes': () => [],
  'settings.get': () => settings(),
  'settings.set': (request) => request,
  'accounts.list': () => ({ accounts: [account()], active: 'account-1' }),
  'accounts.regions': () => regions,
  'accounts.find_keys': () => [],
  'servers.list': () => serverList([]),
  'sessions.list': () => [],
  'servers.refresh': () => serverList([]),
  'servers.catalogue': () => catalogue(),
  'servers.costs': () => ({ costs: [], asOf: '2025-11-24T06:05:31Z' }),
  'servers.deletion': ({ server: id }: { server: string }) => deletion({ server: id }),
  'servers.leftovers': () => leftovers(),
  'disks.list': ({ server: id }: { server: string }) => diskList({ server: id }),
  'disks.price': () => ({ perHour: yuan('0.1000'), serverPerHour: yuan('0.5130') }),
  'disks.commands': () => commands(),
  'networks.own_address': () => ({ address: null }),
  'templates.origins': () => ({ grant: [], builtIn: [], own: ['small'] }),
  'servers.quote': () => quote(),
  'operations.list': () => [],
  'operations.rehearse': () => rehearsed(),
  'operations.shown': () => rehearsed(),
  'events.list': () => ({ events: [], lastSeq: 0, more: false }),
  'templates.list': () => [template()],
  'grants.standing': () => grantStanding(),
  'office.duties': () => [],
  'delivery.status': () => delivery(),
  'delivery.refused': () => [],
};
