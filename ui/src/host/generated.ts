// Generated from Rust (crate `api`) by `cargo xtask bindings`. Do not edit.

/**
 * One account.
 */
export type Account = { 
/**
 * Our id.
 */
id: string, 
/**
 * What the user calls it.
 */
name: string, 
/**
 * Region id.
 */
region: string, 
/**
 * Project id.
 */
projectId: string, 
/**
 * Id of the cloud account.
 */
accountId: string, 
/**
 * Name of the cloud account.
 */
accountName: string | null, 
/**
 * IAM user id.
 */
userId: string, 
/**
 * IAM user name.
 */
userName: string, 
/**
 * The key stands in the keychain.
 */
remembered: boolean, 
/**
 * Of the embedded region.
 */
demo: boolean, 
/**
 * Whether it works.
 */
state: AccountState, };

/**
 * Names an account.
 */
export type AccountRef = { 
/**
 * Our id.
 */
account: string, };

/**
 * Whether an account works.
 */
export type AccountState = { "kind": "ready" } | { "kind": "stopped", 
/**
 * Why.
 */
error: WireError, };

/**
 * All accounts.
 */
export type Accounts = { 
/**
 * In the order they were added.
 */
accounts: Array<Account>, 
/**
 * Our id of the one in use.
 */
active: string | null, };

/**
 * Acting on a server that an audit found.
 */
export type ActOnFinding = { 
/**
 * Server id.
 */
server: string, 
/**
 * What is done.
 */
act: AuditAct, };

/**
 * Whether a key may make, change or delete something.
 */
export type ActRight = { 
/**
 * What.
 */
what: Doable, 
/**
 * None: nothing says so.
 */
allowed: boolean | null, 
/**
 * How that is known; none: it is not.
 */
ground: Ground | null, 
/**
 * When that was.
 */
at: string | null, 
/**
 * Why not, or why it is not known.
 */
error: WireError | null, };

/**
 * A disk asked for.
 */
export type AddDisk = { 
/**
 * Server id.
 */
server: string, 
/**
 * Its type, such as `GPSSD`.
 */
diskType: string, 
/**
 * Its size in GB.
 */
sizeGb: number, };

/**
 * One address of a server.
 */
export type Address = { 
/**
 * IPv4 or IPv6.
 */
address: string, 
/**
 * Where it can be reached from.
 */
kind: AddressKind, };

/**
 * Where an address can be reached from.
 */
export type AddressKind = "private" | "public";

/**
 * Letting an address in.
 */
export type AdmitSsh = { 
/**
 * An IP address, or a narrow range such as `203.0.113.0/24`.
 */
address: string, };

/**
 * What the program is, and what a start should show.
 */
export type AppInfo = { 
/**
 * Version of the program.
 */
version: string, 
/**
 * `windows`, `macos` or `linux`.
 */
platform: string, 
/**
 * Directory of the ledger in use.
 */
dataDir: string, 
/**
 * Random id of this installation.
 */
installationId: string, 
/**
 * The embedded region that can be tried.
 */
demo: DemoRegion | null, 
/**
 * Whether the embedded region is what is in use now.
 */
demoActive: boolean, 
/**
 * Language to show, with a start's own wish already in it.
 */
language: Language, 
/**
 * Look to show, with a start's own wish already in it.
 */
theme: Theme, 
/**
 * Something to be told once.
 */
notice: WireError | null, };

/**
 * Which grant is looked at.
 */
export type AskAudit = { 
/**
 * Which.
 */
of: AuditOf, };

/**
 * Asks for a month's bill.
 */
export type AskBill = { 
/**
 * `YYYY-MM` in Asia/Shanghai.
 */
month: string, };

/**
 * Asks what to do in the guest.
 */
export type AskDiskCommands = { 
/**
 * Server id.
 */
server: string, 
/**
 * Disk id.
 */
disk: string, 
/**
 * What for.
 */
purpose: Purpose, };

/**
 * A disk of a size, whose price is asked: a new one, or one that grows.
 */
export type AskDiskPrice = { 
/**
 * Server id.
 */
server: string, 
/**
 * The disk that grows; none: a new one.
 */
disk: string | null, 
/**
 * Type of a new disk.
 */
diskType: string | null, 
/**
 * Its size then, in GB.
 */
sizeGb: number, };

/**
 * Asking what an administrator's acts need.
 */
export type AskDuties = { 
/**
 * Where the next grant is to be published; none: where the last one was.
 */
place: string | null, };

/**
 * Asking for the link by which people join.
 */
export type AskLink = { 
/**
 * Where others serve the file; none: where it was published.
 */
address: string | null, 
/**
 * With the place of the events that is set here.
 */
withHei: boolean, 
/**
 * With the token for it, under this passphrase.
 */
passphrase: string | null, };

/**
 * Asks for what is wasted.
 */
export type AskWaste = { 
/**
 * Whose.
 */
whose?: Whose, };

/**
 * What does not keep to a grant.
 */
export type Audit = { 
/**
 * Owners who have more than they may.
 */
owners: Array<OwnerOver>, 
/**
 * Servers, the oldest first.
 */
servers: Array<Finding>, 
/**
 * How many servers were looked at.
 */
lookedAt: number, 
/**
 * When, by the cloud's clock.
 */
asOf: string, };

/**
 * What is done with it.
 */
export type AuditAct = { "kind": "set_lease", 
/**
 * The end.
 */
until: string, } | { "kind": "stop" } | { "kind": "delete", 
/**
 * Its name, as confirmed.
 */
name: string, };

/**
 * Which grant is looked at.
 */
export type AuditOf = "draft" | "signed" | "in_force";

/**
 * Why a line is no event.
 */
export type BadLine = "too_long" | "not_text" | "not_json" | "wrong_cells" | "not_an_event" | "newer";

/**
 * What a window begins with.
 */
export type Beginning = { 
/**
 * What the program is.
 */
info: AppInfo, 
/**
 * The settings.
 */
settings: Settings, 
/**
 * Who is signed in.
 */
accounts: Accounts, 
/**
 * What was asked for and is not forgotten yet.
 */
operations: Array<Operation>, 
/**
 * How events are delivered.
 */
delivery: Delivery, 
/**
 * The sessions that are open.
 */
sessions: Array<Session>, 
/**
 * The servers of the account in use; nothing where they cannot be told, or nobody is signed in.
 */
servers: ServerList | null, };

/**
 * A month's bill.
 */
export type Bill = { 
/**
 * The month, `YYYY-MM` in Asia/Shanghai.
 */
month: string, 
/**
 * It does not change any more.
 */
isFinal: boolean, 
/**
 * What is to be paid in all, as the bill's own sum says.
 */
billed: Money, 
/**
 * The list price of the resources, where every row tells it.
 */
list: Money | null, 
/**
 * By kind; together the sum of the resources.
 */
kinds: Array<BilledKind>, 
/**
 * By owner; together the sum of the resources.
 */
owners: Array<BilledOwner>, 
/**
 * The resources, the dearest first.
 */
resources: Array<BilledResource>, 
/**
 * Resources that are not shown one by one.
 */
more: number, 
/**
 * What was estimated for this month from the events here: everybody's, as far as they were pulled or imported.
 */
estimated: Money | null, 
/**
 * What was charged beyond the estimate.
 */
difference: Money | null, 
/**
 * Why.
 */
reasons: Array<BillDifference>, 
/**
 * When it was asked for, by the cloud's clock.
 */
asOf: string, };

/**
 * One reason, with its amount where it has one.
 */
export type BillDifference = { 
/**
 * Why.
 */
reason: BillReason, 
/**
 * How much of the difference it explains.
 */
amount: Money | null, };

/**
 * What was charged for.
 */
export type BillKind = "compute" | "disk" | "address" | "traffic" | "other";

/**
 * Why the bill is not the estimate.
 */
export type BillReason = "not_final" | "discount" | "traffic" | "untagged" | "not_ours" | "rounding" | "unreadable" | "own_events_only" | "still_counting";

/**
 * A part of the bill by kind.
 */
export type BilledKind = { 
/**
 * Of what kind.
 */
kind: BillKind, 
/**
 * What was charged.
 */
billed: Money, };

/**
 * A part of the bill by owner.
 */
export type BilledOwner = { 
/**
 * Whose; none: nobody's, as far as anybody knows.
 */
owner: string | null, 
/**
 * What was charged.
 */
billed: Money, 
/**
 * What was estimated from the events; none: there are no events of this owner.
 */
estimated: Money | null, 
/**
 * What was charged beyond the estimate.
 */
difference: Money | null, };

/**
 * A resource on the bill. Every text in it comes from outside and is shown as text.
 */
export type BilledResource = { 
/**
 * The cloud's id; empty where the bill names none.
 */
id: string, 
/**
 * Its name when it was billed.
 */
name: string, 
/**
 * Of what kind.
 */
kind: BillKind, 
/**
 * Whose.
 */
owner: string | null, 
/**
 * Its region.
 */
region: string | null, 
/**
 * What was charged.
 */
billed: Money, };

/**
 * How far bills were read.
 */
export type BillsRead = { 
/**
 * Bills that were read now.
 */
read: number, 
/**
 * Months whose bill was final already when it was read before.
 */
kept: number, };

/**
 * Why a server is in the list.
 */
export type Breach = "too_many" | "no_lease" | "lease_too_long" | "no_owner" | "not_named" | "flavor_not_allowed" | "public_address" | "region_not_allowed" | "disk_too_large";

/**
 * What a month may cost.
 */
export type Budget = { 
/**
 * Whose.
 */
scope: BudgetScope, 
/**
 * Owner id or purpose; empty for everything.
 */
key: string, 
/**
 * How much.
 */
monthly: Money, 
/**
 * At which percentages something is to be said.
 */
percentages: Array<number>, };

/**
 * A percentage of a budget is spent, or will be.
 */
export type BudgetReached = { 
/**
 * Whose money.
 */
scope: BudgetScope, 
/**
 * Owner id or purpose; empty for everything.
 */
key: string, 
/**
 * Name of the owner, or the purpose; empty for everything. It comes from outside.
 */
name: string, 
/**
 * As `2026-11`.
 */
month: string, 
/**
 * The highest percentage that is reached.
 */
percent: number, 
/**
 * It is not spent yet: the month comes to it as it goes.
 */
expected: boolean, 
/**
 * What is spent, or expected.
 */
amount: Money, 
/**
 * The budget of the month.
 */
budget: Money, };

/**
 * Whose money.
 */
export type BudgetScope = "all" | "owner" | "purpose";

/**
 * How a budget stands.
 */
export type BudgetState = { 
/**
 * The budget.
 */
budget: Budget, 
/**
 * As `2026-11`.
 */
month: string, 
/**
 * What was spent of it.
 */
spent: string, 
/**
 * What the month will come to as it goes.
 */
expected: string, 
/**
 * The month is too young to say.
 */
tooLittle: boolean, 
/**
 * What was spent, in percent.
 */
spentPercent: string, 
/**
 * What is expected, in percent.
 */
expectedPercent: string, 
/**
 * Percentages that are reached.
 */
reached: Array<number>, 
/**
 * Percentages that will be.
 */
toBeReached: Array<number>, 
/**
 * Up to when it is counted.
 */
asOf: string, };

/**
 * A bundle that was written.
 */
export type Bundle = { 
/**
 * The file.
 */
file: string, 
/**
 * What is in it.
 */
entries: Array<string>, 
/**
 * Its size.
 */
bytes: number, };

/**
 * What a region offers to an account.
 */
export type Catalogue = { 
/**
 * Templates.
 */
templates: Array<Template>, 
/**
 * Flavors that some zone sells, smallest first.
 */
flavors: Array<Flavor>, 
/**
 * Public images.
 */
images: Array<Image>, 
/**
 * Availability zones.
 */
zones: Array<string>, 
/**
 * Subnets.
 */
subnets: Array<Subnet>, 
/**
 * Security groups.
 */
securityGroups: Array<SecurityGroup>, 
/**
 * Names of the key pairs this user may use.
 */
keyPairs: Array<string>, 
/**
 * Servers of the project.
 */
servers: Use, 
/**
 * Virtual processors of the project.
 */
vcpus: Use, 
/**
 * What the organisation that was joined lets people begin with; none where none was.
 */
defaults: ServerDefaults | null, 
/**
 * When the region was asked.
 */
asOf: string, };

/**
 * Something changed.
 */
export type Change = { "kind": "accounts", 
/**
 * As they are now.
 */
accounts: Accounts, } | { "kind": "servers", 
/**
 * As they are now.
 */
list: ServerList, } | { "kind": "operation", 
/**
 * As it is now.
 */
operation: Operation, } | { "kind": "events", 
/**
 * Number of the newest.
 */
lastSeq: number, } | { "kind": "grant" } | { "kind": "delivery", 
/**
 * As it is now.
 */
delivery: Delivery, } | { "kind": "lease_warned", 
/**
 * Our id of the account.
 */
account: string, 
/**
 * Server id.
 */
server: string, 
/**
 * Name of the server.
 */
name: string, 
/**
 * When the lease ends.
 */
leaseEnd: string, 
/**
 * Which warning it is: minutes before the end.
 */
minutes: number, } | { "kind": "session", 
/**
 * As it is now.
 */
session: Session, } | { "kind": "session_gone", 
/**
 * Its id.
 */
session: string, } | { "kind": "session_stalled", 
/**
 * Its id.
 */
session: string, } | { "kind": "session_copies", 
/**
 * Session id.
 */
session: string, 
/**
 * As they stand.
 */
copies: Array<CopyView>, } | { "kind": "session_edits", 
/**
 * Session id.
 */
session: string, 
/**
 * As they stand.
 */
edits: Array<EditView>, } | { "kind": "budget_reached", 
/**
 * What is told.
 */
reached: BudgetReached, } | { "kind": "tunnels", 
/**
 * All of them.
 */
tunnels: Array<TunnelView>, } | { "kind": "session_preferences", 
/**
 * As it is now.
 */
preferences: SessionPreferences, } | { "kind": "reading", 
/**
 * As it is now.
 */
reading: Reading, } | { "kind": "settings", 
/**
 * As it is now.
 */
settings: Settings, } | { "kind": "wished" } | { "kind": "reload" };

