// What the interface knows, in one place. It is loaded once, and kept true by the backend's changes; no screen polls.
import { createContext } from 'svelte';
import type {
  Account,
  Accounts,
  AppInfo,
  Beginning,
  BudgetReached,
  Change,
  Cost,
  CreateServer,
  DeleteServer,
  Delivery,
  Operation,
  PerServer,
  PowerAct,
  Reading,
  Server,
  ServerList,
  Session,
  Settings,
  WireError,
} from './host/generated';
import { Desk } from './desk.svelte';
import { asWireError, type Host } from './host/host';
import { keep, kept } from './kept';
import { m, resolveLanguage, setLanguage } from './words/words.svelte';

export type Screen =
  'servers' | 'create' | 'operations' | 'events' | 'templates' | 'usage' | 'grants' | 'settings' | 'add-account';

/** What the servers screen has selected: a server, or the operation that is still making one. */
export type Selection = { server: string | null; operation: string | null };

/** A row of the servers table: a server the cloud reports, or one that an operation is making. */
export type Row = { key: string; server: Server | null; operation: Operation | null };

/** The end of a lease is near. */
export type LeaseWarning = Extract<Change, { kind: 'lease_warned' }>;

/** Something to be told: how an operation ended, or that a lease is about to. */
export type Toast = {
  id: number;
  operation: Operation | null;
  warning: LeaseWarning | null;
  error?: WireError;
  budget?: BudgetReached;
};

/** Whether it is known yet how the application stands. */
export type Start = { kind: 'starting' } | { kind: 'failed'; error: WireError } | { kind: 'ready' };

/** How much room a row takes. */
export type Density = 'comfortable' | 'compact';

const asUsual: Settings = {
  language: 'system',
  theme: 'system',
  warnMinutes: [10, 30, 120],
  tellOperations: true,
  stayInTray: false,
  proxy: 'system',
  proxyUrl: '',
  caFile: '',
};
const OK_TOAST_MS = 8000;
const COSTS_AFTER_MS = 500;
const TOASTS_AT_MOST = 5;

export class AppState {
  start = $state.raw<Start>({ kind: 'starting' });
  info = $state.raw<AppInfo | null>(null);
  settings = $state.raw<Settings>(asUsual);
  accounts = $state.raw<Accounts>({ accounts: [], active: null });
  list = $state.raw<ServerList | null>(null);
  listError = $state.raw<WireError | null>(null);
  operations = $state.raw<ReadonlyMap<string, Operation>>(new Map());
  /** What servers came to so far, by id, as the ledger worked it out with the last list; one it does not know is not there. */
  costs = $state.raw<ReadonlyMap<string, Cost>>(new Map());
  /** The server of each session that is not over, by the session's id. */
  sessions = $state.raw<ReadonlyMap<string, string>>(new Map());
  delivery = $state.raw<Delivery | null>(null);
  lastSeq = $state(0);
  /** The pull or import of everybody's events under way, or the last one. */
  reading = $state.raw<Reading | null>(null);
  /** Counts how often events were taken in by one. */
  taken = $state(0);
  /** Counts what was told of the grant in force. */
  grantTold = $state(0);
  /** Counts how often everything was loaded afresh, as when another ledger was opened: what was kept of the old is void. */
  ledger = $state(0);

  screen = $state<Screen>('servers');
  selection = $state.raw<Selection>({ server: null, operation: null });
  selectedOperation = $state<string | null>(null);
  /** Whether what is left of deleted servers is shown. */
  leftovers = $state(false);
  toasts = $state.raw<readonly Toast[]>([]);
  /** The template with which the next new server begins. */
  wantedTemplate = $state<string | null>(null);
  density = $state<Density>('comfortable');
  /** What the palette did last, the newest first. */
  recent: readonly string[] = [];
  readonly desk = new Desk(this);

