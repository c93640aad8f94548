// Generated from Rust (crate `api`) by `cargo xtask bindings`. Do not edit.

export type AppInfo = { version: string, platform: string, dataDir: string, installationId: string, demo: DemoRegion | null, language: Language, theme: Theme, notice: WireError | null, };
/** The embedded region, when this start of the program runs or can run it. */
export type DemoRegion = { region: string, users: Array<DemoUser>, };
export type DemoUser = { name: string, role: string, };
export type Language = "system" | "zh-CN" | "en";
export type Theme = "system" | "light" | "dark";
export type Settings = { language: Language, theme: Theme, };

/** code: stable, snake_case. sentence/nextStep: in the user's language already. */
export type WireError = { code: string, sentence: string, nextStep: string | null, detail: string | null, providerCode: string | null, requestId: string | null, };

export type Region = { id: string, nameZh: string | null, nameEn: string | null, demo: boolean, };
export type AccountState = { "kind": "ready" } | { "kind": "stopped", error: WireError, };
export type Account = { id: string, name: string, region: string, projectId: string, accountId: string, accountName: string | null, userId: string, userName: string, remembered: boolean, demo: boolean, state: AccountState, };
export type Accounts = { accounts: Array<Account>, active: string | null, };
export type Remember = "keychain" | "run";
export type SignIn = { name: string, region: string, accessKey: string, secretKey: string, securityToken: string | null, projectId: string | null, remember: Remember, };
export type SignInDemo = { user: string, remember: Remember, };
export type AccountRef = { account: string, };

/** Decimal amount as text, e.g. "0.2530", and ISO 4217 currency. */
export type Money = { amount: string, currency: string, };
export type ServerState = "creating" | "running" | "stopping" | "stopped" | "starting" | "restarting" | "resizing" | "confirming_size" | "reinstalling" | "deleting" | "error" | "frozen" | "unknown";
export type AddressKind = "private" | "public";
export type Address = { address: string, kind: AddressKind, };
export type Server = { id: string, name: string, state: ServerState, fault: string | null, 
/** made by this application for the signed-in owner: only such servers can be changed here */
own: boolean, owner: string | null, purpose: string | null, flavor: string, vcpus: number | null, ramMb: number | null, image: string | null, os: string | null, zone: string | null, addresses: Array<Address>, diskCount: number, created: string | null, leaseEnd: string | null, operation: string | null, };
/** Times are RFC 3339 UTC. asOf: the cloud's clock at the last good answer; null = never loaded. */
export type ServerList = { account: string, servers: Array<Server>, asOf: string | null, refreshing: boolean, unreadable: number, problem: WireError | null, };

export type Environment = "none" | "docker" | "python" | "java" | "node";
export type Template = { id: string, nameZh: string, nameEn: string, vcpus: number, ramGb: number, image: string, systemDiskGb: number, dataDiskGb: number | null, publicMbps: number | null, leaseHours: number, environment: Environment, };
export type Flavor = { id: string, vcpus: number, ramMb: number, zones: Array<string>, };
export type Image = { id: string, name: string, os: string | null, minDiskGb: number, };
export type Subnet = { id: string, name: string, cidr: string | null, vpc: string, vpcName: string, freeAddresses: number | null, };
export type SecurityGroup = { id: string, name: string, };
export type Use = { used: number, max: number | null, };
export type Catalogue = { templates: Array<Template>, flavors: Array<Flavor>, images: Array<Image>, zones: Array<string>, subnets: Array<Subnet>, securityGroups: Array<SecurityGroup>, keyPairs: Array<string>, servers: Use, vcpus: Use, asOf: string, };
/** null = as the template (or the program's choice) says. leaseEnd RFC 3339. publicMbps: 0 = no public address. */
export type CreateServer = { template: string, name: string, purpose: string, leaseEnd: string, flavor: string | null, image: string | null, zone: string | null, subnet: string | null, securityGroup: string | null, keyPair: string | null, publicMbps: number | null, };
export type PricePartKind = "compute" | "system_disk" | "data_disk" | "public_address";
export type PricePart = { part: PricePartKind, spec: string, perHour: Money, };
/** field: which field of CreateServer it is about; blocking: create is refused while it stands */
export type Problem = { field: string | null, blocking: boolean, error: WireError, };
export type Quote = { perHour: Money | null, forLease: Money | null, leaseHours: string, parts: Array<PricePart>, problems: Array<Problem>, flavor: string | null, image: string | null, zone: string | null, subnet: string | null, securityGroup: string | null, keyPair: string | null, asOf: string, };
export type ExtendLease = { server: string, until: string, };
/** name: the server's name as the user typed or confirmed it; refused when it is not the server's name */
export type DeleteServer = { server: string, name: string, };