/**
 * A host key that was shown, and what is known instead.
 */
export type ChangedHostKey = { 
/**
 * What was shown.
 */
shown: HostKeyView, 
/**
 * What is known.
 */
known: Array<HostKeyView>, };

/**
 * A file with a private key that a person chose in the system's dialog.
 */
export type ChosenKey = { 
/**
 * What it is called here; where it lies is not told.
 */
id: string, 
/**
 * The file's name.
 */
name: string, };

/**
 * Says where events go.
 */
export type ConfigureDelivery = { 
/**
 * Address of the HEI.
 */
url: string, 
/**
 * Its token; none: the one that is kept. It goes in here once and never comes back.
 */
token: string | null, 
/**
 * Data set.
 */
eventSet: string, 
/**
 * Data type.
 */
datatype: string, 
/**
 * Plain HTTP to another computer, on purpose.
 */
allowPlainHttp: boolean, 
/**
 * The way of speaking; the platform's own where nothing is said.
 */
preset?: Preset, 
/**
 * With `custom`: the fields that differ from the platform's own way.
 */
profile?: Record<string, unknown>, };

/**
 * Says where the platform's search is.
 */
export type ConfigureSearch = { 
/**
 * Its address.
 */
url: string, 
/**
 * The token; none: the one that is kept already.
 */
token: string | null, 
/**
 * Data set.
 */
eventSet: string, 
/**
 * Plain HTTP to another computer, on purpose.
 */
allowPlainHttp: boolean, 
/**
 * The way of asking.
 */
preset?: SearchPreset, 
/**
 * With `custom`: the fields that differ from the way with jobs.
 */
profile?: Record<string, unknown>, };

/**
 * Something that could not be copied.
 */
export type CopyProblem = { 
/**
 * Its path, here or there.
 */
path: string, 
/**
 * Why.
 */
error: WireError, };

/**
 * Where a copy stands.
 */
export type CopyState = { "kind": "waiting" } | { "kind": "running" } | { "kind": "retrying", 
/**
 * Why it was lost.
 */
error: WireError, } | { "kind": "paused" } | { "kind": "done" } | { "kind": "failed", 
/**
 * Why.
 */
error: WireError, } | { "kind": "cancelled" };

/**
 * What is done with a copy.
 */
export type CopySteer = "pause" | "resume" | "cancel" | "replace";

/**
 * A copy, one way or the other.
 */
export type CopyView = { 
/**
 * Its number in the session.
 */
id: number, 
/**
 * To the server.
 */
up: boolean, 
/**
 * The path here.
 */
here: string, 
/**
 * The path there.
 */
there: string, 
/**
 * Where it stands.
 */
state: CopyState, 
/**
 * Bytes that are there.
 */
bytesDone: number, 
/**
 * Bytes in all, as far as known.
 */
bytesAll: number, 
/**
 * Files that are there.
 */
filesDone: number, 
/**
 * Files in all, as far as known.
 */
filesAll: number, 
/**
 * Links and such that are left out.
 */
skipped: number, 
/**
 * Bytes a second, of the last moments.
 */
rate: number, 
/**
 * What could not be copied while the rest was, the first of it.
 */
problems: Array<CopyProblem>, };

/**
 * What one server came to.
 */
export type Cost = { 
/**
 * Server id.
 */
server: string, 
/**
 * Since when it is counted: since it was made, or since it was first seen here.
 */
since: string, 
/**
 * What it came to, to the cent, rounded up. From above: a stopped server may cost less.
 */
soFar: Money, 
/**
 * What it costs an hour now.
 */
perHour: Money, };

/**
 * What the servers that exist came to. One whose price was never known is not among them.
 */
export type Costs = { 
/**
 * The servers.
 */
costs: Array<Cost>, 
/**
 * Up to when.
 */
asOf: string, };

/**
 * A server asked for. What is left out the template, or else the region, decides.
 */
export type CreateServer = { 
/**
 * Template id.
 */
template: string, 
/**
 * Name of the server.
 */
name: string, 
/**
 * What it is for; may be empty.
 */
purpose: string, 
/**
 * When it shall end.
 */
leaseEnd: string, 
/**
 * Flavor id.
 */
flavor: string | null, 
/**
 * Image id.
 */
image: string | null, 
/**
 * Availability zone.
 */
zone: string | null, 
/**
 * Subnet id.
 */
subnet: string | null, 
/**
 * Security group id.
 */
securityGroup: string | null, 
/**
 * Name of a key pair of the cloud's; none: a fresh one, for this server only.
 */
keyPair: string | null, 
/**
 * Bandwidth of the public address in Mbit/s; 0: no public address.
 */
publicMbps: number | null, 
/**
 * What the server does on its first start beside what its environment installs: a text for cloud-init that begins
 * with `#cloud-config`, `#!` or `#cloud-boothook`. Every process on the server can read it.
 */
userData?: string, 
/**
 * Size of the system disk, in GB.
 */
systemDiskGb?: number, 
/**
 * Size of the data disk, in GB; 0: no data disk.
 */
dataDiskGb?: number, };

/**
 * What people begin with: at sign-in, in the form of a new server, and for their events.
 */
export type Defaults = { 
/**
 * Region id.
 */
region?: string, 
/**
 * Project id.
 */
project?: string, 
/**
 * Id of the subnet that a new server is in.
 */
subnet?: string, 
/**
 * Id of its security group.
 */
securityGroup?: string, 
/**
 * Id of the template that is chosen first.
 */
template?: string, 
/**
 * Templates of the organisation, offered before the others. What one leaves open stands nowhere in it.
 */
templates?: Array<Template>, 
/**
 * How the names of images begin that are taken where a template that came with the program names one; the first that
 * the region has.
 */
images?: Array<string>, 
/**
 * What the templates that came with the program may install; those with another environment are not offered. Empty:
 * all of them.
 */
environments?: Array<Environment>, 
/**
 * Where events go; the token comes by another way.
 */
hei?: HeiPlace, };

/**
 * Deleting a disk that is attached to nothing.
 */
export type DeleteDisk = { 
/**
 * Id of the server that it belongs to.
 */
server: string, 
/**
 * Disk id.
 */
disk: string, 
/**
 * The disk's name, as confirmed.
 */
name: string, };

/**
 * Deleting a server.
 */
export type DeleteServer = { 
/**
 * Server id.
 */
server: string, 
/**
 * The server's name, as confirmed.
 */
name: string, };

/**
 * Deleting several servers.
 */
export type DeleteServers = { 
/**
 * Which, each with its name as confirmed; at most 100.
 */
servers: Array<DeleteServer>, };

/**
 * What a deletion would take and leave.
 */
export type Deletion = { 
/**
 * Server id.
 */
server: string, 
/**
 * Its name, which has to be typed.
 */
name: string, 
/**
 * Its parts.
 */
parts: Array<DeletionPart>, 
/**
 * What all that stays costs a month; none: nothing stays that costs, or its price is not known.
 */
staysPerMonth: Money | null, 
/**
 * By the cloud's clock.
 */
asOf: string, };

/**
 * What becomes of one part when the server is deleted.
 */
export type DeletionPart = { 
/**
 * What it is.
 */
kind: PartKind, 
/**
 * The cloud's id.
 */
id: string | null, 
/**
 * Its name, or the address.
 */
name: string, 
/**
 * Size of a disk, in GB.
 */
sizeGb: number | null, 
/**
 * It goes; else it stays.
 */
goes: boolean, 
/**
 * What it costs a month, where it stays and that is known.
 */
perMonth: Money | null, };

/**
 * How delivery stands.
 */
export type Delivery = { 
/**
 * What it does.
 */
state: DeliveryState, 
/**
 * Where events go.
 */
url: string | null, 
/**
 * Data set.
 */
eventSet: string, 
/**
 * Data type.
 */
datatype: string, 
/**
 * Whether plain HTTP to another computer was chosen on purpose.
 */
allowPlainHttp: boolean, 
/**
 * Whether a token is kept.
 */
tokenStored: boolean, 
/**
 * Events not delivered yet.
 */
waiting: number, 
/**
 * Number of the newest event.
 */
lastSeq: number, 
/**
 * When the last batch was taken.
 */
deliveredAt: string | null, 
/**
 * When the next try is due.
 */
nextTryAt: string | null, 
/**
 * Failures since the last success.
 */
attempts: number, 
/**
 * What stops it.
 */
problem: WireError | null, 
/**
 * The way of speaking.
 */
preset: Preset, 
/**
 * Every field of it, as in use.
 */
profile: Record<string, unknown>, 
/**
 * Events that the receiver refused and that are set apart.
 */
quarantined: number, };

/**
 * What delivery does.
 */
export type DeliveryState = "off" | "idle" | "sending" | "waiting_to_retry" | "parked";

/**
 * What came of a test event.
 */
export type DeliveryTest = { 
/**
 * The receiver took it.
 */
ok: boolean, 
/**
 * HTTP status.
 */
status: number | null, 
/**
 * What was sent, the token blanked.
 */
request: string, 
/**
 * What came back.
 */
answer: string | null, 
/**
 * What went wrong.
 */
problem: WireError | null, };

/**
 * The embedded region.
 */
export type DemoRegion = { 
/**
 * Its id.
 */
region: string, 
/**
 * Who one can be there.
 */
users: Array<DemoUser>, };

/**
 * A person of the embedded region.
 */
export type DemoUser = { 
/**
 * User name.
 */
name: string, 
/**
 * What this person may do.
 */
role: string, };

/**
 * One disk. Every text in it comes from outside and is shown as text.
 */
export type Disk = { 
/**
 * Disk id.
 */
id: string, 
/**
 * Its name; may be empty.
 */
name: string, 
/**
 * Its device in the guest, such as `/dev/vdb`.
 */
device: string | null, 
/**
 * Its size in GB.
 */
sizeGb: number | null, 
/**
 * The largest size that it can grow to, in GB.
 */
mostGb: number, 
/**
 * Its type, such as `GPSSD`.
 */
diskType: string, 
/**
 * The server starts from it.
 */
system: boolean, 
/**
 * On the server; else it is on none, and costs all the same.
 */
attached: boolean, 
/**
 * Whether it goes when the lease ends.
 */
goesWithServer: boolean | null, 
/**
 * Made by this application for the signed-in owner: only such disks are deleted here.
 */
own: boolean, 
/**
 * The cloud's own word for its state, such as `in-use` or `extending`.
 */
state: string, 
/**
 * Its price of an hour; none: it cannot be had just now.
 */
perHour: Money | null, };

/**
 * What to type in the guest, with comments in the user's language.
 */
export type DiskCommands = { 
/**
 * What it is typed into.
 */
shell: Shell, 
/**
 * The lines.
 */
text: string, };

/**
 * The disks of a server, and what else it could have.
 */
export type DiskList = { 
/**
 * Server id.
 */
server: string, 
/**
 * Its disks, the system disk first, those that are attached to nothing last.
 */
disks: Array<Disk>, 
/**
 * How many more it can have; none: the cloud does not say.
 */
free: number | null, 
/**
 * The types that its zone sells now.
 */
diskTypes: Array<string>, 
/**
 * Smallest size of a new disk, in GB.
 */
leastGb: number, 
/**
 * Largest size of a new disk, in GB.
 */
mostGb: number, 
/**
 * By the cloud's clock.
 */
asOf: string, };

/**
 * What a disk of a size costs.
 */
export type DiskPrice = { 
/**
 * Price of an hour of the disk.
 */
perHour: Money, 
/**
 * Price of an hour of the server with all its disks and its public address then.
 */
serverPerHour: Money, };

/**
 * Names a disk of a server.
 */
export type DiskRef = { 
/**
 * Server id.
 */
server: string, 
/**
 * Disk id.
 */
disk: string, };

/**
 * Something that can be made, changed or deleted.
 */
export type Doable = "create" | "delete" | "power" | "lease" | "resize" | "rename" | "tag" | "password" | "disks" | "addresses" | "security_groups";

/**
 * Something that an administrator's acts need.
 */
export type Duty = "sign" | "publish" | "see_servers" | "see_disks" | "set_lease" | "stop" | "delete";

/**
 * Whether what an administrator's act needs is there.
 */
export type DutyRight = { 
/**
 * Which.
 */
what: Duty, 
/**
 * None: nothing says so.
 */
allowed: boolean | null, 
/**
 * When the cloud took or refused it the last time; none where it was asked just now.
 */
at: string | null, 
/**
 * Why not, or why it is not known.
 */
error: WireError | null, };

/**
 * Where a file that is changed here stands.
 */
export type EditStateView = { "kind": "same" } | { "kind": "saving" } | { "kind": "saved", 
/**
 * How often by now.
 */
times: number, } | { "kind": "conflict" } | { "kind": "failed", 
/**
 * Why.
 */
error: WireError, };

/**
 * A file of the server that is changed in an editor here.
 */
export type EditView = { 
/**
 * Its number.
 */
id: number, 
/**
 * Its path there.
 */
path: string, 
/**
 * Where it stands.
 */
state: EditStateView, };

/**
 * What the audit tells.
 */
export type Elsewhere = { 
/**
 * The servers, those with the newest act first.
 */
servers: Array<ServerElsewhere>, 
/**
 * Servers that are not told of because there are too many.
 */
more: number, 
/**
 * Traces that could not be read.
 */
unreadable: number, 
/**
 * Whether the account has an audit at all; without one nothing is known.
 */
audited: boolean, 
/**
 * From when.
 */
from: string, 
/**
 * Until when, by the cloud's clock.
 */
asOf: string, };

/**
 * What something is.
 */
export type EntryKind = "file" | "folder" | "link" | "other";

/**
 * Something in a folder.
 */