  readonly host: Host;
  #stopWatching: (() => void) | null = null;
  #toastCount = 0;
  #deliveryTold = 0;
  #costsTimer: ReturnType<typeof setTimeout> | null = null;
  #guard: { unsaved: () => boolean; ask: (go: () => void) => void } | null = null;
  #saving: Promise<void> = Promise.resolve();
  #darkSystem: MediaQueryList;

  /** The account whose servers are shown. */
  readonly account: Account | null = $derived(
    this.accounts.accounts.find((account) => account.id === this.accounts.active) ?? null,
  );

  /** Operations, newest first. */
  readonly operationList: readonly Operation[] = $derived(
    [...this.operations.values()].sort((a, b) =>
      a.recordedAt < b.recordedAt ? 1 : a.recordedAt > b.recordedAt ? -1 : 0,
    ),
  );

  readonly running: readonly Operation[] = $derived(this.operationList.filter((one) => one.stage !== 'settled'));

  /** The servers of the active account, with those still being made first. */
  readonly rows: readonly Row[] = $derived.by(() => {
    const servers = this.list && this.list.account === this.accounts.active ? this.list.servers : [];
    const running = this.running.filter((one) => one.account === this.accounts.active);
    const known = new Set(servers.map((server) => server.id));
    const making: Row[] = running
      .filter((one) => one.kind === 'server.create' && (one.serverId === null || !known.has(one.serverId)))
      .map((operation) => ({ key: `operation ${operation.id}`, server: null, operation }));
    const made: Row[] = servers.map((server) => ({
      key: server.id,
      server,
      operation: running.find((one) => one.serverId === server.id) ?? null,
    }));
    return [...making, ...made];
  });

  constructor(host: Host) {
    this.host = host;
    this.#darkSystem = window.matchMedia('(prefers-color-scheme: dark)');
    this.#darkSystem.addEventListener('change', () => this.#showTheme());
    window.addEventListener('languagechange', () => this.#showLanguage());
    this.#showLanguage();
    this.#showTheme();
    this.showDensity(kept('density') === 'compact' ? 'compact' : 'comfortable');
  }

  /** Subscribes first, then loads: what changes in between arrives as a change. */
  async begin(): Promise<void> {
    this.start = { kind: 'starting' };
    try {
      this.end();
      const { beginning, stop } = await this.host.watch((change) => this.apply(change));
      this.#stopWatching = stop;
      this.#take(beginning);
      this.start = { kind: 'ready' };
      void this.desk.take();
    } catch (thrown) {
      this.start = { kind: 'failed', error: this.error(thrown) };
    }
  }

  #take(began: Beginning): void {
    this.info = began.info;
    this.applySettings(began.settings);
    this.#applyOperations(began.operations);
    this.delivery = began.delivery;
    this.#applySessions(began.sessions);
    this.applyAccounts(began.accounts, true, began.servers);
  }

  /** How many sessions there are on a server. */
  sessionsOn(server: string): number {
    return [...this.sessions.values()].filter((id) => id === server).length;
  }