export type OperationKind = "server.create" | "lease.update" | "server.delete";
export type OperationStage = "recorded" | "sent" | "settled";
export type OperationOutcome = "ok" | "failed";
export type Operation = { id: string, kind: OperationKind, account: string, serverId: string | null, serverName: string, stage: OperationStage, outcome: OperationOutcome | null, error: WireError | null, jobId: string | null, 
/** what the cloud is doing now in its own words, e.g. a job state or task_state */
progress: string | null, leaseEnd: string | null, template: string | null, flavor: string | null, recordedAt: string, sentAt: string | null, settledAt: string | null, };

export type EventOutcome = "ok" | "failed" | "refused";
export type Event = { seq: number, eventId: string, time: string, action: string, outcome: EventOutcome, serverName: string | null, owner: string | null, opId: string | null, delivered: boolean, json: string, };
export type ListEvents = { before: number | null, limit: number, };
export type EventPage = { events: Array<Event>, lastSeq: number, more: boolean, };

export type DeliveryState = "off" | "idle" | "sending" | "waiting_to_retry" | "parked";
export type Delivery = { state: DeliveryState, url: string | null, eventSet: string, datatype: string, tokenStored: boolean, waiting: number, lastSeq: number, deliveredAt: string | null, nextTryAt: string | null, attempts: number, problem: WireError | null, };
/** token null = keep the stored one. The token goes in once and never comes back. */
export type ConfigureDelivery = { url: string, token: string | null, eventSet: string, datatype: string, allowPlainHttp: boolean, };
export type DeliveryTest = { ok: boolean, status: number | null, request: string, answer: string | null, problem: WireError | null, };

export type Change = { "kind": "accounts", accounts: Accounts, } | { "kind": "servers", list: ServerList, } | { "kind": "operation", operation: Operation, } | { "kind": "events", lastSeq: number, } | { "kind": "delivery", delivery: Delivery, };

/** Sends one call to the backend; rejects with a WireError. */
export type Call = <Answer>(name: string, request: unknown) => Promise<Answer>;

/** Every call the interface can make. */
export const calls = (call: Call) => ({
  app: {
    info: () => call<AppInfo>("app.info", null),
  },
  settings: {
    get: () => call<Settings>("settings.get", null),
    set: (request: Settings) => call<Settings>("settings.set", request),
  },
  accounts: {
    list: () => call<Accounts>("accounts.list", null),
    regions: () => call<Array<Region>>("accounts.regions", null),
    signIn: (request: SignIn) => call<Account>("accounts.sign_in", request),
    signInDemo: (request: SignInDemo) => call<Account>("accounts.sign_in_demo", request),
    select: (request: AccountRef) => call<Accounts>("accounts.select", request),
    /** reads the keychain again and takes up polling again */
    retry: (request: AccountRef) => call<Accounts>("accounts.retry", request),
    signOut: (request: AccountRef) => call<Accounts>("accounts.sign_out", request),
  },
  servers: {
    list: () => call<ServerList>("servers.list", null),
    refresh: () => call<ServerList>("servers.refresh", null),
    catalogue: () => call<Catalogue>("servers.catalogue", null),
    quote: (request: CreateServer) => call<Quote>("servers.quote", request),
    create: (request: CreateServer) => call<Operation>("servers.create", request),
    extend: (request: ExtendLease) => call<Operation>("servers.extend", request),
    delete: (request: DeleteServer) => call<Operation>("servers.delete", request),
  },
  operations: {
    list: () => call<Array<Operation>>("operations.list", null),
  },
  events: {
    list: (request: ListEvents) => call<EventPage>("events.list", request),
  },
  delivery: {
    status: () => call<Delivery>("delivery.status", null),
    configure: (request: ConfigureDelivery) => call<Delivery>("delivery.configure", request),
    test: () => call<DeliveryTest>("delivery.test", null),
    sendNow: () => call<Delivery>("delivery.send_now", null),
  },
});
