// Every screen with sample data and no backend: ?case=…&screen=…&language=zh-CN|en&theme=light|dark. For looking at the
// interface while working on it, in any browser.
import { mount } from 'svelte';
import App from '../src/App.svelte';
import * as fake from '../src/host/fake';
import type { CreateServer, Event, Operation, Server, Settings } from '../src/host/generated';
import '../src/look/base.css';
import type { AppState, Screen } from '../src/state.svelte';

// As the shell does.
Object.freeze(Object.prototype);

const asked = new URLSearchParams(location.search);
const which = asked.get('case') ?? 'usual';
const screen = (asked.get('screen') ?? 'servers') as Screen;
const settings = { language: asked.get('language') ?? 'en', theme: asked.get('theme') ?? 'light' } as Settings;

const now = Date.now();
const at = (minutes: number) => new Date(now + minutes * 60_000).toISOString();
const uuid = (n: number) => `4f4b3dfa-eb70-47cf-a60a-${String(n).padStart(12, '0')}`;

const hostile = [
  '<img src=x onerror=alert(1)>',
  'abc\u202etxt.exe\u202c',
  'خادم التطوير التجريبي',
  '🚀🔥 deploy 👩‍💻',
  'a'.repeat(64),
  '测试-支付网关-性能压测-第三轮-请勿删除-联系王小明',
];

function servers(): Server[] {
  const make = (n: number, some: Partial<Server>) => fake.server({ id: uuid(n), ...some });
  if (which === 'many') {
    return Array.from({ length: 5000 }, (_, n) =>
      make(n, { name: `ci-runner-${String(n).padStart(4, '0')}`, own: n % 3 > 0, leaseEnd: at(10 + n * 7) }),
    );
  }
  if (which === 'hostile') {
    return hostile.map((name, n) => make(n, { name, purpose: name, owner: n % 2 ? name : 'ada', leaseEnd: at(90) }));
  }
  return [
    make(1, { name: 'ada-dev-1124-k3', created: at(-130), leaseEnd: at(350) }),
    make(2, {
      name: 'ada-支付联调-1124',
      flavor: 'c7.xlarge.2',
      vcpus: 4,
      ramMb: 8192,
      created: at(-700),
      leaseEnd: at(21),
      addresses: [{ address: '192.168.0.31', kind: 'private' }],
    }),
    make(3, { name: 'ada-load-1123-p8', state: 'stopped', created: at(-1900), leaseEnd: at(95) }),
    make(4, { name: 'gitlab-runner-77f2', owner: 'li.wei', own: false, created: at(-4000), leaseEnd: at(2900) }),
    make(5, {
      name: 'legacy-jenkins',
      owner: null,
      own: false,
      purpose: null,
      created: '2024-03-02T02:11:00Z',
      leaseEnd: null,
      flavor: 's6.2xlarge.4',
      vcpus: 8,
      ramMb: 32768,
    }),
    make(6, {
      name: 'ada-gpu-1122-x1',
      state: 'error',
      fault: 'No valid host was found. There are not enough hosts available.',
      addresses: [],
      created: at(-2800),
      leaseEnd: at(600),
    }),
  ];
}

const failed = fake.wireError({
  code: 'quota_exceeded',
  sentence: settings.language === 'zh-CN' ? '区域的 vCPU 配额不足。' : 'The region has no vCPU quota left.',
  nextStep:
    settings.language === 'zh-CN'
      ? '删除不再使用的云服务器，或在控制台申请提高配额。'
      : 'Delete a server that is no longer used, or ask for more quota in the console.',
  providerCode: 'Ecs.0319',
  requestId: '5cd7c7bca3ed8aa2dbe3bb0f3d0b5f31',
});