export type EntryView = { 
/**
 * Its name; untrusted text.
 */
name: string, 
/**
 * What it is.
 */
kind: EntryKind, 
/**
 * In bytes.
 */
size: number, 
/**
 * When it was changed, in seconds of Unix time.
 */
modified: number | null, 
/**
 * Permissions, the lower 12 bits.
 */
mode: number | null, 
/**
 * It can be opened, renamed and so on: its name is sound.
 */
usable: boolean, };

/**
 * What cloud-init installs on the first start.
 */
export type Environment = "none" | "docker" | "python" | "java" | "node";

/**
 * One event.
 */
export type Event = { 
/**
 * Its number in this installation.
 */
seq: number, 
/**
 * Its id.
 */
eventId: string, 
/**
 * When it happened.
 */
time: string, 
/**
 * What happened.
 */
action: string, 
/**
 * How it ended.
 */
outcome: EventOutcome, 
/**
 * Name of the server.
 */
serverName: string | null, 
/**
 * Whose.
 */
owner: string | null, 
/**
 * The operation that caused it.
 */
opId: string | null, 
/**
 * The receiver has it.
 */
delivered: boolean, 
/**
 * The whole event as it is sent.
 */
json: string, };

/**
 * How an event ended.
 */
export type EventOutcome = "ok" | "failed" | "refused";

/**
 * Events, newest first.
 */
export type EventPage = { 
/**
 * The events.
 */
events: Array<Event>, 
/**
 * Number of the newest of all.
 */
lastSeq: number, 
/**
 * There are older ones.
 */
more: boolean, };

/**
 * What is different for one owner until a day.
 */
export type Exception = { 
/**
 * IAM user id.
 */
owner: string, 
/**
 * Until when.
 */
until: string, 
/**
 * What for.
 */
reason: string, 
/**
 * Limits that differ meanwhile.
 */
quota: Quota, };

/**
 * As what the summary goes out.
 */
export type ExportFormat = "csv" | "xlsx";

/**
 * One table of the summary.
 */
export type ExportTable = "summary" | "months" | "days" | "owners" | "flavors" | "regions" | "purposes" | "templates" | "servers" | "sources";

/**
 * Asks for the summary as a file.
 */
export type ExportUsage = { 
/**
 * Which days and which part.
 */
ask: UsageAsk, 
/**
 * As what.
 */
format: ExportFormat, 
/**
 * Which table, where only one goes out.
 */
table?: ExportTable, };

/**
 * A file that was written.
 */
export type Exported = { 
/**
 * Its name, without the folder: that of downloads.
 */
name: string, 
/**
 * Its size.
 */
bytes: number, };

/**
 * Moving the end of a lease.
 */
export type ExtendLease = { 
/**
 * Server id.
 */
server: string, 
/**
 * The new end.
 */
until: string, };

/**
 * Moving the end of several leases.
 */
export type ExtendLeases = { 
/**
 * Server ids, at most 100.
 */
servers: Array<string>, 
/**
 * The new end of each.
 */
until: string, };

/**
 * Something is dragged over the window from outside.
 */
export type FileDrag = { "kind": "over" } | { "kind": "dropped", 
/**
 * Its number, for [`LocalAct::UploadDropped`].
 */
drop: number, 
/**
 * How many things.
 */
count: number, } | { "kind": "left" };

/**
 * What a window of sessions asks for about a server's files. Nothing of it names a file of this computer.
 */
export type FilesAct = { "act": "list", 
/**
 * Session id.
 */
session: string, 
/**
 * Its path.
 */
folder: string | null, } | { "act": "make_folder", 
/**
 * Session id.
 */
session: string, 
/**
 * Its path.
 */
path: string, } | { "act": "rename", 
/**
 * Session id.
 */
session: string, 
/**
 * Its path.
 */
from: string, 
/**
 * The new one.
 */
to: string, } | { "act": "mode", 
/**
 * Session id.
 */
session: string, 
/**
 * Paths.
 */
paths: Array<string>, 
/**
 * The lower 12 bits.
 */
mode: number, } | { "act": "remove", 
/**
 * Session id.
 */
session: string, 
/**
 * Paths.
 */
paths: Array<string>, } | { "act": "stop_removing", 
/**
 * Session id.
 */
session: string, } | { "act": "copies", 
/**
 * Session id.
 */
session: string, } | { "act": "steer", 
/**
 * Session id.
 */
session: string, 
/**
 * Its number.
 */
copy: number, 
/**
 * How.
 */
how: CopySteer, } | { "act": "clear_copies", 
/**
 * Session id.
 */
session: string, } | { "act": "edits", 
/**
 * Session id.
 */
session: string, } | { "act": "save_edit", 
/**
 * Session id.
 */
session: string, 
/**
 * Its number.
 */
edit: number, } | { "act": "end_edit", 
/**
 * Session id.
 */
session: string, 
/**
 * Its number.
 */
edit: number, };

/**
 * What comes of it.
 */
export type FilesAnswer = { "kind": "folder", 
/**
 * It.
 */
folder: FolderView, } | { "kind": "removed", 
/**
 * How many.
 */
count: number, } | { "kind": "copies", 
/**
 * They.
 */
copies: Array<CopyView>, } | { "kind": "edits", 
/**
 * They.
 */
edits: Array<EditView>, } | { "kind": "done" };

/**
 * Looking for keys that lie ready on this computer.
 */
export type FindKeys = { 
/**
 * Only in this file of the console's.
 */
file: string | null, };

/**
 * One server that does not keep to a grant. Every text in it comes from outside.
 */
export type Finding = { 
/**
 * Server id.
 */
server: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Id of its owner.
 */
ownerId: string | null, 
/**
 * Name of its owner, as its tags or the grant say.
 */
owner: string | null, 
/**
 * Its flavor.
 */
flavor: string, 
/**
 * Its state.
 */
state: ServerState, 
/**
 * When it was made.
 */
created: string | null, 
/**
 * When its lease ends.
 */
leaseEnd: string | null, 
/**
 * This program made it.
 */
ours: boolean, 
/**
 * Why it is here.
 */
breaches: Array<Breach>, 
/**
 * Which limit it is too many for.
 */
limit: Limit | null, };

/**
 * One flavor that can be had.
 */
export type Flavor = { 
/**
 * Flavor id, e.g. `s6.large.2`.
 */
id: string, 
/**
 * Virtual processors.
 */
vcpus: number, 
/**
 * Memory in MiB.
 */
ramMb: number, 
/**
 * Zones that sell it now.
 */
zones: Array<string>, 
/**
 * Processor architecture is ARM.
 */
arm: boolean, };

/**
 * A directory that the system can be asked to show. The page names none itself.
 */
export type Folder = "data" | "diagnostics" | "downloads";

/**
 * A folder of a server.
 */
export type FolderView = { 
/**
 * Its whole path.
 */
path: string, 
/**
 * What is in it, folders first.
 */
entries: Array<EntryView>, 
/**
 * There are more than are shown.
 */
cut: boolean, };

/**
 * An amount to come.
 */
export type Forecast = { 
/**
 * The first day.
 */
from: string, 
/**
 * The last day.
 */
to: string, 
/**
 * What it has come to already.
 */
soFar: string, 
/**
 * What it will come to.
 */
expected: string, 
/**
 * Four of five times it would have been at least that.
 */
low: string | null, 
/**
 * And at most that.
 */
high: string | null, 
/**
 * How it was worked out.
 */
method: ForecastMethod, 
/**
 * How wrong that would have been, in percent.
 */
errorPercent: string | null, 
/**
 * How often it was tried on the past.
 */
tries: number, 
/**
 * There is too little to go by.
 */
tooLittle: boolean, };

/**
 * How an amount was worked out.
 */
export type ForecastMethod = "run_rate" | "last_month" | "mean_of_three" | "trend_of_six" | "last_year";

/**
 * One month of the past.
 */
export type ForecastMonth = { 
/**
 * As `2026-11`.
 */
month: string, 
/**
 * What it came to.
 */
cost: string, };

/**
 * How wrong a method would have been.
 */
export type ForecastTry = { 
/**
 * The method.
 */
method: ForecastMethod, 
/**
 * For the next month: its error in percent; none: it cannot be tried.
 */
monthErrorPercent: string | null, 
/**
 * How often it was tried.
 */
monthTries: number, 
/**
 * For the next quarter.
 */
quarterErrorPercent: string | null, 
/**
 * How often it was tried.
 */
quarterTries: number, };

/**
 * Founding an organisation.
 */
export type Found = { 
/**
 * Its name.
 */
name: string, 
/**
 * Whom people ask for more.
 */
ask: string, 
/**
 * Currency of all its money, e.g. `CNY`.
 */
currency: string, 
/**
 * How long its signing key is kept. For this run only: a backup is to be made before it ends.
 */
remember: Remember, };

/**
 * A key that lies ready. Nothing secret is in it.
 */
export type FoundKey = { 
/**
 * What names it when signing in.
 */
id: string, 
/**
 * Where it was found.
 */
source: KeySource, 
/**
 * The file, where it is one.
 */
file: string | null, 
/**
 * Its profile, or the user that the console names in its file.
 */
label: string | null, 
/**
 * First and last characters of the access key's id.
 */
accessKey: string, 
/**
 * It ends by itself: a security token belongs to it.
 */
temporary: boolean, 
/**
 * Project that is named beside it.
 */
projectId: string | null, 
/**
 * Cloud account (domain) that is named beside it.
 */
domainId: string | null, };

/**
 * One numbered version of what an organisation allows. What is left out is not limited.
 */
export type Grant = { 
/**
 * [`SCHEMA`].
 */
schema: string, 
/**
 * Whose grant it is.
 */
organisation: Organisation, 
/**
 * Grows with every version; an older one is refused.
 */
number: number, 
/**
 * When it was signed.
 */
issued: string, 
/**
 * From when on nothing is allowed by it any more.
 */
expires: string, 
/**
 * Whom to ask for more: a name, an address, a number.
 */
ask: string, 
/**
 * Public keys that this and later versions are signed with, in base64; two while one takes over from the other.
 */
keys: Array<string>, 
/**
 * Currency of all money in it, e.g. `CNY`.
 */
currency: string, 
/**
 * Why nothing is allowed any more: set when an organisation withdraws what it granted.
 */
revoked?: string, 
/**
 * Ids of the Huawei Cloud accounts that it is about; empty: every one.
 */
accounts?: Array<string>, 
/**
 * What people begin with.
 */
defaults?: Defaults, 
/**
 * Limits by the name of a role.
 */
roles?: { [key in string]: Quota }, 
/**
 * Who has which role.
 */
owners?: Array<Owner>, 
/**
 * Role of whoever is not named; none: they may use nothing.
 */
others?: string, 
/**
 * What is different for one owner for a while.
 */
exceptions?: Array<Exception>, };

/**
 * What a grant lets an owner use.
 */
export type GrantInForce = { 
/**
 * Name of the role.
 */
role: string, 
/**
 * The limits, exceptions in them.
 */
quota: Quota, 
/**
 * The exceptions that hold.
 */
exceptions: Array<Exception>, };

/**
 * How this installation stands to grants.
 */
export type GrantStanding = { 
/**
 * The organisation; none: nothing is limited here.
 */
joined: JoinedOrganisation | null, 
/**
 * Why nothing is allowed at the moment.
 */
stopped: WireError | null, 
/**
 * What is in force for the account in use; none where no grant is about it.
 */
inForce: GrantInForce | null, 
/**
 * What of it is used, what leases promise included.
 */
uses: Array<GrantUse>, 
/**
 * Servers whose price is not known: more money is used than is said.
 */
unpriced: number, 
/**
 * Why the use is not known.
 */
problem: WireError | null, };

/**
 * How much of a limit is used, for a bar.
 */
export type GrantUse = { 
/**
 * Which limit.
 */
limit: Limit, 
/**
 * Used, what is promised included.
 */
used: string, 
/**
 * What is asked for on top.
 */
wish: string, 
/**
 * At most.
 */
max: string, };

/**
 * How it is known whether something may be done.
 */
export type Ground = "check" | "use";

/**
 * Making a disk larger.
 */
export type GrowDisk = { 
/**
 * Server id.
 */
server: string, 
/**
 * Disk id.
 */
disk: string, 
/**
 * Its size then, in GB.
 */
sizeGb: number, };

/**
 * A disk with room that nothing uses yet.
 */
export type GrownDisk = { 
/**
 * Its name, as `vda`.
 */
name: string, 
/**
 * In bytes.
 */
size: number, };

/**
 * Where an organisation's events go; the token comes by another way.
 */
export type HeiPlace = { 
/**
 * Address of the HEI.
 */
url: string, 
/**
 * Data set.
 */
eventSet: string, 
/**
 * Data type.
 */
datatype: string, };

/**
 * A host key, for people.
 */
export type HostKeyView = { 
/**
 * The kind of key, by its name in SSH.
 */
kind: string, 
/**
 * SHA-256 of it, as `ssh` prints it.
 */
fingerprint: string, 
/**
 * The file and line where it stands; nothing for what was shown, or given to the server when it was made.
 */
place: string | null, };

/**
 * One image.
 */
export type Image = { 
/**
 * Image id.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * `Linux` or `Windows`.
 */
os: string | null, 
/**
 * Smallest system disk, in GB.
 */
minDiskGb: number, 
/**
 * For ARM processors.
 */
arm: boolean, 
/**
 * Linux with cloud-init in it: a key can be given to it.
 */
cloudInit: boolean, };

/**
 * What a link leads to. Nothing is kept of it.
 */
export type Invitation = { 
/**
 * Name of the organisation, as the link says.
 */
organisation: string, 
/**
 * Fingerprint of its key, to be compared.
 */
fingerprint: string, 
/**
 * Where its grants lie.
 */
source: string, 
/**
 * Where its events go.
 */
hei: string | null, 
/**
 * A token for the events is wanted beside it.
 */
tokenWanted: boolean, 
/**
 * The link holds one, which a passphrase opens.
 */
tokenSealed: boolean, 
/**
 * What people begin with, as the grant that lies there says.
 */
defaults: Defaults | null, 
/**
 * Number of the grant that lies there.
 */
number: number | null, 
/**
 * When it ends.
 */
expires: string | null, 
/**
 * Why it cannot be taken over.
 */
problem: WireError | null, };