  #applySessions(sessions: readonly Session[]): void {
    const all = new Map(this.sessions);
    for (const { id, server, state } of sessions) {
      if (state.kind === 'ended' || state.kind === 'failed') all.delete(id);
      else all.set(id, server);
    }
    this.sessions = all;
  }

  /** Another ledger may be open now, or changes were missed: forgets what was known and loads it all again. */
  async #reload(): Promise<void> {
    this.operations = new Map();
    this.list = null;
    this.lastSeq = 0;
    this.reading = null;
    try {
      this.#take(await this.host.app.beginning());
      this.ledger += 1;
    } catch (thrown) {
      this.start = { kind: 'failed', error: this.error(thrown) };
    }
  }

  end(): void {
    this.#stopWatching?.();
    this.#stopWatching = null;
  }

  /** Whatever was thrown, as an error that can be shown. */
  error(thrown: unknown): WireError {
    return asWireError(thrown, m.error_unexpected());
  }

  /** Takes in one change from the backend. */
  apply(change: Change): void {
    switch (change.kind) {
      case 'accounts':
        this.applyAccounts(change.accounts);
        break;
      case 'servers':
        if (this.accounts.active === null || change.list.account === this.accounts.active) {
          this.#applyServers(change.list);
        }
        break;
      case 'operation':
        this.#applyOperation(change.operation);
        break;
      case 'events':
        this.lastSeq = Math.max(this.lastSeq, change.lastSeq);
        this.#costsSoon();
        break;
      case 'delivery':
        this.#deliveryTold += 1;
        this.delivery = change.delivery;
        break;
      case 'reading':
        this.applyReading(change.reading);
        break;
      case 'budget_reached':
        this.#tell({ budget: change.reached });
        break;
      case 'session':
        this.#applySessions([change.session]);
        break;
      case 'session_gone':
        this.sessions = new Map([...this.sessions].filter(([id]) => id !== change.session));
        break;
      case 'grant':
        this.grantTold += 1;
        break;
      case 'lease_warned':
        this.#warn(change);
        break;
      case 'settings':
        this.applySettings(change.settings);
        break;
      case 'wished':
        if (this.start.kind === 'ready') void this.desk.take();
        break;
      case 'reload':
        void this.#reload();
        break;
    }
  }

  /** Takes in the accounts, and reads the servers when another is active now (or `always`) and they did not come along. */
  applyAccounts(accounts: Accounts, always = false, servers: ServerList | null = null): void {
    const same = this.accounts.active === accounts.active;
    this.accounts = accounts;
    // Whoever signs in next begins where everybody does.
    if (accounts.accounts.length === 0) this.go('servers');
    if (same && !always) return;
    if (!same) this.selection = { server: null, operation: null };
    this.listError = null;
    if (this.list?.account !== accounts.active) {
      this.list = null;
      this.costs = new Map();
    }
    if (servers !== null && servers.account === accounts.active) this.#applyServers(servers);
    else if (accounts.active !== null) void this.loadServers();
  }

  applySettings(settings: Settings): void {
    this.settings = settings;
    this.#showLanguage();
    this.#showTheme();
  }

  /** One after the other, each on what the one before left: two changes made at once are both kept. */
  async saveSettings(change: Partial<Settings> | ((now: Settings) => Partial<Settings>)): Promise<void> {
    const save = async () => {
      const changed = typeof change === 'function' ? change(this.settings) : change;
      this.applySettings(await this.host.settings.set({ ...this.settings, ...changed }));
    };
    const saved = this.#saving.then(save);
    this.#saving = saved.catch(() => {});
    await saved;
  }

  /** Reads the accounts again after signing in and goes to the servers. */
  async signedIn(account: Account): Promise<void> {
    this.applyAccounts(await this.host.accounts.list());
    if (this.accounts.active !== account.id) await this.selectAccount(account.id);
    // The change may have shown the servers already, and the person may be elsewhere by now.
    if (this.screen === 'add-account') this.go('servers');
  }

  async selectAccount(account: string): Promise<void> {
    this.applyAccounts(await this.host.accounts.select({ account }));
  }

  async loadServers(refresh = false): Promise<void> {
    if (this.accounts.active === null) return;
    const account = this.accounts.active;
    try {
      const list = await (refresh ? this.host.servers.refresh() : this.host.servers.list());
      if (account === this.accounts.active && list.account === account) this.#applyServers(list);
    } catch (thrown) {
      if (account === this.accounts.active) this.listError = this.error(thrown);
    }
  }

  /** An answer that was on its way while a newer list came in does not replace it. */
  #applyServers(list: ServerList): void {
    const shown = this.list?.account === list.account ? this.list.asOf : null;
    if (shown !== null && (list.asOf === null || list.asOf < shown)) return;
    this.list = list;
    this.listError = null;
    if (list.asOf !== shown || this.costs.size === 0) void this.#loadCosts(list.account);
  }

  /** What happened may have changed what servers come to; many events in a row are one reason. */
  #costsSoon(): void {
    if (this.#costsTimer !== null) return;
    this.#costsTimer = setTimeout(() => {
      this.#costsTimer = null;
      if (this.list !== null) void this.#loadCosts(this.list.account);
    }, COSTS_AFTER_MS);
  }

  /** An estimate beside the list: where it cannot be had, the list is none the worse. */
  async #loadCosts(account: string): Promise<void> {
    try {
      const { costs } = await this.host.servers.costs();
      if (account === this.accounts.active) this.costs = new Map(costs.map((cost) => [cost.server, cost]));
    } catch {
      this.costs = new Map();
    }
  }

  async create(request: CreateServer): Promise<void> {
    const operation = await this.host.servers.create(request);
    this.#applyOperation(operation);
    this.selection = { server: null, operation: operation.id };
    this.go('servers');
  }

  async extend(server: string, until: number): Promise<Operation> {
    return this.took(await this.host.servers.extend({ server, until: new Date(until).toISOString() }));
  }

  async cancelLease(server: string): Promise<void> {
    this.took(await this.host.servers.cancelLease({ server }));
  }

  async power(server: string, act: PowerAct, hard: boolean): Promise<void> {
    const [result] = await this.powerAll([server], act, hard);
    if (result?.error) throw result.error;
  }

  /** At most 100 servers; the answer says for each what became of it. */
  async powerAll(servers: string[], act: PowerAct, hard: boolean): Promise<PerServer[]> {
    return this.#tookAll(await this.host.servers.power({ servers, act, hard }));
  }

  /** The same for the end of leases, */
  async extendAll(servers: string[], until: number): Promise<PerServer[]> {
    return this.#tookAll(await this.host.servers.extendSeveral({ servers, until: new Date(until).toISOString() }));
  }

  /** and for deletions, each with the name as confirmed. */
  async deleteAll(servers: DeleteServer[]): Promise<PerServer[]> {
    return this.#tookAll(await this.host.servers.deleteSeveral({ servers }));
  }

  #tookAll(results: PerServer[]): PerServer[] {
    for (const { operation } of results) if (operation) this.#applyOperation(operation);
    return results;
  }

  async delete(server: string, name: string): Promise<Operation> {
    return this.took(await this.host.servers.delete({ server, name }));
  }

  /** Asks something of delivery. What was told of it while the answer was on its way is newer than the answer. */
  async deliver(ask: (delivery: Host['delivery']) => Promise<Delivery>): Promise<Delivery> {
    const told = this.#deliveryTold;
    const delivery = await ask(this.host.delivery);
    if (told === this.#deliveryTold) this.delivery = delivery;
    return delivery;
  }

  /** How the reading of everybody's events stands; from then on it is told. */
  async askReading(): Promise<void> {
    await this.attempt(async () => this.applyReading(await this.host.platform.reading()));
  }

  /** An answer that was on its way while a newer change came in does not replace it. */
  applyReading(reading: Reading): void {
    const before = this.reading;
    const older = before !== null && (before.began ?? '') > (reading.began ?? '');
    const ended = before?.began === reading.began && before?.ended !== null && reading.ended === null;
    if (older || ended) return;
    this.reading = reading;
    if (reading.ended !== null && before?.ended !== reading.ended) this.taken += 1;
  }

  /** Takes in an operation that a call answered with. */
  took(operation: Operation): Operation {
    this.#applyOperation(operation);
    return operation;
  }

  showDensity(density: Density): void {
    this.density = density;
    keep('density', density);
    document.documentElement.dataset['density'] = density;
  }

  /** Asks whoever has something unsaved on the screen before it is left. The answer takes the guard off again. */
  guard(unsaved: () => boolean, ask: (go: () => void) => void): () => void {
    const guard = { unsaved, ask };
    this.#guard = guard;
    return () => {
      if (this.#guard === guard) this.#guard = null;
    };
  }

  /** Leaves for another screen; `then` is done once it is there, which may be after a question about what is unsaved. */
  go(screen: Screen, then?: () => void): void {
    const go = () => {
      this.wantedTemplate = null;
      this.desk.wantedAct = null;
      this.desk.draft = null;
      this.screen = screen;
      then?.();
    };
    if (screen !== this.screen && this.#guard?.unsaved()) this.#guard.ask(go);
    else go();
  }

  /** Goes to a new server with this template chosen. */
  createFrom(template: string): void {
    this.desk.create(template, null);
  }

  showServer(operation: Operation): void {
    this.selection = { server: operation.serverId, operation: operation.serverId === null ? operation.id : null };
    this.go('servers');
  }

  showServerById(server: string, then?: () => void): void {
    this.selection = { server, operation: null };
    this.go('servers', then);
  }

  /** Shows what is left of deleted servers, over the list of those that are there. */
  showLeftovers(): void {
    this.go('servers', () => (this.leftovers = true));
  }

  showOperation(id: string): void {
    this.selectedOperation = id;
    this.go('operations');
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  /** The row the selection means: an operation's selection follows it to the server it made. */
  readonly selectedRow: Row | null = $derived.by(() => {
    const { server, operation } = this.selection;
    const id = server ?? (operation === null ? null : (this.operations.get(operation)?.serverId ?? null));
    return (
      this.rows.find(
        (row) => (id !== null && row.server?.id === id) || (row.server === null && row.operation?.id === operation),
      ) ?? null
    );
  });

  #applyOperation(operation: Operation): void {
    const before = this.operations.get(operation.id);
    // An answer may arrive after a newer change: what is settled stays settled.
    if (before?.stage === 'settled' && operation.stage !== 'settled') return;
    this.operations = new Map(this.operations).set(operation.id, operation);
    if (operation.stage === 'settled' && before?.stage !== 'settled') this.#toast(operation);
  }

  #toast(operation: Operation): void {
    const id = ++this.#toastCount;
    // What is news about a server takes the place of older news about it; a failure stays until it is read.
    const others = this.toasts.filter(({ operation: older, warning }) => {
      // A moved or removed end, or none to wait for, is the answer to a warning.
      if (warning) return operation.outcome !== 'ok' || warning.server !== operation.serverId;
      if (!older) return true;
      return older.outcome !== 'ok' || older.serverId === null || older.serverId !== operation.serverId;
    });
    this.toasts = [...others, { id, operation, warning: null }].slice(-TOASTS_AT_MOST);
    if (operation.outcome !== 'failed') setTimeout(() => this.dismiss(id), OK_TOAST_MS);
  }

  /** Does what has no place of its own to show that it failed, and tells it. */
  async attempt(what: () => void | Promise<void>): Promise<void> {
    try {
      await what();
    } catch (thrown) {
      this.#tell({ error: this.error(thrown) });
    }
  }

  #tell(what: Pick<Toast, 'error' | 'budget'>): void {
    const told: Toast = { id: ++this.#toastCount, operation: null, warning: null, ...what };
    this.toasts = [...this.toasts, told].slice(-TOASTS_AT_MOST);
  }

  /** A warning stays until it is read, or until the next one about the same server. */
  #warn(warning: LeaseWarning): void {
    const id = ++this.#toastCount;
    const others = this.toasts.filter((toast) => toast.warning?.server !== warning.server);
    this.toasts = [...others, { id, operation: null, warning }].slice(-TOASTS_AT_MOST);
  }

  /** Takes in the loaded operations, without losing what changes told in the meantime. */
  #applyOperations(loaded: Operation[]): void {
    const merged = new Map(loaded.map((one) => [one.id, one]));
    for (const [id, one] of this.operations) {
      if (!merged.has(id) || one.stage === 'settled') merged.set(id, one);
    }
    this.operations = merged;
  }

  #showLanguage(): void {
    setLanguage(resolveLanguage(this.settings.language, navigator.languages));
  }

  #showTheme(): void {
    const { theme } = this.settings;
    const dark = theme === 'dark' || (theme === 'system' && this.#darkSystem.matches);
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
  }
}

export const [useApp, provideApp] = createContext<AppState>();