const operations: Operation[] =
  which === 'empty' || which === 'first'
    ? []
    : [
        fake.operation({
          serverName: 'ada-dev-1124-q7',
          progress: 'spawning',
          recordedAt: at(-0.7),
          leaseEnd: at(479),
        }),
        fake.operation({
          id: 'operation-2',
          kind: 'lease.update',
          serverId: uuid(1),
          stage: 'settled',
          outcome: 'ok',
          recordedAt: at(-22),
          settledAt: at(-21.96),
        }),
        fake.operation({
          id: 'operation-3',
          serverName: 'ada-big-1124-z2',
          stage: 'settled',
          outcome: 'failed',
          error: failed,
          recordedAt: at(-61),
          settledAt: at(-60.4),
        }),
        fake.operation({
          id: 'operation-4',
          serverId: uuid(1),
          stage: 'settled',
          outcome: 'ok',
          recordedAt: at(-131),
          settledAt: at(-129.6),
        }),
        fake.operation({
          id: 'operation-5',
          kind: 'server.delete',
          serverName: 'ada-test-1123-b4',
          stage: 'settled',
          outcome: 'ok',
          recordedAt: at(-1500),
          settledAt: at(-1499.1),
        }),
      ];

const sample: [string, Event['outcome'], string][] = [
  ['lease.extended', 'ok', 'ada-dev-1124-k3'],
  ['server.created', 'failed', 'ada-big-1124-z2'],
  ['server.created', 'ok', 'ada-dev-1124-k3'],
  ['server.deleted', 'ok', 'ada-test-1123-b4'],
  ['lease.set', 'ok', 'ada-test-1123-b4'],
  ['server.created', 'refused', 'ada-huge-1123-r1'],
  ['server.created', 'ok', 'ada-test-1123-b4'],
];
const events = sample.map(([action, outcome, serverName], n) => {
  const seq = sample.length - n;
  return fake.event({
    seq,
    action,
    outcome,
    serverName,
    delivered: which !== 'receiver-down' || n > 2,
    time: at(-22 - n * 190),
    json: JSON.stringify({
      event_id: `019ab4d2-8f00-7aaa-8000-${String(seq).padStart(12, '0')}`,
      schema: 'wangcheng.event.v1',
      time: at(-22 - n * 190),
      action,
      outcome,
      owner: 'ada',
      owner_id: '1a2b3c4d5e6f708192a3b4c5d6e7f809',
      region: 'demo-north-1',
      server_name: serverName,
      flavor: 's6.large.2',
      vcpus: 2,
      ram_mb: 4096,
      price_per_hour: '0.4530',
      currency: 'CNY',
      client: 'desktop',
      seq,
    }),
  });
});

const deliveries: Record<string, Partial<Parameters<typeof fake.delivery>[0]>> = {
  'receiver-down': {
    state: 'waiting_to_retry',
    waiting: 3,
    attempts: 3,
    nextTryAt: at(0.6),
    problem: fake.wireError({
      code: 'hei_unreachable',
      sentence: settings.language === 'zh-CN' ? '数据平台没有应答。' : 'The data platform does not answer.',
      detail: 'connect 127.0.0.1:8088: connection refused',
    }),
  },
  off: { state: 'off', url: null, tokenStored: false, waiting: 3, deliveredAt: null },
};

const offline = fake.wireError({
  code: 'cloud_unreachable',
  sentence: settings.language === 'zh-CN' ? '无法连接到华为云。' : 'Huawei Cloud cannot be reached.',
  nextStep:
    settings.language === 'zh-CN' ? '请检查网络；网程会继续尝试。' : 'Check the network; Wangcheng keeps trying.',
});
const locked = fake.wireError({
  code: 'keychain_locked',
  sentence: settings.language === 'zh-CN' ? '系统钥匙串已锁定。' : 'The system keychain is locked.',
  nextStep:
    settings.language === 'zh-CN'
      ? '解锁后重试，或仅在本次运行中使用密钥。'
      : 'Unlock it and try again, or use the key for this run only.',
});

