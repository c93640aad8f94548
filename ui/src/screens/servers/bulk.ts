// Acts on several servers: which of them an act fits, and what became of each.
import type { Operation, Server, WireError } from '../../host/generated';
import { operationState, operationStateWord, operationTone, stateWord, type Told } from '../../parts/states';
import type { AppState, Row } from '../../state.svelte';
import { instant } from '../../words/format';
import { m } from '../../words/words.svelte';

export type BulkAct = 'start' | 'stop' | 'reboot' | 'extend' | 'delete';

/** Why nothing of this kind can be asked for this server now, in words; null when it can. */
export function unfit({ server, operation }: Row, act: BulkAct): string | null {
  if (server === null) return m.bulk_why_busy();
  if (!server.own) return m.servers_not_own();
  if (server.state === 'deleting') return m.bulk_why_state({ state: stateWord.deleting() });
  if (act === 'delete') return operation?.kind === 'server.delete' ? m.bulk_why_busy() : null;
  if (operation !== null) return m.bulk_why_busy();
  const wanted = { start: 'stopped', stop: 'running', reboot: 'running', extend: server.state }[act];
  return server.state === wanted ? null : m.bulk_why_state({ state: stateWord[server.state]() });
}

/** What became of the act on one server. */
export type Result =
  | { kind: 'waiting' }
  | { kind: 'asking' }
  | { kind: 'halted' }
  | { kind: 'asked'; operation: string }
  | { kind: 'refused'; error: WireError };

/** The same in one word, and whether it is over: an operation goes on after it was asked for. */
export function tell(result: Result, operations: ReadonlyMap<string, Operation>): Told {
  switch (result.kind) {
    case 'waiting':
      return { word: m.bulk_waiting(), tone: '', error: null };
    case 'asking':
      return { word: m.bulk_asking(), tone: 'busy', error: null };
    case 'halted':
      return { word: m.bulk_halted(), tone: '', error: null };
    case 'refused':
      return { word: m.stage_failed(), tone: 'bad', error: result.error };
    case 'asked': {
      const operation = operations.get(result.operation);
      const state = operation ? operationState(operation) : 'recorded';
      const tone = operationTone[state];
      return { word: operationStateWord[state](), tone, error: operation?.error ?? null };
    }
  }
}

/** Where the lease of one ends then: so many hours after its own end, or after now if that is past or there is none. */
export function laterEnd(leaseEnd: string | null, hours: number, now: number): number {
  const from = Math.max(instant(leaseEnd) ?? now, now);
  return Math.ceil(from / 60_000) * 60_000 + hours * 3_600_000;
}

export type Ask =
  | { act: 'start' | 'stop' | 'reboot'; hard: boolean }
  | { act: 'extend'; until: (row: Row) => number }
  | { act: 'delete' };

/** How many servers one question is about: few enough that it can be halted in between, and tells how far it is. */
const AT_ONCE = 10;

/** The rows of one question: those that are asked for the same, in their order. */
export function* portions(rows: readonly Row[], same: (row: Row) => unknown): Generator<Server[]> {
  const groups = new Map<unknown, Server[]>();
  for (const row of rows) {
    if (row.server === null) continue;
    const group = groups.get(same(row));
    if (group) group.push(row.server);
    else groups.set(same(row), [row.server]);
  }
  for (const group of groups.values()) {
    for (let at = 0; at < group.length; at += AT_ONCE) yield group.slice(at, at + AT_ONCE);
  }
}

/**
 * Asks for it, some servers at a time, telling what becomes of each; `halted` is looked at before each time. Leases that
 * end at the same moment are moved together.
 */
export async function run(
  app: AppState,
  rows: readonly Row[],
  ask: Ask,
  tellOf: (server: string, result: Result) => void,
  halted: () => boolean,
): Promise<void> {
  const until = new Map(ask.act === 'extend' ? rows.map((row) => [row.server?.id, ask.until(row)] as const) : []);
  for (const some of portions(rows, (row) => until.get(row.server?.id))) {
    const all = (result: Result) => some.forEach((server) => tellOf(server.id, result));
    if (halted()) {
      all({ kind: 'halted' });
      continue;
    }
    all({ kind: 'asking' });
    try {
      const ids = some.map(({ id }) => id);
      const results = await ('hard' in ask
        ? app.powerAll(ids, ask.act, ask.hard)
        : ask.act === 'extend'
          ? app.extendAll(ids, until.get(ids[0]) ?? 0)
          : app.deleteAll(some.map(({ id, name }) => ({ server: id, name }))));
      const told = new Map(results.map((result) => [result.server, result]));
      for (const id of ids) {
        const { operation, error } = told.get(id) ?? { operation: null, error: null };
        if (operation) tellOf(id, { kind: 'asked', operation: operation.id });
        else tellOf(id, { kind: 'refused', error: error ?? app.error(undefined) });
      }
    } catch (thrown) {
      all({ kind: 'refused', error: app.error(thrown) });
    }
  }
}