/**
 * The link by which people join.
 */
export type JoinLink = { 
/**
 * The link.
 */
link: string, 
/**
 * What is told by another way.
 */
fingerprint: string, };

/**
 * Joining an organisation whose fingerprint was compared.
 */
export type JoinOrganisation = { 
/**
 * The link.
 */
link: string, 
/**
 * The fingerprint, as the administrator told it by another way.
 */
fingerprint: string, 
/**
 * Token for the events, where they are to go as the link says.
 */
token: string | null, 
/**
 * Instead of it, the passphrase of the token that the link holds.
 */
passphrase: string | null, };

/**
 * The organisation that this installation belongs to.
 */
export type JoinedOrganisation = { 
/**
 * Its name.
 */
organisation: string, 
/**
 * Fingerprints of its keys.
 */
fingerprints: Array<string>, 
/**
 * Where its grants lie.
 */
source: string, 
/**
 * Number of the grant that is kept.
 */
number: number, 
/**
 * When it was signed.
 */
issued: string | null, 
/**
 * When it ends.
 */
expires: string | null, 
/**
 * Whom to ask for more.
 */
ask: string | null, 
/**
 * Currency of its money.
 */
currency: string | null, 
/**
 * When a newer one was last asked for with success.
 */
checkedAt: string, 
/**
 * Why none could be had the last time.
 */
problem: WireError | null, 
/**
 * Where its events go, while the token for them is missing.
 */
tokenWanted: string | null, 
/**
 * What people begin with.
 */
defaults: Defaults, };

/**
 * Where a key was found.
 */
export type KeySource = "environment" | "profile" | "csv";

/**
 * Language of the interface.
 */
export type Language = "system" | "zh-CN" | "en";

/**
 * How long a grant holds from its signing.
 */
export type Lasts = { 
/**
 * So many days,
 */
days: number, 
/**
 * unless it ends at this moment.
 */
until?: string, };

/**
 * Something that is left of a server that is gone. Every text in it comes from outside and is shown as text.
 */
export type Leftover = { 
/**
 * What it is.
 */
kind: LeftoverKind, 
/**
 * The cloud's id.
 */
id: string, 
/**
 * Its name, or the address: what has to be typed to remove it.
 */
name: string, 
/**
 * Id of the server that it belonged to.
 */
server: string | null, 
/**
 * Size of a disk, in GB.
 */
sizeGb: number | null, 
/**
 * Type of a disk.
 */
diskType: string | null, 
/**
 * Bandwidth of an address, in Mbit/s.
 */
mbit: number | null, 
/**
 * When it was made.
 */
created: string | null, 
/**
 * What it costs a month; none: its price cannot be had just now.
 */
perMonth: Money | null, };

/**
 * What a leftover is.
 */
export type LeftoverKind = "disk" | "public_address";

/**
 * Names a leftover to be removed.
 */
export type LeftoverRef = { 
/**
 * What it is.
 */
kind: LeftoverKind, 
/**
 * The cloud's id.
 */
id: string, 
/**
 * Its name or address, as confirmed.
 */
name: string, };

/**
 * All leftovers of the owner.
 */
export type Leftovers = { 
/**
 * The leftovers.
 */
items: Array<Leftover>, 
/**
 * Unbound addresses whose tags were not asked for because there are too many.
 */
unchecked: number, 
/**
 * What all of them cost a month, as far as known.
 */
perMonth: Money | null, 
/**
 * By the cloud's clock.
 */
asOf: string, };

/**
 * What a grant can limit.
 */
export type Limit = "servers" | "vcpus" | "disk_gb" | "disk_gb_each" | "lease_hours" | "life_hours" | "until" | "extensions" | "hours_month" | "money_month" | "flavor" | "region" | "public_address";

/**
 * Asks for events.
 */
export type ListEvents = { 
/**
 * Only those before this number.
 */
before: number | null, 
/**
 * At most this many.
 */
limit: number, };

/**
 * What needs files of this computer. Which, a person chooses in the system's own dialog, or by dropping them.
 */
export type LocalAct = { "act": "upload_files", 
/**
 * Session id.
 */
session: string, 
/**
 * Into this folder there.
 */
folder: string, } | { "act": "upload_folder", 
/**
 * Session id.
 */
session: string, 
/**
 * Into this folder there.
 */
folder: string, } | { "act": "upload_dropped", 
/**
 * Session id.
 */
session: string, 
/**
 * Into this folder there.
 */
folder: string, 
/**
 * Which drop.
 */
drop: number, } | { "act": "download", 
/**
 * Session id.
 */
session: string, 
/**
 * Paths there.
 */
paths: Array<string>, } | { "act": "download_to", 
/**
 * Session id.
 */
session: string, 
/**
 * Paths there.
 */
paths: Array<string>, } | { "act": "edit", 
/**
 * Session id.
 */
session: string, 
/**
 * Its path there.
 */
path: string, } | { "act": "edit_again", 
/**
 * Session id.
 */
session: string, 
/**
 * Its number.
 */
edit: number, } | { "act": "show_folder", 
/**
 * Session id.
 */
session: string, 
/**
 * The copy's number.
 */
copy: number, };

/**
 * An amount of money. Decimal all the way: prices of an hour have more digits than binary fractions keep.
 */
export type Money = { 
/**
 * Decimal amount, written as text on every wire.
 */
amount: string, 
/**
 * ISO 4217, e.g. `CNY`.
 */
currency: string, };

/**
 * A line of a file that is no event.
 */
export type NamedLine = { 
/**
 * Its number, from 1 on.
 */
line: number, 
/**
 * Why.
 */
why: BadLine, };

/**
 * A tag.
 */
export type NewTag = { 
/**
 * Its key: 1 to 36 characters.
 */
key: string, 
/**
 * Its value: up to 43 characters.
 */
value: string, };

/**
 * The organisation that grants are written for here.
 */
export type Office = { 
/**
 * The grant that is written; its number is that of the one that was signed last.
 */
draft: Grant, 
/**
 * The one that was signed last.
 */
signed: Grant | null, 
/**
 * Where it was published.
 */
published: Published | null, 
/**
 * Where the next one goes.
 */
place: string | null, 
/**
 * The keys of the draft.
 */
keys: Array<OfficeKey>, };

/**
 * A key of the organisation.
 */
export type OfficeKey = { 
/**
 * Its fingerprint.
 */
fingerprint: string, 
/**
 * This computer's keychain has it.
 */
held: boolean, };

/**
 * A link to join an organisation.
 */
export type OpenInvitation = { 
/**
 * The link.
 */
link: string, };

/**
 * A screen to show.
 */
export type OpenScreen = { 
/**
 * Server id.
 */
server: string, 
/**
 * A VNC server instead of the provider's console.
 */
vnc: VncPlace | null, };

/**
 * A server to log in to.
 */
export type OpenSession = { 
/**
 * Server id.
 */
server: string, 
/**
 * What is wanted otherwise than usual.
 */
how: SessionHow | null, };

/**
 * One operation.
 */
export type Operation = { 
/**
 * Its id.
 */
id: string, 
/**
 * What is asked.
 */
kind: OperationKind, 
/**
 * Our id of the account.
 */
account: string, 
/**
 * Server id, once known.
 */
serverId: string | null, 
/**
 * Name of the server.
 */
serverName: string, 
/**
 * How far it is.
 */
stage: OperationStage, 
/**
 * How it ended.
 */
outcome: OperationOutcome | null, 
/**
 * The cloud surely has nothing of it yet, so that it can be cancelled.
 */
cancellable: boolean, 
/**
 * It is not wanted any more, and ends as cancelled unless it reaches the cloud just now.
 */
cancelling: boolean, 
/**
 * Why it failed.
 */
error: WireError | null, 
/**
 * The cloud's job.
 */
jobId: string | null, 
/**
 * What the cloud is doing, in its own word.
 */
progress: string | null, 
/**
 * What should be known beside its end: why a server that was stopped for it does not run again.
 */
remark?: WireError, 
/**
 * The security group that was made.
 */
securityGroup?: string, 
/**
 * The lease's end asked for.
 */
leaseEnd: string | null, 
/**
 * Template id.
 */
template: string | null, 
/**
 * Flavor id.
 */
flavor: string | null, 
/**
 * When it was asked.
 */
recordedAt: string, 
/**
 * When the cloud took it.
 */
sentAt: string | null, 
/**
 * When it was over.
 */
settledAt: string | null, 
/**
 * The disk or public address that it is about.
 */
part?: OperationPart, 
/**
 * What could not be done besides; the act itself is none the worse for it.
 */
problem?: WireError, 
/**
 * How many parts of a deleted server are left, and cost.
 */
left?: number, 
/**
 * What is left to do in the guest.
 */
commands?: DiskCommands, };

/**
 * What is asked.
 */
export type OperationKind = "server.create" | "lease.update" | "lease.cancel" | "server.start" | "server.stop" | "server.reboot" | "server.delete" | "server.mark_parts" | "disk.add" | "disk.grow" | "disk.detach" | "disk.attach" | "disk.delete" | "eip.release" | "server.resize" | "server.rename" | "server.tag" | "server.adopt" | "server.password" | "network.admit";

/**
 * How an operation ended.
 */
export type OperationOutcome = "ok" | "failed" | "cancelled";

/**
 * The disk or public address that an operation is about.
 */
export type OperationPart = { 
/**
 * The cloud's id, once known.
 */
id: string | null, 
/**
 * Its name, or the address.
 */
name: string, 
/**
 * Size of a disk in the end, in GB.
 */
sizeGb: number | null, 
/**
 * The size before.
 */
sizeGbBefore: number | null, 
/**
 * Its device in the guest.
 */
device: string | null, };

/**
 * Names an operation.
 */
export type OperationRef = { 
/**
 * Operation id.
 */
operation: string, };

/**
 * How far an operation is.
 */
export type OperationStage = "recorded" | "sent" | "settled";

/**
 * An organisation.
 */
export type Organisation = { 
/**
 * Random id, made once.
 */
id: string, 
/**
 * Its name.
 */
name: string, };

/**
 * This computer's own address.
 */
export type OwnAddress = { 
/**
 * None where the world sees another one: then a person has to tell it.
 */
address: string | null, };

/**
 * One person of the cloud account.
 */
export type Owner = { 
/**
 * IAM user id.
 */
id: string, 
/**
 * What the person is called; only to be read.
 */
name: string, 
/**
 * Name of the role.
 */
role: string, 
/**
 * Limits that differ from the role's.
 */
quota?: Quota, };

/**
 * One owner who has more than a grant says.
 */
export type OwnerOver = { 
/**
 * IAM user id.
 */
ownerId: string, 
/**
 * Name.
 */
owner: string, 
/**
 * Which limit.
 */
limit: Limit, 
/**
 * What it says.
 */
max: string, 
/**
 * What is used.
 */
used: string, };

/**
 * What a part of a server is.
 */
export type PartKind = "system_disk" | "data_disk" | "public_address" | "key_pair" | "private_key";

/**
 * Asking for a backup.
 */
export type Passphrase = { 
/**
 * The passphrase that opens it.
 */
passphrase: string, };

/**
 * What came of asking for one leftover to be removed.
 */
export type PerLeftover = { 
/**
 * What it is.
 */
kind: LeftoverKind, 
/**
 * The cloud's id.
 */
id: string, 
/**
 * The operation, recorded.
 */
operation: Operation | null, 
/**
 * Why there is none.
 */
error: WireError | null, };

/**
 * What came of asking something for one of several servers.
 */
export type PerServer = { 
/**
 * Server id.
 */
server: string, 
/**
 * The operation, recorded.
 */
operation: Operation | null, 
/**
 * Why there is none.
 */
error: WireError | null, };

/**
 * A statement that answers on the platform what the usage summary answers here.
 */
export type PlatformStatement = { 
/**
 * What it answers; stable.
 */
name: string, 
/**
 * The same in the user's language.
 */
title: string, 
/**
 * The statement.
 */
sql: string, };

/**
 * The policies as they are pasted into the console.
 */
export type Policies = { 
/**
 * Identity policy (version 5.0).
 */
identity: string, 
/**
 * Classic custom policy (version 1.1).
 */
classic: string, };

/**
 * Starting, stopping or restarting servers.
 */
export type Power = { 
/**
 * Server ids, at most 100.
 */
servers: Array<string>, 
/**
 * What is done.
 */
act: PowerAct, 
/**
 * The power is cut, rather than the guest asked to shut down.
 */
hard: boolean, };

/**
 * What is done with a server's power.
 */
export type PowerAct = "start" | "stop" | "reboot";

/**
 * A way of speaking that is known.
 */
export type Preset = "yanhuang" | "splunk_hec" | "custom";

/**
 * What one part costs.
 */
export type PricePart = { 
/**
 * Which part.
 */
part: PricePartKind, 
/**
 * What is bought, e.g. `s6.large.2` or `GPSSD 40 GB`.
 */
spec: string, 
/**
 * Its price of an hour.
 */
perHour: Money, 
/**
 * Its price until the lease ends.
 */
forLease: Money, };

/**
 * A part of a price.
 */
export type PricePartKind = "compute" | "system_disk" | "data_disk" | "public_address";

/**
 * Something that stands in the way of a creation, or should be known.
 */
export type Problem = { 
/**
 * The field it is about.
 */
field: string | null, 
/**
 * Creation is refused while it stands.
 */
blocking: boolean, 
/**
 * What it is.
 */
error: WireError, };

/**
 * How other computers are reached.
 */
export type ProxyUse = "system" | "direct" | "at";

/**
 * The public halves of a server's keys, one line each as in `authorized_keys`: they open nothing.
 */
export type PublicKeys = { 
/**
 * Of the owner's key, which the server lets in.
 */
login: string, 
/**
 * Of the server's own, by which it is known.
 */
host: string, };