const demo = fake.account({ state: which === 'stopped' ? { kind: 'stopped', error: locked } : { kind: 'ready' } });
const work = fake.account({
  id: 'account-2',
  name: settings.language === 'zh-CN' ? '支付团队' : 'Payments team',
  region: 'cn-north-4',
  userName: 'wang.xiaoming',
  accountName: 'hw-payments',
  remembered: false,
  demo: false,
});

const host = fake.fakeHost({
  'settings.get': () => settings,
  'accounts.list': () =>
    which === 'first' ? { accounts: [], active: null } : { accounts: [demo, work], active: 'account-1' },
  'accounts.select': ({ account }: { account: string }) => ({ accounts: [demo, work], active: account }),
  'accounts.sign_in_demo': () => {
    throw locked;
  },
  'accounts.sign_in': () => {
    throw locked;
  },
  'servers.list': () =>
    which === 'loading'
      ? fake.serverList([], { asOf: null, refreshing: true })
      : fake.serverList(which === 'empty' || which === 'never' ? [] : servers(), {
          asOf: which === 'never' ? null : at(which === 'offline' ? -42 : -0.1),
          problem: which === 'offline' || which === 'never' ? offline : null,
        }),
  'servers.catalogue': () =>
    fake.catalogue({
      templates: [
        fake.template(),
        fake.template({
          id: 'medium',
          nameZh: 'Python 数据分析',
          nameEn: 'Python data work',
          vcpus: 4,
          ramGb: 8,
          environment: 'python',
          dataDiskGb: 100,
        }),
        fake.template({
          id: 'java',
          nameZh: 'Java 构建机',
          nameEn: 'Java build machine',
          vcpus: 8,
          ramGb: 16,
          environment: 'java',
          publicMbps: null,
          leaseHours: 4,
        }),
        fake.template({ id: 'plain', nameZh: '纯净系统', nameEn: 'Plain Linux', environment: 'none', leaseHours: 24 }),
      ],
    }),
  'servers.quote': ({ template }: CreateServer) =>
    fake.quote(
      template === 'java'
        ? { problems: [{ field: 'flavor', blocking: true, error: failed }], zone: null }
        : which === 'noted'
          ? { problems: [{ field: null, blocking: false, error: { ...failed, code: 'price_from_list' } }] }
          : {},
    ),
  'servers.create': (request: CreateServer) =>
    fake.operation({ id: 'operation-9', serverName: request.name, recordedAt: new Date().toISOString() }),
  'servers.extend': () => fake.operation({ id: 'operation-8', kind: 'lease.update', serverId: uuid(1) }),
  'servers.delete': () => fake.operation({ id: 'operation-7', kind: 'server.delete', serverId: uuid(1) }),
  'operations.list': () => operations,
  'events.list': () => ({ events: which === 'empty' ? [] : events, lastSeq: events.length, more: false }),
  'delivery.status': () => fake.delivery({ deliveredAt: at(-21.9), ...deliveries[which] }),
  'delivery.configure': () => fake.delivery(),
  'delivery.test': () => ({
    ok: true,
    status: 200,
    request: 'POST http://127.0.0.1:8088/services/collector/event\nAuthorization: ••••••\n\n{"_message":"…"}',
    answer: '{"code":0,"text":"Success"}',
    problem: null,
  }),
});

function began(app: AppState) {
  app.go(screen);
  const select = asked.get('select');
  if (select !== null) app.selection = { server: uuid(Number(select)), operation: null };
  const operation = asked.get('operation');
  if (operation !== null) app.selectedOperation = operation;
  if (asked.has('toasts')) {
    for (const [n, one] of operations.entries()) {
      if (one.stage === 'settled' && n < 4) {
        host.emit({ kind: 'operation', operation: { ...one, id: `toast-${n}` } });
      }
    }
  }
  Object.assign(window, { previewReady: true });
}

const target = document.getElementById('app');
if (target) mount(App, { target, props: { host, began } });
