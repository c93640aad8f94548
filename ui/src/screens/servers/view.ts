// How the list of servers is shown: which rows, in which order, with which columns. Kept between starts.
import { keep, kept } from '../../kept';
import { stateWord } from '../../parts/states';
import type { Address, Cost, Server, ServerState } from '../../host/generated';
import type { Row } from '../../state.svelte';
import { instant } from '../../words/format';

/** The columns beside the name, in the order they stand in; the later give way first in a narrow list. */
export const COLUMNS = [
  'state',
  'lease',
  'address',
  'size',
  'cost',
  'owner',
  'created',
  'purpose',
  'image',
  'flavor',
  'zone',
] as const;
export type Column = (typeof COLUMNS)[number];

/** Width of each column in rem. */
export const WIDTH: Record<Column, number> = {
  state: 7.5,
  lease: 15,
  address: 10,
  size: 8,
  cost: 6,
  owner: 6.5,
  created: 10.5,
  purpose: 11,
  image: 12,
  flavor: 8,
  zone: 8.5,
};

/** The least the name gets, with the mark before it. */
const NAME_WIDTH = 13.5;

export type SortKey = 'name' | Column;

export type OwnerFilter = { kind: 'all' } | { kind: 'own' } | { kind: 'of'; name: string };

export type View = {
  /** null: as the cloud lists them */
  sort: { by: SortKey; down: boolean } | null;
  /** empty: all */
  states: readonly ServerState[];
  owner: OwnerFilter;
  columns: readonly Column[];
};

export const USUAL_COLUMNS: readonly Column[] = ['state', 'lease', 'address', 'size', 'cost', 'owner', 'created'];
export const USUAL: View = { sort: null, states: [], owner: { kind: 'all' }, columns: USUAL_COLUMNS };

const NAME = 'servers.view';

const isColumn = (value: unknown): value is Column => COLUMNS.includes(value as Column);
const isState = (value: unknown): value is ServerState => typeof value === 'string' && Object.hasOwn(stateWord, value);

/** The view that was kept, each part of it that still means something. */
export function keptView(): View {
  const found = kept(NAME);
  if (typeof found !== 'object' || found === null) return USUAL;
  const { sort, states, owner, columns } = found as Partial<Record<keyof View, unknown>>;
  const by = (sort as { by?: unknown } | null | undefined)?.by;
  const kind = (owner as { kind?: unknown } | null | undefined)?.kind;
  const name = (owner as { name?: unknown } | null | undefined)?.name;
  return {
    sort: by === 'name' || isColumn(by) ? { by, down: (sort as { down?: unknown }).down === true } : null,
    states: Array.isArray(states) ? states.filter(isState) : [],
    owner:
      kind === 'own'
        ? { kind }
        : kind === 'of' && typeof name === 'string'
          ? { kind, name: name.slice(0, 256) }
          : { kind: 'all' },
    columns: Array.isArray(columns) ? COLUMNS.filter((column) => columns.includes(column)) : USUAL_COLUMNS,
  };
}

export const keepView = (view: View): void => keep(NAME, view);

export const isFiltered = (view: View): boolean => view.states.length > 0 || view.owner.kind !== 'all';

/** The chosen columns that have room in a list of so many rem; all of them while the width is not known. */
export function fitting(columns: readonly Column[], width: number): readonly Column[] {
  if (width <= 0) return columns;
  let left = width - NAME_WIDTH;
  const room = columns.findIndex((column) => (left -= WIDTH[column]) < 0);
  return room < 0 ? columns : columns.slice(0, room);
}

/** The address to reach it at: the public one, if there is one. */
export function mainAddress(server: Server | null): Address | null {
  const all = server?.addresses ?? [];
  return all.find(({ kind }) => kind === 'public') ?? all[0] ?? null;
}

export const rowState = (row: Row): ServerState => row.server?.state ?? 'creating';

function words({ server, operation }: Row): (string | null)[] {
  if (server === null) return operation === null ? [] : [operation.serverName];
  const { name, owner, purpose, flavor, id, addresses } = server;
  return [name, owner, purpose, flavor, id, ...addresses.map(({ address }) => address)];
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
const STATES = Object.keys(stateWord) as ServerState[];

type Value = string | number | null;
type Costs = ReadonlyMap<string, Cost>;

function spent(cost: Cost | undefined): number | null {
  const amount = Number(cost?.soFar.amount);
  return Number.isFinite(amount) ? amount : null;
}

function value(row: Row, by: SortKey, costs: Costs): Value {
  const { server, operation } = row;
  switch (by) {
    case 'name':
      return server?.name ?? operation?.serverName ?? null;
    case 'state':
      return STATES.indexOf(rowState(row));
    case 'lease':
      return instant(server ? server.leaseEnd : (operation?.leaseEnd ?? null));
    case 'address':
      return mainAddress(server)?.address ?? null;
    case 'size':
      return server?.vcpus === null || server === null ? null : server.vcpus * 1e9 + (server.ramMb ?? 0);
    case 'cost':
      return server === null ? null : spent(costs.get(server.id));
    case 'created':
      return instant(server?.created ?? operation?.recordedAt ?? null);
    case 'flavor':
      return server?.flavor ?? operation?.flavor ?? null;
    default:
      return server?.[by] ?? null;
  }
}

function compare(one: Value, other: Value): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return collator.compare(String(one), String(other));
}

/** The rows that fit the search and the filters, sorted. What has no value in the sorted column comes last, either way round. */
export function arrange(rows: readonly Row[], view: View, query: string, costs: Costs = new Map()): readonly Row[] {
  const wanted = query.trim().toLocaleLowerCase();
  const { owner, states, sort } = view;
  const shown = rows.filter(
    (row) =>
      (states.length === 0 || states.includes(rowState(row))) &&
      (owner.kind === 'all' || (owner.kind === 'own' ? (row.server?.own ?? true) : row.server?.owner === owner.name)) &&
      (wanted === '' || words(row).some((word) => word?.toLocaleLowerCase().includes(wanted))),
  );
  if (sort === null) return shown;
  const sign = sort.down ? -1 : 1;
  return shown
    .map((row) => ({ row, value: value(row, sort.by, costs) }))
    .sort((a, b) => {
      if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
      return sign * compare(a.value, b.value);
    })
    .map(({ row }) => row);
}