/**
 * Signing the draft and writing it where people read it.
 */
export type PublishGrant = { 
/**
 * A file, or `obs://BUCKET/KEY`.
 */
place: string, 
/**
 * So many days,
 */
days: number, 
/**
 * unless it ends at this moment.
 */
until?: string, };

/**
 * Where a grant was published.
 */
export type Published = { 
/**
 * Where.
 */
place: string, 
/**
 * When.
 */
at: string, 
/**
 * Its number.
 */
number: number, };

/**
 * What the commands are for.
 */
export type Purpose = "make" | "grow" | "detach" | "mount";

/**
 * What one owner may use. What is left out is not limited.
 */
export type Quota = { 
/**
 * Servers at once, stopped ones too.
 */
servers?: number, 
/**
 * Virtual processors of all servers together.
 */
vcpus?: number, 
/**
 * GB of all disks together.
 */
diskGb?: number, 
/**
 * GB of one disk.
 */
diskGbEach?: number, 
/**
 * How far from now a lease may end, in hours.
 */
leaseHours?: number, 
/**
 * How far from its making a server's lease may end, in hours, however often it is extended.
 */
lifeHours?: number, 
/**
 * No lease may end after this moment.
 */
until?: string, 
/**
 * How often the lease of one server may be extended.
 */
extensions?: number, 
/**
 * Hours of running in a month of Asia/Shanghai, of all servers together.
 */
hoursMonth?: number, 
/**
 * Money in a month, as a decimal text in the grant's currency.
 */
moneyMonth?: string, 
/**
 * Flavor ids, or their beginnings followed by `*`.
 */
flavors?: Array<string>, 
/**
 * Families of flavors: what stands before the first point, e.g. `s6`.
 */
families?: Array<string>, 
/**
 * Region ids.
 */
regions?: Array<string>, 
/**
 * Whether a server may have a public address.
 */
publicAddress?: boolean, };

/**
 * What a creation would become and cost.
 */
export type Quote = { 
/**
 * Price of an hour.
 */
perHour: Money | null, 
/**
 * Price until the lease ends.
 */
forLease: Money | null, 
/**
 * Length of the lease in hours, decimal text.
 */
leaseHours: string, 
/**
 * The parts.
 */
parts: Array<PricePart>, 
/**
 * What stands in the way.
 */
problems: Array<Problem>, 
/**
 * How much of what the grant in force allows is used, and asked for.
 */
grant: Array<GrantUse>, 
/**
 * Flavor id chosen.
 */
flavor: string | null, 
/**
 * Name of the image chosen.
 */
image: string | null, 
/**
 * Zone chosen.
 */
zone: string | null, 
/**
 * Name of the subnet chosen.
 */
subnet: string | null, 
/**
 * Name of the security group chosen.
 */
securityGroup: string | null, 
/**
 * Key pair of the cloud's that was chosen.
 */
keyPair: string | null, 
/**
 * A key pair is made for this server only.
 */
freshKey: boolean, 
/**
 * By the cloud's clock.
 */
asOf: string, };

/**
 * Something that can be read.
 */
export type Readable = "servers" | "flavors" | "quotas" | "images" | "networks" | "addresses" | "disks" | "key_pairs";

/**
 * That a server is not ready, and why.
 */
export type ReadinessView = { 
/**
 * `running`, `failed` or `unknown`; nothing when cloud-init has finished.
 */
preparing: string | null, 
/**
 * What cloud-init says; untrusted text.
 */
detail: string, 
/**
 * The end of its log; untrusted text.
 */
log: string, 
/**
 * Disks with room that nothing uses yet.
 */
grown: Array<GrownDisk>, };

/**
 * How a pull or an import stands, and what it brought.
 */
export type Reading = { 
/**
 * Where from.
 */
of: ReadingOf, 
/**
 * Name of the source, as `usage.sources` has it.
 */
source: string, 
/**
 * How it stands.
 */
state: ReadingState, 
/**
 * When it began.
 */
began: string | null, 
/**
 * When it ended.
 */
ended: string | null, 
/**
 * How far it is: events of the platform, bytes of a file.
 */
done: number, 
/**
 * Of how many.
 */
ofAll: number, 
/**
 * Events that were not known before.
 */
new: number, 
/**
 * Events that were.
 */
doubled: number, 
/**
 * Rows that are no events.
 */
unreadable: number, 
/**
 * Of them, those that a newer version of this program can read.
 */
newer: number, 
/**
 * Lines of a file that are no events; the first hundred.
 */
badLines: Array<NamedLine>, 
/**
 * Installations at the platform.
 */
installations: number, 
/**
 * Events that the platform has not: lost on the way, or not delivered yet.
 */
gaps: number, 
/**
 * Events that the platform counts and did not give.
 */
withheld: number, 
/**
 * What stopped it.
 */
problem: WireError | null, };

/**
 * Where events are read from.
 */
export type ReadingOf = "platform" | "file";

/**
 * How a pull or an import stands.
 */
export type ReadingState = "never" | "running" | "done" | "cancelled" | "failed";

/**
 * A part of a recording.
 */
export type RecordingPartView = { 
/**
 * Columns of the terminal at its beginning.
 */
columns: number, 
/**
 * Its rows.
 */
rows: number, 
/**
 * Entries: seconds since the beginning, kind (`o`, `r`, `m`), and what it is.
 */
entries: Array<[number, string, string]>, 
/**
 * How many entries come before what follows; nothing at the end.
 */
next: number | null, };

/**
 * A place in a recording.
 */
export type RecordingPlaceView = { 
/**
 * Id of the recording.
 */
recording: string, 
/**
 * Seconds since its beginning.
 */
at: number, 
/**
 * The line; untrusted text.
 */
line: string, };

/**
 * A recording.
 */
export type RecordingView = { 
/**
 * Its id.
 */
id: string, 
/**
 * Name of the server; untrusted text.
 */
title: string, 
/**
 * When it was made, in seconds of Unix time.
 */
madeAt: number, 
/**
 * In bytes.
 */
bytes: number, };

/**
 * What a window of sessions asks for about recordings.
 */
export type RecordingsAct = { "act": "list" } | { "act": "read", 
/**
 * Its id.
 */
recording: string, 
/**
 * So many entries come before the part.
 */
from: number, } | { "act": "search", 
/**
 * The text.
 */
text: string, } | { "act": "remove", 
/**
 * Its id.
 */
recording: string, } | { "act": "export", 
/**
 * Its id.
 */
recording: string, };

/**
 * What comes of it.
 */
export type RecordingsAnswer = { "kind": "list", 
/**
 * They.
 */
recordings: Array<RecordingView>, } | { "kind": "part", 
/**
 * It.
 */
part: RecordingPartView, } | { "kind": "places", 
/**
 * They.
 */
places: Array<RecordingPlaceView>, } | { "kind": "exported", 
/**
 * The name of the copy in the folder of downloads.
 */
name: string, };

/**
 * An event that the receiver refused while it took others.
 */
export type RefusedEvent = { 
/**
 * Its number; none: it was rescued from a damaged ledger.
 */
seq: number | null, 
/**
 * When it happened.
 */
time: string, 
/**
 * The whole event as it was sent.
 */
json: string, 
/**
 * The receiver's words.
 */
reason: string, 
/**
 * When it was last refused.
 */
refusedAt: string | null, 
/**
 * How often.
 */
attempts: number, 
/**
 * Whether it waits to be sent once more.
 */
again: boolean, };

/**
 * A region that can be signed in to.
 */
export type Region = { 
/**
 * Region id.
 */
id: string, 
/**
 * Chinese name.
 */
nameZh: string | null, 
/**
 * English name.
 */
nameEn: string | null, 
/**
 * An embedded one.
 */
demo: boolean, };

/**
 * A call to be rehearsed.
 */
export type Rehearse = { 
/**
 * Its name, e.g. `servers.create`.
 */
call: string, 
/**
 * Its request.
 */
request: unknown, };

/**
 * What a call would come to, or an operation came to.
 */
export type Rehearsed = { 
/**
 * The first request of each act that would change something. What else is sent depends on its answer.
 */
requests: Array<RehearsedRequest>, 
/**
 * What is known beforehand of the requests that follow. Words in capitals, such as `VOLUME_ID`, stand for what an
 * answer tells; what is done to one disk is done to each.
 */
follows: Array<RehearsedRequest>, 
/**
 * The same as commands of `wangcheng`, one a line, for a POSIX shell.
 */
command: string | null, 
/**
 * Why some of several would be refused here.
 */
refused: Array<WireError>, };

/**
 * A request that would be sent, or was; its secrets are blanked (`***`).
 */
export type RehearsedRequest = { 
/**
 * The service, e.g. `ECS`.
 */
service: string, 
/**
 * The operation's name in the API reference, e.g. `CreateServers`.
 */
operation: string, 
/**
 * Method, e.g. `POST`.
 */
method: string, 
/**
 * The whole address.
 */
url: string, 
/**
 * Names and values of the headers.
 */
headers: Array<[string, string]>, 
/**
 * The body, byte for byte.
 */
body: string, 
/**
 * The body to be read: one member a line.
 */
pretty: string, 
/**
 * The same as a command of KooCLI (`hcloud`), for a POSIX shell.
 */
koo: string | null, 
/**
 * The same as code for the Python SDK.
 */
python: string | null, };

/**
 * How long a secret is kept.
 */
export type Remember = "keychain" | "run";

/**
 * Removing what is left of servers that are gone.
 */
export type RemoveLeftovers = { 
/**
 * Which, at most 100, each with its name or address as confirmed.
 */
items: Array<LeftoverRef>, };

/**
 * Giving a server another name.
 */
export type RenameServer = { 
/**
 * Server id.
 */
server: string, 
/**
 * The new name.
 */
name: string, };

/**
 * Setting the password of a server's administrator. It goes in here once and never comes back.
 */
export type ResetPassword = { 
/**
 * Server id.
 */
server: string, 
/**
 * The new password.
 */
password: string, };

/**
 * What a server is before its size is changed.
 */
export type ResizeNow = { 
/**
 * Server id.
 */
server: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Flavor id.
 */
flavor: string, 
/**
 * Virtual processors.
 */
vcpus: number | null, 
/**
 * Memory in MiB.
 */
ramMb: number | null, 
/**
 * What the whole server costs an hour: an estimate.
 */
perHour: Money | null, 
/**
 * It runs, and has to be stopped for the change; it is started again afterwards.
 */
needsStop: boolean, 
/**
 * By the cloud's clock.
 */
asOf: string, };

/**
 * A flavor that a server can change to.
 */
export type ResizeOption = { 
/**
 * Flavor id.
 */
flavor: string, 
/**
 * Virtual processors.
 */
vcpus: number, 
/**
 * Memory in MiB.
 */
ramMb: number, 
/**
 * What the whole server costs an hour with it: an estimate.
 */
perHour: Money | null, 
/**
 * How much that is more than now; below zero: less.
 */
morePerHour: Money | null, 
/**
 * Why it cannot be had now.
 */
problem: WireError | null, };

/**
 * What a server can be changed to.
 */
export type ResizeOptions = { 
/**
 * What it is now.
 */
now: ResizeNow, 
/**
 * The flavors that the cloud allows for it, smallest first.
 */
options: Array<ResizeOption>, 
/**
 * Why prices are not known.
 */
priceProblem: WireError | null, };

/**
 * Changing the size of a server.
 */
export type ResizeServer = { 
/**
 * Server id.
 */
server: string, 
/**
 * Flavor id, one of those offered for it.
 */
flavor: string, 
/**
 * Whether a server that runs may be stopped for it. It is started again afterwards.
 */
mayStop: boolean, };

/**
 * Taking the organisation up from a backup.
 */
export type RestoreOffice = { 
/**
 * The file's text.
 */
file: string, 
/**
 * The passphrase that opens it.
 */
passphrase: string, 
/**
 * How long the signing keys are kept.
 */
remember: Remember, };

/**
 * Withdrawing everything that was granted.
 */
export type RevokeGrant = { 
/**
 * Why.
 */
reason: string, 
/**
 * So many days,
 */
days: number, 
/**
 * unless it ends at this moment.
 */
until?: string, };

/**
 * Whether a key may read something.
 */
export type Right = { 
/**
 * What.
 */
what: Readable, 
/**
 * None: the cloud gave no answer that says so.
 */
allowed: boolean | null, 
/**
 * Why not, or why it is not known.
 */
error: WireError | null, };

/**
 * What a key may do.
 */
export type Rights = { 
/**
 * To see.
 */
reads: Array<Right>, 
/**
 * To make, change and delete.
 */
acts: Array<ActRight>, };

/**
 * Where a server's key was written, on its owner's wish.
 */
export type SavedKey = { 
/**
 * The file with the private key, readable by its owner only.
 */
keyFile: string, 
/**
 * The file with the server's host key.
 */
knownHostsFile: string, 
/**
 * The command that logs in with them; none while the server has no address.
 */
command: string | null, };

/**
 * A screen.
 */
export type ScreenView = { 
/**
 * Where it is: nothing for the provider's console.
 */
vnc: VncPlace | null, 
/**
 * Some page reads or read it; another one has to make it anew.
 */
seen: boolean, 
/**
 * The server was made with a key and no password, which its screen does not take.
 */
keyOnly: boolean, 
/**
 * Bytes received so far.
 */
received: number, 
/**
 * Updates so far.
 */
updates: number, 
/**
 * How long an answer took the last time, in milliseconds.
 */
latencyMs: number | null, 
/**
 * Pixels in a row.
 */
width: number, 
/**
 * Rows of pixels.
 */
height: number, };

/**
 * Where the platform's search is, and how it is spelled there.
 */
export type Search = { 
/**
 * Its address, if it is set.
 */
url: string | null, 
/**
 * Data set.
 */
eventSet: string, 
/**
 * Whether plain HTTP to another computer was chosen on purpose.
 */
allowPlainHttp: boolean, 
/**
 * Whether a token is kept.
 */
tokenStored: boolean, 
/**
 * The way of asking.
 */
preset: SearchPreset, 
/**
 * Every field of it, as in use.
 */
profile: Record<string, unknown>, };

