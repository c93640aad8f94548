// The disks of a server, what a deletion takes and leaves, and what is left over.
import { waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import {
  commands,
  dataDisk,
  deletion,
  disk,
  diskList,
  leftover,
  leftovers,
  operation,
  server,
  serverList,
  wireError,
  yuan,
} from '../src/host/fake';
import type { AskDiskPrice, Disk, RemoveLeftovers, Server } from '../src/host/generated';
import { open, part, parts, text } from './open';

type Answers = NonNullable<Parameters<typeof open>[0]>;

async function openServer(some: Partial<Server> = {}, answers: Answers = {}) {
  const opened = await open({ 'servers.list': () => serverList([server(some)]), ...answers });
  await opened.user.click(await part('server-row'));
  await part('server-detail');
  return opened;
}

const disks = (...all: Disk[]): Answers => ({ 'disks.list': () => diskList({ disks: all }) });
const dialog = (inside: HTMLElement): HTMLElement => inside.closest('dialog') as HTMLElement;
const row = async (n: number): Promise<HTMLElement> => {
  await waitFor(() => expect(parts('disk-row').length).toBeGreaterThan(n));
  return parts('disk-row')[n] as HTMLElement;
};
const act = (of: HTMLElement, testid: string) => of.querySelector<HTMLButtonElement>(`[data-testid="${testid}"]`);

describe('the disks', () => {
  it('are shown with size, type, device, price and whether they go; the one it starts from is not detached', async () => {
    await openServer({}, disks(disk(), dataDisk({ goesWithServer: false })));
    expect(text(await row(0))).toMatch(/\/dev\/vda 40 GB · GPSSD · ¥0\.04\/h System Goes with the server/);
    expect(text(await row(1))).toMatch(/\/dev\/vdb 100 GB.*Stays when the server goes/);
    expect(act(await row(0), 'disk-detach')).toBeNull();
    expect(act(await row(1), 'disk-detach')?.disabled).toBe(false);
    expect(text(await part('server-disks'))).toContain('as of 14:05:31');
  });

  it('are read again when something about the server is over', async () => {
    const { host } = await openServer();
    await row(0);
    const before = host.requests('disks.list').length;
    host.emit({
      kind: 'operation',
      operation: operation({ id: 'g', kind: 'disk.grow', serverId: server().id, stage: 'settled', outcome: 'ok' }),
    });
    await waitFor(() => expect(host.requests('disks.list').length).toBe(before + 1));
  });

  it('say why they could not be read, and are read again on demand', async () => {
    const { user, host } = await openServer(
      {},
      {
        'disks.list': () => {
          throw wireError({ sentence: 'No way to the cloud.' });
        },
      },
    );
    await waitFor(async () => expect(text(await part('server-disks'))).toContain('No way to the cloud.'));
    expect((await part<HTMLButtonElement>('disk-add')).disabled).toBe(true);
    host.answer('disks.list', () => diskList());
    await user.click(await part('disks-retry'));
    await row(1);
    expect((await part<HTMLButtonElement>('disk-add')).disabled).toBe(false);
  });

  it('are added with type and size, the price standing before the click', async () => {
    const { user, host } = await openServer(
      {},
      {
        'disks.price': ({ sizeGb }: AskDiskPrice) => ({
          perHour: yuan(String(sizeGb / 1000)),
          serverPerHour: yuan(String(0.4 + sizeGb / 1000)),
        }),
        'disks.add': () => operation({ id: 'add', kind: 'disk.add', serverId: server().id }),
      },
    );
    await row(0);
    await user.click(await part('disk-add'));
    const size = await part<HTMLInputElement>('disk-size');
    const submit = await part<HTMLButtonElement>('disk-size-submit');
    await waitFor(async () => expect(text(await part('disk-price'))).toBe('¥0.10/h'));
    await user.clear(size);
    await user.type(size, '9');
    expect(submit.disabled, 'smaller than the cloud sells').toBe(true);
    await user.type(size, '0');
    expect(text(submit)).toBe('Add 90 GB');
    await waitFor(async () => expect(text(await part('disk-price'))).toBe('¥0.09/h'));
    await user.keyboard('{ArrowUp}');
    expect(size.value).toBe('100');
    await user.selectOptions(await part('disk-type'), 'SAS');
    await waitFor(() => expect(host.requests('disks.price').at(-1)).toMatchObject({ diskType: 'SAS' }));
    await waitFor(() => expect(submit.disabled).toBe(false));
    expect(host.requests('disks.price').at(-1)).toEqual({
      server: server().id,
      disk: null,
      diskType: 'SAS',
      sizeGb: 100,
    });
    expect(host.requests('disks.add')).toEqual([]);
    await user.click(submit);
    await waitFor(() => expect(parts('disk-size')).toHaveLength(0));
    expect(host.requests('disks.add')).toEqual([{ server: server().id, diskType: 'SAS', sizeGb: 100 }]);
  });

  it('grow only, with the difference in price, and the commands of that image stand there afterwards', async () => {
    const { user, host } = await openServer(
      {},
      { 'disks.grow': () => operation({ id: 'grow', kind: 'disk.grow', serverId: server().id }) },
    );
    await user.click(act(await row(0), 'disk-grow') as HTMLElement);
    const size = await part<HTMLInputElement>('disk-size');
    const submit = await part<HTMLButtonElement>('disk-size-submit');
    expect(size.value).toBe('50');
    await user.clear(size);
    await user.type(size, '40{Enter}');
    expect(submit.disabled, 'no larger than it is').toBe(true);
    expect(host.requests('disks.grow')).toEqual([]);
    await user.click(await part('disk-plus-50'));
    expect(size.value).toBe('90');
    await waitFor(async () => expect(text(await part('disk-price'))).toBe('¥0.10/h +¥0.06/h'));
    await user.click(submit);
    await waitFor(() => expect(parts('disk-size')).toHaveLength(0));
    expect(host.requests('disks.grow')).toEqual([{ server: server().id, disk: 'disk-1', sizeGb: 90 }]);
    host.emit({
      kind: 'operation',
      operation: operation({
        id: 'grow',
        kind: 'disk.grow',
        serverId: server().id,
        stage: 'settled',
        outcome: 'ok',
        commands: commands(),
      }),
    });
    expect(text(await part('guest-commands'))).toMatch(/To use the new size.*growpart \/dev\/vda 1/);
    await user.click(await part('guest-commands-dismiss'));
    expect(parts('guest-commands')).toHaveLength(0);
  });

  it('keep their price while the list of servers is read again behind the dialog', async () => {
    const { user, host } = await openServer();
    await row(0);
    await user.click(await part('disk-add'));
    await waitFor(async () => expect(text(await part('disk-price'))).toBe('¥0.10/h'));
    host.emit({ kind: 'servers', list: serverList([server()], { asOf: '2025-11-24T06:07:00Z' }) });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(text(await part('disk-price'))).toBe('¥0.10/h');
    expect(host.requests('disks.price')).toHaveLength(1);
  });

  it('can be had without a price, which is said', async () => {
    const { user } = await openServer(
      {},
      {
        'disks.price': () => {
          throw wireError({ code: 'price_unknown', sentence: 'No prices now.' });
        },
      },
    );
    await row(0);
    await user.click(await part('disk-add'));
    await waitFor(async () => expect(text(await part('error-box'))).toContain('No prices now.'));
    expect((await part<HTMLButtonElement>('disk-size-submit')).disabled).toBe(false);
  });

  it('are detached after what has to be done in the guest, and that they cost on, was said', async () => {
    const { user, host } = await openServer(
      {},
      {
        'disks.commands': () => commands({ text: '# Unmount\numount /dev/vdb' }),
        'disks.detach': () => operation({ id: 'detach', kind: 'disk.detach', serverId: server().id }),
      },
    );
    await user.click(act(await row(1), 'disk-detach') as HTMLElement);
    const submit = await part('disk-detach-submit');
    await waitFor(() => expect(text(dialog(submit))).toMatch(/costs on, ¥0\.10\/h.*umount \/dev\/vdb/));
    expect(host.requests('disks.commands')).toEqual([{ server: server().id, disk: 'disk-2', purpose: 'detach' }]);
    await user.click(submit);
    await waitFor(() => expect(host.requests('disks.detach')).toEqual([{ server: server().id, disk: 'disk-2' }]));
  });

  it('are not detached by a click while what has to be done before is still being read', async () => {
    let answer: (told: ReturnType<typeof commands>) => void = () => undefined;
    const { user } = await openServer(
      {},
      { 'disks.commands': () => new Promise<ReturnType<typeof commands>>((resolve) => (answer = resolve)) },
    );
    await user.click(act(await row(1), 'disk-detach') as HTMLElement);
    const submit = await part<HTMLButtonElement>('disk-detach-submit');
    expect(submit.disabled).toBe(true);
    answer(commands({ text: 'umount /dev/vdb' }));
    await waitFor(() => expect(submit.disabled).toBe(false));
  });

  it('on no server are deleted after their name was typed, and only one’s own', async () => {
    const loose = dataDisk({ attached: false, device: null, state: 'available', name: 'old-data' });
    const { user, host } = await openServer(
      {},
      {
        ...disks(disk(), loose, { ...loose, id: 'disk-3', name: 'theirs', own: false }),
        'disks.delete': () => operation({ id: 'delete', kind: 'disk.delete', serverId: server().id }),
      },
    );
    expect(text(await row(1))).toContain('On no server, costs on');
    expect(act(await row(2), 'disk-delete')?.disabled).toBe(true);
    expect(text(await row(2))).toContain('Not made by you here');
    await user.click(act(await row(1), 'disk-delete') as HTMLElement);
    const submit = await part<HTMLButtonElement>('disk-delete-submit');
    await user.type(await part('disk-delete-name'), 'old-dat{Enter}');
    expect(submit.disabled).toBe(true);
    expect(host.requests('disks.delete')).toEqual([]);
    await user.type(await part('disk-delete-name'), 'a{Enter}');
    await waitFor(() =>
      expect(host.requests('disks.delete')).toEqual([{ server: server().id, disk: 'disk-2', name: 'old-data' }]),
    );
  });

  it('that were taken off are attached again, while the server is at rest', async () => {
    const loose = dataDisk({ attached: false, device: null, state: 'available', name: 'old-data' });
    const { user, host } = await openServer(
      {},
      {
        ...disks(disk(), loose, { ...loose, id: 'disk-3', state: 'attaching' }),
        'disks.attach': () => operation({ id: 'attach', kind: 'disk.attach', serverId: server().id }),
      },
    );
    expect(act(await row(2), 'disk-attach')?.disabled).toBe(true);
    await user.click(act(await row(1), 'disk-attach') as HTMLElement);
    await user.click(await part('disk-attach-submit'));
    await waitFor(() => expect(host.requests('disks.attach')).toEqual([{ server: server().id, disk: 'disk-2' }]));
  });

  it('tell what to type in the guest, for each purpose', async () => {
    const { user, host } = await openServer();
    await user.click(act(await row(1), 'disk-commands') as HTMLElement);
    await part('guest-commands');
    await user.selectOptions(await part('commands-purpose'), 'make');
    await waitFor(() => expect(host.requests('disks.commands').at(-1)).toMatchObject({ purpose: 'make' }));
    expect(text(dialog(await part('commands-purpose')))).toContain('a disk that is empty only');
    await user.keyboard('{Escape}');
  });
});

describe('deleting a server', () => {
  it('says what goes, what stays, and what that costs a month', async () => {
    const stays = deletion({
      parts: [
        ...deletion().parts.slice(0, 1),
        { kind: 'data_disk', id: 'd', name: 'kept-data', sizeGb: 100, goes: false, perMonth: yuan('73.00') },
        { kind: 'key_pair', id: 'k', name: 'ada-laptop', sizeGb: null, goes: false, perMonth: null },
      ],
      staysPerMonth: yuan('73.00'),
    });
    const { user } = await openServer({}, { 'servers.deletion': () => stays });
    await user.click(await part('server-delete'));
    await waitFor(async () =>
      expect(text(await part('delete-stays'))).toMatch(/kept-data.*¥73\.00 a month.*ada-laptop/),
    );
    expect(text(await part('delete-stays'))).toMatch(/Costs on Estimate ¥73\.00 a month/);
    expect(text(await part('delete-goes'))).toMatch(/System disk, 40 GB/);
  });

  it('can be asked for although what stays cannot be looked up, and says that', async () => {
    const { user, host } = await openServer(
      {},
      {
        'servers.deletion': () => {
          throw wireError({ sentence: 'The cloud had a fault.' });
        },
        'servers.delete': () => operation({ kind: 'server.delete', serverId: server().id }),
      },
    );
    await user.click(await part('server-delete'));
    await waitFor(async () => expect(text(await part('error-box'))).toMatch(/could not be looked up.*had a fault/));
    expect(text(await part('delete-goes'))).toContain('disks (2)');
    await user.type(await part('delete-confirm-name'), `${server().name}{Enter}`);
    await waitFor(() => expect(host.requests('servers.delete')).toHaveLength(1));
  });

  it('offers afterwards to remove what was left', async () => {
    const { user, host } = await openServer({}, { 'servers.leftovers': () => leftovers({ items: [leftover()] }) });
    host.emit({
      kind: 'operation',
      operation: operation({ kind: 'server.delete', serverId: 'x', stage: 'settled', outcome: 'ok', left: 1 }),
    });
    const toast = await part('toast');
    expect(text(toast)).toContain('stayed and cost on: 1');
    await user.click(toast.querySelector('.link') as HTMLElement);
    expect(text(await part('leftovers'))).toContain('old-data');
  });
});

describe('what is left over', () => {
  const two = leftovers({
    items: [
      leftover(),
      leftover({
        kind: 'public_address',
        id: 'eip-9',
        name: '203.0.113.9',
        sizeGb: null,
        diskType: null,
        mbit: 5,
        perMonth: yuan('98.00'),
      }),
    ],
    perMonth: yuan('244.00'),
  });

  it('stands there with its price, and what is chosen is removed after the sentence was typed, one result each', async () => {
    const { user, host } = await open({
      'servers.leftovers': () => two,
      'servers.remove_leftovers': ({ items }: RemoveLeftovers) =>
        items.map(({ kind, id }) =>
          kind === 'disk'
            ? { kind, id, operation: operation({ id: 'remove', kind: 'disk.delete', serverId: null }), error: null }
            : { kind, id, operation: null, error: wireError({ sentence: 'It is bound again.' }) },
        ),
    });
    await user.click(await part('servers-leftovers'));
    expect(text(await part('leftovers'))).toMatch(/old-data.*Disk · 200 GB · GPSSD.*¥146\.00 a month.*203\.0\.113\.9/);
    const submit = await part<HTMLButtonElement>('leftovers-submit');
    expect(submit.disabled).toBe(true);
    await user.click(await part('leftovers-all'));
    expect(text(dialog(submit))).toContain('saves ¥244.00 a month');
    await user.type(await part('leftovers-phrase'), 'remove 1');
    expect(submit.disabled).toBe(true);
    await user.clear(await part('leftovers-phrase'));
    await user.type(await part('leftovers-phrase'), 'remove 2{Enter}');
    await waitFor(() => expect(parts('leftover').map((one) => one.dataset['tone'])).toEqual(['busy', 'bad']));
    expect(host.requests('servers.remove_leftovers')).toEqual([
      {
        items: [
          { kind: 'disk', id: 'disk-9', name: 'old-data' },
          { kind: 'public_address', id: 'eip-9', name: '203.0.113.9' },
        ],
      },
    ]);
    expect(text(parts('leftover')[1] as HTMLElement)).toContain('It is bound again.');
    host.emit({
      kind: 'operation',
      operation: operation({ id: 'remove', kind: 'disk.delete', serverId: null, stage: 'settled', outcome: 'ok' }),
    });
    await waitFor(() => expect(text(parts('leftover')[0] as HTMLElement)).toContain('Removed'));
    expect(text(await part('leftovers-sum')), 'what is left of it').toBe('¥98.00 a month');
  });

  it('may be nothing', async () => {
    const { user } = await open();
    await user.click(await part('servers-leftovers'));
    expect(text(await part('leftovers-none'))).toContain('Nothing of yours is left over.');
    expect(parts('leftovers-submit')).toHaveLength(0);
  });

  it('could not be looked up, which is said, and is looked up again', async () => {
    const { user, host } = await open({
      'servers.leftovers': () => {
        throw wireError({ sentence: 'No way to the cloud.' });
      },
    });
    await user.click(await part('servers-leftovers'));
    await waitFor(async () => expect(text(await part('error-box'))).toContain('No way to the cloud.'));
    host.answer('servers.leftovers', () => two);
    await user.click(await part('leftovers-retry'));
    await part('leftovers');
  });
});
