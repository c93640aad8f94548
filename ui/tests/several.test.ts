import { waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { deletion, operation, server, serverList, wireError, yuan } from '../src/host/fake';
import type { DeleteServers, ExtendLeases, Power, Server } from '../src/host/generated';
import { keptView } from '../src/screens/servers/view';
import { open, part, parts, text } from './open';

const named = (id: string, some: Partial<Server> = {}) => server({ id, name: `server-${id}`, ...some });
const with_ = (...servers: Server[]) => ({ 'servers.list': () => serverList(servers) });
const abc = with_(named('a'), named('b'), named('c'));
const marked = () =>
  parts('server-row')
    .filter((row) => row.dataset['marked'] === 'true')
    .map((row) => row.dataset['serverId']);
const names = () => parts('server-row').map((row) => row.dataset['serverId']);
const box = (n: number) => parts('server-mark')[n] as HTMLInputElement;

it('marks one, a range and all with the mouse, and says how many', async () => {
  const { user } = await open(abc);
  await part('servers-table');
  await user.click(box(0));
  expect(marked()).toEqual(['a']);
  expect(parts('server-detail'), 'marking opens nothing').toHaveLength(0);
  await user.keyboard('{Shift>}');
  await user.click(box(2));
  await user.keyboard('{/Shift}');
  expect(marked()).toEqual(['a', 'b', 'c']);
  expect((await part('bulk-bar')).dataset['count']).toBe('3');
  await user.click(await part('servers-mark-all'));
  expect(marked()).toEqual([]);
  expect(parts('bulk-bar')).toHaveLength(0);
});

it('marks with the keyboard alone: Space, Shift and arrows, Ctrl A, Escape', async () => {
  const { user } = await open(abc);
  await part('servers-table');
  parts('server-row')[0]?.focus();
  await user.keyboard(' ');
  expect(marked()).toEqual(['a']);
  await user.keyboard('{Shift>}{ArrowDown}{/Shift}');
  await waitFor(() => expect(document.activeElement).toBe(parts('server-row')[1]));
  expect(marked()).toEqual(['a', 'b']);
  await user.keyboard('{Control>}a{/Control}');
  expect(marked()).toEqual(['a', 'b', 'c']);
  await user.keyboard('{Escape}');
  expect(marked()).toEqual([]);
});

it('acts only on what is seen: a marked row that a search hides is left out', async () => {
  const { user } = await open(abc);
  await part('servers-table');
  await user.click(await part('servers-mark-all'));
  await user.type(await part('servers-search'), 'server-b');
  expect((await part('bulk-bar')).dataset['count']).toBe('1');
});

it('stops those that run, leaves the rest alone with the reason, and tells what became of each', async () => {
  const { user, host } = await open({
    ...with_(named('a'), named('b'), named('c', { state: 'stopped' }), named('d', { own: false })),
    'servers.power': ({ servers }: Power) =>
      servers.map((id) =>
        id === 'a'
          ? { server: id, operation: operation({ id: 'stop-a', kind: 'server.stop', serverId: id }), error: null }
          : { server: id, operation: null, error: wireError({ sentence: 'It is locked.' }) },
      ),
  });
  await part('servers-table');
  await user.click(await part('servers-mark-all'));
  await user.click(await part('bulk-stop'));
  expect(text(await part('bulk-skipped'))).toMatch(/server-c.*Stopped now.*server-d.*Not yours/);
  expect(host.requests('servers.power'), 'nothing before the confirmation').toEqual([]);
  await user.click(await part('bulk-submit'));
  await waitFor(() => expect(parts('bulk-close')).toHaveLength(1));
  expect(host.requests('servers.power')).toEqual([{ servers: ['a', 'b'], act: 'stop', hard: false }]);
  expect(parts('bulk-row').map((row) => row.dataset['tone'])).toEqual(['busy', 'bad']);
  expect(text(parts('bulk-row')[1] as HTMLElement)).toContain('It is locked.');
  host.emit({
    kind: 'operation',
    operation: operation({ id: 'stop-a', kind: 'server.stop', serverId: 'a', stage: 'settled', outcome: 'ok' }),
  });
  await waitFor(() => expect(parts('bulk-row')[0]?.dataset['tone']).toBe('ok'));
  expect(text(await part('bulk-summary'))).toBe('1 of 2 done, 1 failed');
});

it('deletes several only after the sentence was typed, ten at a time, and can be halted', async () => {
  let release: (() => void) | null = null;
  const all = Array.from({ length: 22 }, (_, n) => named(String(n)));
  const { user, host } = await open({
    ...with_(...all),
    'servers.delete_several': async ({ servers }: DeleteServers) => {
      if (servers[0]?.server === '10') await new Promise<void>((resolve) => (release = resolve));
      return servers.map(({ server: id }) =>
        id === '3'
          ? { server: id, operation: null, error: wireError({ sentence: 'It is locked.' }) }
          : {
              server: id,
              operation: operation({ id: `delete-${id}`, kind: 'server.delete', serverId: id }),
              error: null,
            },
      );
    },
  });
  await part('servers-table');
  await user.click(await part('servers-mark-all'));
  await user.click(await part('bulk-delete'));
  const submit = await part<HTMLButtonElement>('bulk-submit');
  await user.type(await part('bulk-phrase'), 'delete 2');
  expect(submit.disabled).toBe(true);
  await user.type(await part('bulk-phrase'), '2');
  await user.click(submit);
  await waitFor(() => expect(release).not.toBeNull());
  await user.click(await part('bulk-halt'));
  (release as (() => void) | null)?.();
  await part('bulk-close');
  const asked = host.requests('servers.delete_several') as DeleteServers[];
  expect(asked.map(({ servers }) => servers.length)).toEqual([10, 10]);
  expect(asked[0]?.servers[0], 'each with its own name').toEqual({ server: '0', name: 'server-0' });
  expect(parts('bulk-row').map((row) => row.dataset['tone'])).toEqual(
    Array.from({ length: 22 }, (_, n) => (n === 3 ? 'bad' : n < 20 ? 'busy' : '')),
  );
  expect(text(parts('bulk-row')[3] as HTMLElement)).toContain('It is locked.');
  expect(text(parts('bulk-row')[20] as HTMLElement)).toContain('Not asked');
});

it('says before several are deleted what stays of each and what that costs, and offers it afterwards', async () => {
  const { user, host } = await open({
    ...abc,
    'servers.deletion': ({ server: id }: { server: string }) => {
      if (id === 'c') throw wireError();
      const kept = {
        kind: 'data_disk' as const,
        id: 'd',
        name: 'd',
        sizeGb: 100,
        goes: false,
        perMonth: yuan('73.00'),
      };
      return deletion({ server: id, ...(id === 'a' ? { parts: [kept], staysPerMonth: yuan('73.00') } : {}) });
    },
    'servers.delete_several': ({ servers }: DeleteServers) =>
      servers.map(({ server: id }) => ({
        server: id,
        operation: operation({ id: `delete-${id}`, kind: 'server.delete', serverId: id }),
        error: null,
      })),
  });
  await part('servers-table');
  await user.click(await part('servers-mark-all'));
  await user.click(await part('bulk-delete'));
  await waitFor(() =>
    expect(parts('bulk-stays').map(text)).toEqual(['1 stay, ¥73.00 a month', 'all goes', 'not known what stays']),
  );
  expect(text(await part('bulk-stays-sum'))).toContain('¥73.00 a month');
  await user.type(await part('bulk-phrase'), 'delete 3{Enter}');
  await part('bulk-close');
  expect(parts('bulk-leftovers')).toHaveLength(0);
  host.emit({
    kind: 'operation',
    operation: operation({
      id: 'delete-a',
      kind: 'server.delete',
      serverId: 'a',
      stage: 'settled',
      outcome: 'ok',
      left: 1,
    }),
  });
  await user.click(await part('bulk-leftovers'));
  await part('leftovers-none');
  expect(parts('bulk-close'), 'one question at a time').toHaveLength(0);
});

it('moves each lease from its own end, those with the same end together', async () => {
  const { user, host } = await open({
    ...with_(
      named('a', { leaseEnd: '2025-11-24T10:00:00Z' }),
      named('b', { leaseEnd: null }),
      named('c', { leaseEnd: '2025-11-24T10:00:00Z' }),
    ),
    'servers.extend_several': ({ servers }: ExtendLeases) =>
      servers.map((id) => ({
        server: id,
        operation: operation({ id: `lease-${id}`, kind: 'lease.update', serverId: id }),
        error: null,
      })),
  });
  await part('servers-table');
  await user.click(await part('servers-mark-all'));
  await user.click(await part('bulk-extend'));
  await user.click(await part('bulk-plus-8h'));
  expect(text(await part('bulk-rows'))).toMatch(/server-a ends 02:00 tomorrow.*server-b ends 22:30 today/);
  await user.click(await part('bulk-submit'));
  await part('bulk-close');
  expect(host.requests('servers.extend_several')).toEqual([
    { servers: ['a', 'c'], until: '2025-11-24T18:00:00.000Z' },
    { servers: ['b'], until: '2025-11-24T14:30:00.000Z' },
  ]);
});

it('sorts by a column, turns it round, and goes back to the order of the cloud', async () => {
  const { user } = await open(
    with_(
      named('10', { leaseEnd: null }),
      named('2', { leaseEnd: '2025-11-24T12:00:00Z' }),
      named('1', { leaseEnd: '2025-11-24T11:00:00Z' }),
    ),
  );
  await part('servers-table');
  const byName = await part('servers-sort-name');
  await user.click(byName);
  expect(names(), 'numbers in names count as numbers').toEqual(['1', '2', '10']);
  expect(byName.closest('th')?.getAttribute('aria-sort')).toBe('ascending');
  await user.click(byName);
  expect(names()).toEqual(['10', '2', '1']);
  await user.click(byName);
  expect(names()).toEqual(['10', '2', '1']);
  await user.click(await part('servers-sort-lease'));
  expect(names(), 'no lease comes last').toEqual(['1', '2', '10']);
  await user.click(await part('servers-sort-lease'));
  expect(names(), 'no lease comes last, either way round').toEqual(['2', '1', '10']);
});

it('filters by state and owner, and keeps that and the columns for the next start', async () => {
  const { user } = await open(
    with_(named('a'), named('b', { state: 'stopped' }), named('c', { own: false, owner: 'li.wei' })),
  );
  await part('servers-table');
  await user.click(await part('servers-filter'));
  await user.click(await part('filter-state-running'));
  expect(names()).toEqual(['a', 'c']);
  await user.click(parts('filter-owner').find((one) => one.dataset['value'] === 'of li.wei') as HTMLElement);
  expect(names()).toEqual(['c']);
  await user.keyboard('{Escape}');
  await user.click(await part('servers-columns'));
  await user.click(await part('column-created'));
  await user.click(await part('column-zone'));
  await user.keyboard('{Escape}');
  expect(parts('servers-sort-created')).toHaveLength(0);
  expect(parts('servers-sort-zone')).toHaveLength(1);
  expect(keptView()).toMatchObject({
    states: ['running'],
    owner: { kind: 'of', name: 'li.wei' },
    columns: ['state', 'lease', 'address', 'size', 'cost', 'owner', 'zone'],
  });
});

it('says that filters hide everything, and takes them off', async () => {
  localStorage.setItem('wangcheng.servers.view', JSON.stringify({ states: ['error'] }));
  const { user } = await open(abc);
  await user.click(await part('servers-widen'));
  expect(names()).toEqual(['a', 'b', 'c']);
});

it.each([['no JSON'], ['null'], ['{"sort":{"by":"__proto__"},"states":["toString"],"columns":[1],"owner":7}']])(
  'shows the usual list when what was kept is %s',
  async (kept) => {
    localStorage.setItem('wangcheng.servers.view', kept);
    await open(abc);
    await part('servers-table');
    expect(names()).toEqual(['a', 'b', 'c']);
  },
);

it('looks up what stays of every server, four at a time, says how far it is, and which it could not find out', async () => {
  let under = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  const { user, host } = await open({
    ...with_(...Array.from({ length: 23 }, (_, n) => named(String(n)))),
    'servers.deletion': async ({ server: id }: { server: string }) => {
      most = Math.max(most, ++under);
      await new Promise<void>((go) => waiting.push(go));
      under -= 1;
      if (id === '22') throw wireError();
      return deletion({ server: id, staysPerMonth: yuan('1.50') });
    },
  });
  await part('servers-table');
  await user.click(await part('servers-mark-all'));
  await user.click(await part('bulk-delete'));
  await waitFor(() => expect(waiting).toHaveLength(4));
  expect(text(await part('bulk-stays-looked'))).toContain('0 of 23');
  expect(parts('bulk-stays-sum'), 'no sum of a part').toHaveLength(0);
  for (let n = 0; n < 23; n += 1) {
    await waitFor(() => expect(waiting.length).toBeGreaterThan(n));
    waiting[n]?.();
  }
  await waitFor(() => expect(parts('bulk-stays-looked')).toHaveLength(0));
  expect(most).toBe(4);
  expect(host.requests('servers.deletion')).toHaveLength(23);
  expect(text(await part('bulk-stays-sum'))).toContain('¥33.00 a month');
  expect(text(await part('bulk-stays-unknown'))).toContain('Of 1 ');
});