/**
 * A way of asking that is known.
 */
export type SearchPreset = "job" | "sync" | "custom";

/**
 * One request of a trial and what came of it.
 */
export type SearchStep = { 
/**
 * Method, address and body, without the token.
 */
request: string, 
/**
 * HTTP status, when there was an answer.
 */
status: number | null, 
/**
 * Beginning of the answer.
 */
answer: string, 
/**
 * How long it took.
 */
milliseconds: number, };

/**
 * What came of trying the search.
 */
export type SearchTrial = { 
/**
 * It can be asked so.
 */
ok: boolean, 
/**
 * The statement that was asked.
 */
sql: string, 
/**
 * What was sent, in order.
 */
steps: Array<SearchStep>, 
/**
 * How many events of this product there are.
 */
events: number | null, 
/**
 * What went wrong.
 */
problem: WireError | null, };

/**
 * One security group.
 */
export type SecurityGroup = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its name.
 */
name: string, };

/**
 * Which refused event is meant.
 */
export type SendAgain = { 
/**
 * Its number; none: all of them.
 */
seq: number | null, };

/**
 * A server as shown. Every text in it comes from outside and is shown as text.
 */
export type Server = { 
/**
 * Server id.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * State in a word.
 */
state: ServerState, 
/**
 * What the cloud says went wrong, in state `error`.
 */
fault: string | null, 
/**
 * Made by this application for the signed-in owner, or adopted: only such servers are changed here.
 */
own: boolean, 
/**
 * Nobody's, as far as its tags say, or made elsewhere by the signed-in user: it can be taken over.
 */
adoptable: boolean, 
/**
 * Tag `owner`.
 */
owner: string | null, 
/**
 * Tag `purpose`.
 */
purpose: string | null, 
/**
 * Flavor id.
 */
flavor: string, 
/**
 * Virtual processors.
 */
vcpus: number | null, 
/**
 * Memory in MiB.
 */
ramMb: number | null, 
/**
 * Name of the image.
 */
image: string | null, 
/**
 * Kind of operating system.
 */
os: string | null, 
/**
 * Availability zone.
 */
zone: string | null, 
/**
 * Its addresses.
 */
addresses: Array<Address>, 
/**
 * Disks attached, the system disk included.
 */
diskCount: number, 
/**
 * When it was made.
 */
created: string | null, 
/**
 * When the lease ends; none: it has no lease.
 */
leaseEnd: string | null, 
/**
 * All its tags.
 */
tags: { [key in string]: string }, 
/**
 * The operation under way on it.
 */
operation: string | null, };

/**
 * What of the defaults is about a new server, with whose they are.
 */
export type ServerDefaults = { 
/**
 * Name of the organisation.
 */
organisation: string, 
/**
 * Id of the template that is chosen first.
 */
template: string | null, 
/**
 * Ids of the templates that are the organisation's.
 */
templates: Array<string>, 
/**
 * Id of the subnet, where the region has it.
 */
subnet: string | null, 
/**
 * Id of the security group, where the region has it.
 */
securityGroup: string | null, 
/**
 * How the names of images begin that are taken first.
 */
images: Array<string>, };

/**
 * A server that never passed through this program. Every text in it comes from outside and is shown as text.
 */
export type ServerElsewhere = { 
/**
 * Server id.
 */
id: string, 
/**
 * Its name, as the newest trace has it.
 */
name: string, 
/**
 * Who made it; none: it was there before the audit's reach.
 */
madeBy: string | null, 
/**
 * When.
 */
made: string | null, 
/**
 * Who ended it; none: nobody in these days.
 */
endedBy: string | null, 
/**
 * When.
 */
ended: string | null, 
/**
 * Who did something last.
 */
lastBy: string | null, 
/**
 * When.
 */
last: string | null, 
/**
 * How many acts there were.
 */
acts: number, 
/**
 * Whether the cloud shows it now.
 */
exists: boolean, };

/**
 * The servers of the account in use.
 */
export type ServerList = { 
/**
 * Our id of the account.
 */
account: string, 
/**
 * What the cloud told last.
 */
servers: Array<Server>, 
/**
 * When, by the cloud's clock; none: not yet.
 */
asOf: string | null, 
/**
 * It is being asked now.
 */
refreshing: boolean, 
/**
 * Rows that could not be read.
 */
unreadable: number, 
/**
 * Why the last question was not answered.
 */
problem: WireError | null, };

/**
 * Names a server.
 */
export type ServerRef = { 
/**
 * Server id.
 */
server: string, };

/**
 * State of a server in a word, worked out from `status` and `task_state` (the status alone hides transitions).
 */
export type ServerState = "creating" | "running" | "stopping" | "stopped" | "starting" | "restarting" | "resizing" | "confirming_size" | "reinstalling" | "deleting" | "error" | "frozen" | "unknown";

/**
 * A shell or a screen of a server.
 */
export type Session = { 
/**
 * Its id.
 */
id: string, 
/**
 * Server id.
 */
server: string, 
/**
 * Name of the server.
 */
serverName: string, 
/**
 * The server's address.
 */
address: string, 
/**
 * Who is logged in.
 */
user: string, 
/**
 * Where it stands.
 */
state: SessionState, 
/**
 * What it waits for a person to answer.
 */
question: SessionQuestion | null, 
/**
 * What the server said before the login; untrusted text.
 */
banner: string, 
/**
 * What there is of it, if it is a screen.
 */
screen: ScreenView | null, 
/**
 * It is recorded at the moment.
 */
recorded: boolean, 
/**
 * When the lease of its server ends.
 */
leaseEnd: string | null, 
/**
 * What its user should know of the server: that it is not ready.
 */
readiness: ReadinessView | null, 
/**
 * It was ended because nobody used it.
 */
idle: boolean, };

/**
 * What a window of sessions asks for.
 */
export type SessionAct = { "act": "open", 
/**
 * Server id.
 */
server: string, 
/**
 * The session that it is to log in like.
 */
like: string | null, } | { "act": "screen", 
/**
 * Server id.
 */
server: string, 
/**
 * A VNC server instead of the provider's console.
 */
vnc: VncPlace | null, } | { "act": "page", 
/**
 * Server id.
 */
server: string, 
/**
 * In the browser.
 */
browser: boolean, } | { "act": "password", 
/**
 * Server id.
 */
server: string, } | { "act": "close", 
/**
 * Session id.
 */
session: string, } | { "act": "retry", 
/**
 * Session id.
 */
session: string, } | { "act": "resize", 
/**
 * Session id.
 */
session: string, 
/**
 * Letters in a row.
 */
columns: number, 
/**
 * Rows.
 */
rows: number, } | { "act": "extend", 
/**
 * Session id.
 */
session: string, 
/**
 * By so many hours.
 */
hours: number, } | { "act": "record", 
/**
 * Session id.
 */
session: string, 
/**
 * It is to be recorded.
 */
on: boolean, } | { "act": "prefer", 
/**
 * What is to be.
 */
preferences: SessionPreferences, } | { "act": "shown", 
/**
 * Session id.
 */
session: string, 
/**
 * The offset.
 */
offset: number, } | { "act": "trust", 
/**
 * Session id.
 */
session: string, 
/**
 * The question's number.
 */
question: number, 
/**
 * It is.
 */
yes: boolean, } | { "act": "answer", 
/**
 * Session id.
 */
session: string, 
/**
 * The question's number.
 */
question: number, 
/**
 * One for each prompt.
 */
answers: Array<string>, };

/**
 * What is asked.
 */
export type SessionAsk = { "kind": "host_key", 
/**
 * The host as asked for.
 */
host: string, 
/**
 * The key that it showed.
 */
key: HostKeyView, 
/**
 * The id of the server that had this address before.
 */
formerly: string | null, } | { "kind": "passphrase", 
/**
 * The file.
 */
key: string, 
/**
 * The one before was wrong.
 */
again: boolean, } | { "kind": "password", 
/**
 * The user.
 */
user: string, 
/**
 * The one before was wrong.
 */
again: boolean, } | { "kind": "prompts", 
/**
 * What the server calls it.
 */
name: string, 
/**
 * What it says about it.
 */
instruction: string, 
/**
 * The prompts: text, and whether what is typed may be seen.
 */
prompts: Array<[string, boolean]>, };

/**
 * How to log in, where it is not as usual. What is empty is as usual.
 */
export type SessionHow = { 
/**
 * As this user.
 */
user: string, 
/**
 * With this key first: the id of a file that was chosen.
 */
key: string | null, 
/**
 * Through these hosts, as `ssh -J` takes them.
 */
jumps: string, };

/**
 * What a person set for all sessions.
 */
export type SessionPreferences = { 
/**
 * Every session is recorded from its beginning.
 */
record: boolean, 
/**
 * A session that nobody used for so many minutes is ended; 0: never.
 */
idleMinutes: number, };

/**
 * A question of a session.
 */
export type SessionQuestion = { 
/**
 * Its number in the session.
 */
number: number, 
/**
 * What is asked.
 */
ask: SessionAsk, };

/**
 * Where a session stands.
 */
export type SessionState = { "kind": "connecting" } | { "kind": "checking_key" } | { "kind": "logging_in" } | { "kind": "waiting", 
/**
 * How often it was tried.
 */
attempt: number, 
/**
 * When the next try comes, in milliseconds.
 */
nextInMs: number, 
/**
 * How long trying goes on, in milliseconds.
 */
leftMs: number, 
/**
 * What happened the last time.
 */
error: WireError, } | { "kind": "open" } | { "kind": "reconnecting", 
/**
 * Which try comes next, from 1.
 */
attempt: number, 
/**
 * How many there are.
 */
of: number, 
/**
 * When it comes, in milliseconds.
 */
nextInMs: number, 
/**
 * Why it was lost, or why the last try failed.
 */
error: WireError, } | { "kind": "ended", 
/**
 * What the shell returned, where it did.
 */
exit: number | null, 
/**
 * The signal that ended it, where one did.
 */
signal: string | null, } | { "kind": "failed", 
/**
 * Why.
 */
error: WireError, 
/**
 * Both host keys, when another one was shown than is known.
 */
hostKeys: ChangedHostKey | null, };

/**
 * What a window of sessions begins with.
 */
export type SessionsStart = { 
/**
 * Every session.
 */
sessions: Array<Session>, 
/**
 * Language and look.
 */
settings: Settings, 
/**
 * What is set for all sessions.
 */
preferences: SessionPreferences, };

/**
 * What a person set.
 */
export type Settings = { 
/**
 * Language of the interface.
 */
language: Language, 
/**
 * Light or dark.
 */
theme: Theme, 
/**
 * Which warnings of a lease's end the system shows: minutes before it, out of [`crate::lease::WARNINGS`].
 */
warnMinutes: number[], 
/**
 * The system shows how an operation ended while the window is not in front.
 */
tellOperations: boolean, 
/**
 * The program stays, with its icon, when its window is closed.
 */
stayInTray: boolean, 
/**
 * How the cloud and the data platform are reached. From the next start on.
 */
proxy: ProxyUse, 
/**
 * Address of the proxy, for [`ProxyUse::At`]. It carries no login.
 */
proxyUrl: string, 
/**
 * File of certificates (PEM) that are trusted beside the system's. From the next start on.
 */
caFile: string, };

/**
 * What the commands are typed into.
 */
export type Shell = "bash" | "power_shell";

/**
 * Asks the system to show a directory.
 */
export type ShowFolder = { 
/**
 * Which.
 */
folder: Folder, };

/**
 * Signing in. The secret parts go in here once and never come back.
 */
export type SignIn = { 
/**
 * What to call the account.
 */
name: string, 
/**
 * Region id.
 */
region: string, 
/**
 * Access key (AK).
 */
accessKey: string, 
/**
 * Secret key (SK).
 */
secretKey: string, 
/**
 * Security token of a temporary key.
 */
securityToken: string | null, 
/**
 * Project id, where it cannot be found out.
 */
projectId: string | null, 
/**
 * How long the key is kept.
 */
remember: Remember, };

/**
 * Signing in to the embedded region.
 */
export type SignInDemo = { 
/**
 * Who to be.
 */
user: string, 
/**
 * How long the key is kept.
 */
remember: Remember, };

/**
 * Signing in with a key that was found.
 */
export type SignInFound = { 
/**
 * Which key: [`FoundKey::id`].
 */
id: string, 
/**
 * What to call the account.
 */
name: string, 
/**
 * Region id.
 */
region: string, 
/**
 * Project id, where it cannot be found out.
 */
projectId: string | null, 
/**
 * How long the key is kept.
 */
remember: Remember, };

/**
 * A file.
 */
export type SignedGrant = { 
/**
 * Its text.
 */
file: string, };

/**
 * One subnet.
 */
export type Subnet = { 
/**
 * The id that creation of a server wants.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Address range.
 */
cidr: string | null, 
/**
 * Id of its VPC.
 */
vpc: string, 
/**
 * Name of its VPC.
 */
vpcName: string, 
/**
 * Addresses not in use.
 */
freeAddresses: number | null, };

/**
 * Changing a server's tags.
 */
export type TagServer = { 
/**
 * Server id.
 */
server: string, 
/**
 * Tags to set; a key that it has gets the new value.
 */
set: Array<NewTag>, 
/**
 * Keys of tags to take off.
 */
remove: Array<string>, };

/**
 * A kind of server that can be asked for by name. What a region calls it (flavor id, image id) is looked up when it
 * is used, because the same template serves every region.
 */
export type Template = { 
/**
 * Stable name in ledger and events.
 */
id: string, 
/**
 * Name shown in Chinese.
 */
nameZh: string, 
/**
 * Name shown in English.
 */
nameEn: string, 
/**
 * Virtual processors.
 */
vcpus: number, 
/**
 * Memory in GiB.
 */
ramGb: number, 
/**
 * How the image's name begins, e.g. `Ubuntu 22.04`; the newest that fits is taken.
 */
image: string, 
/**
 * System disk in GB.
 */
systemDiskGb: number, 
/**
 * Data disk in GB, if any.
 */
dataDiskGb: number | null, 
/**
 * Public address with this bandwidth in Mbit/s, if any.
 */
publicMbps: number | null, 
/**
 * Lease proposed, in hours.
 */
leaseHours: number, 
/**
 * What is installed.
 */
environment: Environment, 
/**
 * What is done on the first start beside that: a text for cloud-init.
 */
userData?: string, };

/**
 * Templates as a file.
 */
export type TemplateFile = { 
/**
 * JSON with a schema version.
 */
file: string, };

/**
 * Where templates are from, by id.
 */
export type TemplateOrigins = { 
/**
 * They are the organisation's that was joined, and come with its grant.
 */
grant: Array<string>, 
/**
 * They came with the program: they cannot be removed, and one that was changed can become again as it came.
 */
builtIn: Array<string>, 
/**
 * Kept as one's own: these can be removed.
 */
own: Array<string>, };

/**
 * Names a template.
 */
export type TemplateRef = { 
/**
 * Its id.
 */
template: string, };

/**
 * Light or dark.
 */
export type Theme = "system" | "light" | "dark";

/**
 * Tries the search.
 */
export type TrySearch = { 
/**
 * What to try; none: what is set.
 */
with: ConfigureSearch | null, };

/**
 * What a window of sessions asks for about tunnels.
 */
export type TunnelAct = { "act": "list" } | { "act": "keep", 
/**
 * Server id.
 */
server: string, 
/**
 * What it is called.
 */
name: string, 
/**
 * What leads where.
 */
route: TunnelRoute, 
/**
 * Begins with each session on its server.
 */
withSession: boolean, } | { "act": "remove", 
/**
 * Its id.
 */
tunnel: string, } | { "act": "start", 
/**
 * Its id.
 */
tunnel: string, } | { "act": "stop", 
/**
 * Its id.
 */
tunnel: string, } | { "act": "trust", 
/**
 * Its id.
 */
tunnel: string, 
/**
 * The question's number.
 */
question: number, 
/**
 * It is.
 */
yes: boolean, } | { "act": "answer", 
/**
 * Its id.
 */
tunnel: string, 
/**
 * The question's number.
 */
question: number, 
/**
 * One for each prompt.
 */
answers: Array<string>, };

/**
 * What leads where. An address that listens is loopback when it is empty.
 */
export type TunnelRoute = { "kind": "local", 
/**
 * The address here that listens.
 */
address: string, 
/**
 * The port here; 0 lets the system choose.
 */
port: number, 
/**
 * The host that it leads to, as the server sees it.
 */
toHost: string, 
/**
 * Its port.
 */
toPort: number, } | { "kind": "remote", 
/**
 * The address there that listens.
 */
address: string, 
/**
 * The port there; 0 lets the server choose.
 */
port: number, 
/**
 * The host that it leads to, as seen from here.
 */
toHost: string, 
/**
 * Its port.
 */
toPort: number, } | { "kind": "socks", 
/**
 * The address here that listens.
 */
address: string, 
/**
 * The port here; 0 lets the system choose.
 */
port: number, };

/**
 * A tunnel that is kept, as it is now.
 */
export type TunnelView = { 
/**
 * Its id.
 */
id: string, 
/**
 * Server id.
 */
server: string, 
/**
 * Name of the server.
 */
serverName: string, 
/**
 * What it is called.
 */
name: string, 
/**
 * What leads where.
 */
route: TunnelRoute, 
/**
 * Begins with each session on its server.
 */
withSession: boolean, 
/**
 * Where it stands; nothing while it was not begun.
 */
state: SessionState | null, 
/**
 * The port that listens, where it is known.
 */
port: number | null, 
/**
 * Bytes towards the server.
 */
up: number, 
/**
 * Bytes from the server.
 */
down: number, 
/**
 * Connections that are open.
 */
open: number, 
/**
 * Connections in all.
 */
all: number, 
/**
 * Connections that led nowhere.
 */
failed: number, 
/**
 * What it waits for a person to answer.
 */
question: SessionQuestion | null, };

/**
 * Days of Asia/Shanghai, both included, and which part of them.
 */
export type UsageAsk = { 
/**
 * The first day.
 */
from: string, 
/**
 * The last day.
 */
to: string, 
/**
 * Which part.
 */
cut: UsageCut, };

/**
 * A month's bill, as it was when it was read last.
 */
export type UsageBilled = { 
/**
 * As `2026-11`.
 */
month: string, 
/**
 * It does not change any more.
 */
isFinal: boolean, 
/**
 * When it was read.
 */
asOf: string, 
/**
 * What was charged in all, or of the owners asked for.
 */
billed: string, 
/**
 * Of it, outgoing traffic by volume.
 */
traffic: string, };

/**
 * What bills said of the months of a question that are asked for as a whole, as far as they were read.
 */
export type UsageBills = { 
/**
 * Month by month, those that were read.
 */
months: Array<UsageBilled>, 
/**
 * All that was charged in them.
 */
billed: string, 
/**
 * Of it, outgoing traffic by volume.
 */
traffic: string, 
/**
 * Of both.
 */
currency: string, };

/**
 * What can be asked for.
 */
export type UsageChoices = { 
/**
 * Ids and names of owners.
 */
owners: Array<[string, string]>, 
/**
 * Flavors. In each list an empty word stands for what has none.
 */
flavors: Array<string>, 
/**
 * Regions.
 */
regions: Array<string>, 
/**
 * Purposes.
 */
purposes: Array<string>, 
/**
 * Templates.
 */
templates: Array<string>, 
/**
 * Currencies.
 */
currencies: Array<string>, };

/**
 * Money by what it is for. All add up to `total`.
 */
export type UsageCost = { 
/**
 * All of it.
 */
total: string, 
/**
 * vCPUs and memory.
 */
compute: string, 
/**
 * Disks.
 */
disk: string, 
/**
 * Public addresses with their bandwidth.
 */
address: string, 
/**
 * Of which only the whole is known.
 */
unsplit: string, };

/**
 * Which part of everything. An empty list is everything; an empty word in a list, what has none.
 */
export type UsageCut = { 
/**
 * Owner ids.
 */
owners: Array<string>, 
/**
 * Flavor ids.
 */
flavors: Array<string>, 
/**
 * Region ids.
 */
regions: Array<string>, 
/**
 * Purposes.
 */
purposes: Array<string>, 
/**
 * Template ids.
 */
templates: Array<string>, 
/**
 * Whose money is counted; by default that of which there is most.
 */
currency: string | null, };

/**
 * One day.
 */
export type UsageDay = { 
/**
 * Day of Asia/Shanghai.
 */
day: string, 
/**
 * Hours of existence.
 */
hours: string, 
/**
 * Hours of running.
 */
runningHours: string, };

/**
 * One event of a server.
 */
export type UsageEvent = { 
/**
 * Its id.
 */
eventId: string, 
/**
 * When it happened.
 */
time: string, 
/**
 * What.
 */
action: string, 
/**
 * `ok`, `failed` or `refused`.
 */
outcome: string, 
/**
 * Who.
 */
owner: string, 
/**
 * Flavor that it tells; empty: none.
 */
flavor: string, 
/**
 * Disk space that it tells.
 */
diskGb: number | null, 
/**
 * Price of an hour that it tells.
 */
pricePerHour: string | null, 
/**
 * Of the price.
 */
currency: string, 
/**
 * End of the lease that it tells.
 */
leaseEnd: string | null, 
/**
 * Why.
 */
cause: string, 
/**
 * The source that told it first.
 */
source: string, };

/**
 * What is to come.
 */
export type UsageForecast = { 
/**
 * Worked out when.
 */
asOf: string, 
/**
 * Of all money; empty where there is none.
 */
currency: string, 
/**
 * The whole months that it goes by.
 */
months: Array<ForecastMonth>, 
/**
 * The running month.
 */
running: Forecast, 
/**
 * The next one.
 */
nextMonth: Forecast, 
/**
 * The next quarter of the calendar.
 */
nextQuarter: Forecast, 
/**
 * How wrong each method would have been.
 */
methods: Array<ForecastTry>, };

/**
 * One month, or the part of it that was asked for.
 */
export type UsageMonth = { 
/**
 * As `2026-11`.
 */
month: string, 
/**
 * Hours of existence.
 */
hours: string, 
/**
 * Hours of running.
 */
runningHours: string, 
/**
 * Money.
 */
cost: UsageCost, };

/**
 * All owners, dearest first.
 */
export type UsageOwners = { 
/**
 * The owners; where there are more, the rest is the last line.
 */
owners: Array<UsageRank>, 
/**
 * How many there are.
 */
count: number, 
/**
 * Of all money.
 */
currency: string, 
/**
 * Up to when it is counted.
 */
asOf: string, };

/**
 * One owner, flavor, region, purpose or template.
 */
export type UsageRank = { 
/**
 * Id, or the word; empty: it has none.
 */
key: string, 
/**
 * What it is called.
 */
name: string, 
/**
 * Servers that existed.
 */
servers: number, 
/**
 * Hours of existence.
 */
hours: string, 
/**
 * Hours of running.
 */
runningHours: string, 
/**
 * Disk space × hours.
 */
diskGbHours: string, 
/**
 * Money.
 */
cost: string, 
/**
 * Money in the time that is compared with.
 */
costBefore: string, 
/**
 * Money in each of the summary's months.
 */
months: string[], 
/**
 * How many this line stands for; more than one in the last line, which has no key.
 */
count: number, };

/**
 * One row of the timeline.
 */
export type UsageRow = { 
/**
 * Id of the server.
 */
server: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Id of its owner.
 */
ownerId: string, 
/**
 * Name of its owner.
 */
owner: string, 
/**
 * When it began, perhaps before the days asked for.
 */
began: string | null, 
/**
 * When it ended, perhaps after them.
 */
ended: string | null, 
/**
 * Nobody told that it ended.
 */
assumedEnd: boolean, 
/**
 * Inside the days asked for, in order.
 */
stretches: Array<UsageStretch>, };

/**
 * One server, as far as it lies in the days asked for.
 */
export type UsageServer = { 
/**
 * Its id.
 */
server: string, 
/**
 * Its name; empty where nobody told it.
 */
name: string, 
/**
 * Id of its owner.
 */
ownerId: string, 
/**
 * Name of its owner.
 */
owner: string, 
/**
 * The flavor that it had last.
 */
flavor: string, 
/**
 * Where it is.
 */
region: string, 
/**
 * What it is for.
 */
purpose: string, 
/**
 * What it was made from.
 */
template: string, 
/**
 * When it began.
 */
began: string | null, 
/**
 * When it ended; none while it is there.
 */
ended: string | null, 
/**
 * Nobody told how it began.
 */
assumedBeginning: boolean, 
/**
 * Nobody told that it ended.
 */
assumedEnd: boolean, 
/**
 * Hours of existence in the days asked for.
 */
hours: string, 
/**
 * Hours of running.
 */
runningHours: string, 
/**
 * Disk space × hours.
 */
diskGbHours: string, 
/**
 * Money.
 */
cost: string, 
/**
 * Of the money; empty where no price is known.
 */
currency: string, };

/**
 * Servers, dearest first.
 */
export type UsageServers = { 
/**
 * The dearest ones.
 */
servers: Array<UsageServer>, 
/**
 * How many there are.
 */
count: number, 
/**
 * Up to when it is counted.
 */
asOf: string, };

/**
 * Where figures come from, how old and how whole that is.
 */
export type UsageSource = { 
/**
 * `ledger`, `platform`, `file:…`.
 */
name: string, 
/**
 * When something was last taken from it.
 */
takenAt: string | null, 
/**
 * The earliest moment that it tells of.
 */
first: string | null, 
/**
 * The latest.
 */
last: string | null, 
/**
 * Events that it told first.
 */
events: number, 
/**
 * Events that others had told before.
 */
doubled: number, 
/**
 * Rows that could not be read.
 */
unreadable: number, 
/**
 * It had no more when it was asked last.
 */
complete: boolean, };

/**
 * Hours and money.
 */
export type UsageSpent = { 
/**
 * Servers that existed.
 */
servers: number, 
/**
 * Owners that had some.
 */
owners: number, 
/**
 * Hours of existence.
 */
hours: string, 
/**
 * Hours of running.
 */
runningHours: string, 
/**
 * Disk space × hours.
 */
diskGbHours: string, 
/**
 * Hours of existence without a known price: they cost, but nothing is counted for them.
 */
unpricedHours: string, 
/**
 * Money: an estimate.
 */
cost: UsageCost, };

/**
 * Time in which a server was one thing.
 */
export type UsageStretch = { 
/**
 * From.
 */
from: string, 
/**
 * To.
 */
to: string, 
/**
 * It ran.
 */
runs: boolean, 
/**
 * With this flavor.
 */
flavor: string, };

/**
 * What was used in some days, and what that came to.
 */
export type UsageSummary = { 
/**
 * The first day.
 */
from: string, 
/**
 * The last day.
 */
to: string, 
/**
 * Up to when it is counted.
 */
asOf: string, 
/**
 * Of all money in this answer; empty where there is none.
 */
currency: string, 
/**
 * Money of other currencies, which is in no other figure.
 */
otherMoney: Array<Money>, 
/**
 * Everything.
 */
total: UsageSpent, 
/**
 * The days that are compared with.
 */
beforeFrom: string | null, 
/**
 * The last of them.
 */
beforeTo: string | null, 
/**
 * Everything in these.
 */
before: UsageSpent | null, 
/**
 * What bills said of the months that are asked for as a whole, as far as they were read: real money, in no other
 * figure. Only they tell what traffic by volume cost.
 */
bills: UsageBills, 
/**
 * Month by month, without gaps.
 */
months: Array<UsageMonth>, 
/**
 * Day by day, without gaps.
 */
days: Array<UsageDay>, 
/**
 * Hours of running by hour of the week in Asia/Shanghai: 168 from Monday 00:00 on, each an average of servers at once.
 */
week: string[], 
/**
 * By owner; each list dearest first, with the rest in a last line.
 */
owners: Array<UsageRank>, 
/**
 * By flavor.
 */
flavors: Array<UsageRank>, 
/**
 * By region.
 */
regions: Array<UsageRank>, 
/**
 * By purpose.
 */
purposes: Array<UsageRank>, 
/**
 * By template.
 */
templates: Array<UsageRank>, 
/**
 * Servers whose end nobody told: they are taken to have ended with their lease.
 */
assumedEnds: number, 
/**
 * Something new is still being worked out: the figures are not final.
 */
counting: boolean, 
/**
 * Where the figures come from.
 */
sources: Array<UsageSource>, };

/**
 * When each server was there and ran.
 */
export type UsageTimeline = { 
/**
 * Those that came first on top.
 */
rows: Array<UsageRow>, 
/**
 * How many there are.
 */
count: number, 
/**
 * Up to when it is counted.
 */
asOf: string, };

/**
 * Some of a list, in its order.
 */
export type UsageTop = { 
/**
 * The first day.
 */
from: string, 
/**
 * The last day.
 */
to: string, 
/**
 * Which part.
 */
cut: UsageCut, 
/**
 * How many.
 */
limit: number, 
/**
 * How many before them were seen already.
 */
skip?: number, };

/**
 * How much of a quota is used.
 */
export type Use = { 
/**
 * In use.
 */
used: number, 
/**
 * At most; none: no limit.
 */
max: number | null, };

/**
 * Where a VNC server answers, as the server of the cloud sees it.
 */
export type VncPlace = { 
/**
 * A name or an address.
 */
host: string, 
/**
 * The port.
 */
port: number, };

/**
 * What costs without being of use.
 */
export type Waste = { 
/**
 * What, the dearest first.
 */
items: Array<Wasted>, 
/**
 * What ending all of it saves in a month, as far as known.
 */
perMonth: Money | null, 
/**
 * Things whose price cannot be had just now.
 */
unpriced: number, 
/**
 * Unbound addresses whose owner was not asked for because there are too many.
 */
unchecked: number, 
/**
 * Whether sessions were looked at; not where this program's are not used.
 */
sessionsKnown: boolean, 
/**
 * By the cloud's clock.
 */
asOf: string, };

/**
 * What ends it.
 */
export type WasteAct = "delete_server" | "set_lease" | "adopt" | "remove_leftover" | "delete_disk" | "console";

/**
 * What costs.
 */
export type WasteKind = "server" | "disk" | "public_address";

/**
 * Why it is of no use.
 */
export type WasteReason = "stopped_in_lease" | "forgotten" | "no_session" | "no_owner" | "no_lease" | "disk_unattached" | "address_unbound" | "leftover";

/**
 * One thing that costs without being of use. Every text in it comes from outside and is shown as text.
 */
export type Wasted = { 
/**
 * What it is.
 */
kind: WasteKind, 
/**
 * The cloud's id.
 */
id: string, 
/**
 * Its name, or the address.
 */
name: string, 
/**
 * Whose, as its tags say.
 */
owner: string | null, 
/**
 * Made here by the signed-in user, or adopted.
 */
own: boolean, 
/**
 * Why.
 */
reasons: Array<WasteReason>, 
/**
 * State of a server.
 */
state: ServerState | null, 
/**
 * Flavor of a server.
 */
flavor: string | null, 
/**
 * Size of a disk, or of all disks of a server, in GB.
 */
sizeGb: number | null, 
/**
 * Server that a disk or an address names as its own.
 */
server: string | null, 
/**
 * End of a server's lease.
 */
leaseEnd: string | null, 
/**
 * Since when it is so, as far as known; else since when it is there.
 */
since: string | null, 
/**
 * What ending it saves in a month; none: its price cannot be had just now.
 */
perMonth: Money | null, 
/**
 * What ends it, the most fitting first.
 */
acts: Array<WasteAct>, };

/**
 * Whose waste is asked for.
 */
export type Whose = "mine" | "everyone";

/**
 * What went wrong, for a person to read and for the interface to act on by `code`.
 */
export type WireError = { 
/**
 * Stable name, `snake_case`. The only part to match on.
 */
code: string, 
/**
 * What happened, in the user's language.
 */
sentence: string, 
/**
 * What to do about it, in the user's language.
 */
nextStep: string | null, 
/**
 * The other side's own words, shown as they are.
 */
detail: string | null, 
/**
 * The provider's error code.
 */
providerCode: string | null, 
/**
 * The provider's request id, which its support asks for.
 */
requestId: string | null, };

/**
 * Somewhere that the window is to go.
 */
export type Wish = { "kind": "server", 
/**
 * Server id.
 */
server: string, } | { "kind": "extend", 
/**
 * Server id.
 */
server: string, } | { "kind": "console", 
/**
 * Server id.
 */
server: string, } | { "kind": "password", 
/**
 * Server id.
 */
server: string, } | { "kind": "create", 
/**
 * Template id.
 */
template: string | null, 
/**
 * Name to fill in.
 */
name: string | null, 
/**
 * Purpose to fill in.
 */
purpose: string | null, 
/**
 * Hours of the lease to fill in.
 */
hours: number | null, } | { "kind": "screen", 
/**
 * Its name.
 */
screen: string, } | { "kind": "join", 
/**
 * The link.
 */
link: string, 
/**
 * Name of the organisation, as the link says.
 */
organisation: string, } | { "kind": "key_file", 
/**
 * The file.
 */
file: string, } | { "kind": "action", 
/**
 * Its name.
 */
action: string, } | { "kind": "unreadable" };

/**
 * A wish, and whether it has to be asked for first.
 */
export type Wished = { 
/**
 * What is wished.
 */
wish: Wish, 
/**
 * It came from outside, by a link: the person is asked before it is followed.
 */
outside: boolean, };

/** Sends one call to the backend; rejects with a WireError. */
export type Call = <Answer>(name: string, request: unknown) => Promise<Answer>;

/** Every call that the interface can make. */
export const calls = (call: Call) => ({
  app: {
    info: () => call<AppInfo>("app.info", null),
    beginning: () => call<Beginning>("app.beginning", null),
    wishes: () => call<Array<Wished>>("app.wishes", null),
    showFolder: (request: ShowFolder) => call<null>("app.show_folder", request),
    print: () => call<null>("app.print", null),
    diagnostics: () => call<Bundle>("app.diagnostics", null),
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
    findKeys: (request: FindKeys) => call<Array<FoundKey>>("accounts.find_keys", request),
    signInFound: (request: SignInFound) => call<Account>("accounts.sign_in_found", request),
    rights: (request: AccountRef) => call<Rights>("accounts.rights", request),
    select: (request: AccountRef) => call<Accounts>("accounts.select", request),
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
    power: (request: Power) => call<Array<PerServer>>("servers.power", request),
    extendSeveral: (request: ExtendLeases) => call<Array<PerServer>>("servers.extend_several", request),
    deleteSeveral: (request: DeleteServers) => call<Array<PerServer>>("servers.delete_several", request),
    resizeOptions: (request: ServerRef) => call<ResizeOptions>("servers.resize_options", request),
    resize: (request: ResizeServer) => call<Operation>("servers.resize", request),
    rename: (request: RenameServer) => call<Operation>("servers.rename", request),
    tag: (request: TagServer) => call<Operation>("servers.tag", request),
    adopt: (request: ServerRef) => call<Operation>("servers.adopt", request),
    resetPassword: (request: ResetPassword) => call<Operation>("servers.reset_password", request),
    saveKey: (request: ServerRef) => call<SavedKey>("servers.save_key", request),
    publicKeys: (request: ServerRef) => call<PublicKeys>("servers.public_keys", request),
    cancelLease: (request: ServerRef) => call<Operation>("servers.cancel_lease", request),
    delete: (request: DeleteServer) => call<Operation>("servers.delete", request),
    deletion: (request: ServerRef) => call<Deletion>("servers.deletion", request),
    costs: () => call<Costs>("servers.costs", null),
    markParts: (request: ServerRef) => call<Operation>("servers.mark_parts", request),
    leftovers: () => call<Leftovers>("servers.leftovers", null),
    removeLeftovers: (request: RemoveLeftovers) => call<Array<PerLeftover>>("servers.remove_leftovers", request),
  },
  sessions: {
    list: () => call<Array<Session>>("sessions.list", null),
    open: (request: OpenSession) => call<Session>("sessions.open", request),
    chooseKey: () => call<ChosenKey | null>("sessions.choose_key", null),
    screen: (request: OpenScreen) => call<Session>("sessions.screen", request),
  },
  disks: {
    list: (request: ServerRef) => call<DiskList>("disks.list", request),
    price: (request: AskDiskPrice) => call<DiskPrice>("disks.price", request),
    commands: (request: AskDiskCommands) => call<DiskCommands>("disks.commands", request),
    add: (request: AddDisk) => call<Operation>("disks.add", request),
    grow: (request: GrowDisk) => call<Operation>("disks.grow", request),
    detach: (request: DiskRef) => call<Operation>("disks.detach", request),
    attach: (request: DiskRef) => call<Operation>("disks.attach", request),
    delete: (request: DeleteDisk) => call<Operation>("disks.delete", request),
  },
  networks: {
    ownAddress: () => call<OwnAddress>("networks.own_address", null),
    admitSsh: (request: AdmitSsh) => call<Operation>("networks.admit_ssh", request),
  },
  templates: {
    list: () => call<Array<Template>>("templates.list", null),
    save: (request: Template) => call<Array<Template>>("templates.save", request),
    remove: (request: TemplateRef) => call<Array<Template>>("templates.remove", request),
    origins: () => call<TemplateOrigins>("templates.origins", null),
    export: () => call<TemplateFile>("templates.export", null),
    import: (request: TemplateFile) => call<Array<Template>>("templates.import", request),
  },
  operations: {
    list: () => call<Array<Operation>>("operations.list", null),
    cancel: (request: OperationRef) => call<Operation>("operations.cancel", request),
    rehearse: (request: Rehearse) => call<Rehearsed>("operations.rehearse", request),
    shown: (request: OperationRef) => call<Rehearsed>("operations.shown", request),
  },
  events: {
    list: (request: ListEvents) => call<EventPage>("events.list", request),
  },
  platform: {
    status: () => call<Search>("platform.status", null),
    configure: (request: ConfigureSearch) => call<Search>("platform.configure", request),
    test: (request: TrySearch) => call<SearchTrial>("platform.test", request),
    statements: () => call<Array<PlatformStatement>>("platform.statements", null),
    pull: () => call<Reading>("platform.pull", null),
    importChosen: () => call<Reading | null>("platform.import_chosen", null),
    reading: () => call<Reading>("platform.reading", null),
    cancel: () => call<Reading>("platform.cancel", null),
  },
  usage: {
    summary: (request: UsageAsk) => call<UsageSummary>("usage.summary", request),
    owners: (request: UsageTop) => call<UsageOwners>("usage.owners", request),
    servers: (request: UsageTop) => call<UsageServers>("usage.servers", request),
    timeline: (request: UsageTop) => call<UsageTimeline>("usage.timeline", request),
    events: (request: ServerRef) => call<Array<UsageEvent>>("usage.events", request),
    choices: () => call<UsageChoices>("usage.choices", null),
    forecast: (request: UsageCut) => call<UsageForecast>("usage.forecast", request),
    waste: (request: AskWaste) => call<Waste>("usage.waste", request),
    readBills: (request: UsageAsk) => call<BillsRead>("usage.read_bills", request),
    bill: (request: AskBill) => call<Bill>("usage.bill", request),
    elsewhere: () => call<Elsewhere>("usage.elsewhere", null),
    export: (request: ExportUsage) => call<Exported>("usage.export", request),
    sources: () => call<Array<UsageSource>>("usage.sources", null),
    budgets: () => call<Array<BudgetState>>("usage.budgets", null),
    setBudgets: (request: Array<Budget>) => call<Array<BudgetState>>("usage.set_budgets", request),
  },
  grants: {
    standing: () => call<GrantStanding>("grants.standing", null),
    invitation: (request: OpenInvitation) => call<Invitation>("grants.invitation", request),
    join: (request: JoinOrganisation) => call<GrantStanding>("grants.join", request),
    refresh: () => call<GrantStanding>("grants.refresh", null),
    leave: () => call<GrantStanding>("grants.leave", null),
  },
  office: {
    standing: () => call<Office | null>("office.standing", null),
    duties: (request: AskDuties) => call<Array<DutyRight>>("office.duties", request),
    found: (request: Found) => call<Office>("office.found", request),
    edit: (request: Grant) => call<Office>("office.edit", request),
    audit: (request: AskAudit) => call<Audit>("office.audit", request),
    act: (request: ActOnFinding) => call<Operation>("office.act", request),
    sign: (request: Lasts) => call<SignedGrant>("office.sign", request),
    publish: (request: PublishGrant) => call<Office>("office.publish", request),
    revoke: (request: RevokeGrant) => call<Office>("office.revoke", request),
    rotate: () => call<Office>("office.rotate", null),
    retire: () => call<Office>("office.retire", null),
    link: (request: AskLink) => call<JoinLink>("office.link", request),
    backUp: (request: Passphrase) => call<SignedGrant>("office.back_up", request),
    restore: (request: RestoreOffice) => call<Office>("office.restore", request),
    policies: () => call<Policies>("office.policies", null),
  },
  delivery: {
    status: () => call<Delivery>("delivery.status", null),
    configure: (request: ConfigureDelivery) => call<Delivery>("delivery.configure", request),
    test: () => call<DeliveryTest>("delivery.test", null),
    sendNow: () => call<Delivery>("delivery.send_now", null),
    refused: () => call<Array<RefusedEvent>>("delivery.refused", null),
    exportRefused: () => call<string>("delivery.export_refused", null),
    sendRefusedAgain: (request: SendAgain) => call<Delivery>("delivery.send_refused_again", request),
  },
});
