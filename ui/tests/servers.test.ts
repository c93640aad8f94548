import { waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { account, operation, server, serverList, wireError } from '../src/host/fake';
import type { Server } from '../src/host/generated';
import { open, part, parts, text } from './open';

const with_ = (...servers: Server[]) => ({ 'servers.list': () => serverList(servers) });

it('shows the end of a lease as a moment with what remains of it', async () => {
  await open(with_(server({ leaseEnd: '2025-11-24T09:42:00Z' })));
  const row = await part('server-row');
  expect(text(row)).toContain('17:42 today · in 3 h 12 min');
  expect(row.dataset['state']).toBe('running');
});

it('deletes only when the exact name was typed', async () => {
  const { user, host } = await open({
    ...with_(server({ name: 'ada-dev-1124-k3' })),
    'servers.delete': () => operation({ kind: 'server.delete', serverId: server().id }),
  });
  await user.click(await part('server-row'));
  await user.click(await part('server-delete'));
  const field = await part<HTMLInputElement>('delete-confirm-name');
  const submit = await part<HTMLButtonElement>('delete-submit');
  const dialog = field.closest('dialog');
  await part('delete-stays');
  expect(dialog && text(dialog), 'what is lost is named').toMatch(
    /ada-dev-1124-k3.*System disk, 40 GB.*203\.0\.113\.24.*18:00 today/,
  );

  for (const nearly of ['ada-dev-1124-k', 'Ada-dev-1124-k3', 'ada-dev-1124-k3 ']) {
    await user.clear(field);
    await user.type(field, `${nearly}{Enter}`);
    expect(submit.disabled, `"${nearly}" is not the name`).toBe(true);
  }
  expect(host.requests('servers.delete')).toEqual([]);

  await user.clear(field);
  await user.type(field, 'ada-dev-1124-k3');
  expect(submit.disabled).toBe(false);
  await user.click(submit);
  await waitFor(() => expect(parts('delete-submit')).toHaveLength(0));
  expect(host.requests('servers.delete')).toEqual([{ server: server().id, name: 'ada-dev-1124-k3' }]);
});

it('extends from the present end by the hours pressed, and says when that is', async () => {
  const { user, host } = await open({
    ...with_(server({ leaseEnd: '2025-11-24T10:00:00Z' })),
    'servers.extend': () => operation({ kind: 'lease.update', serverId: server().id }),
  });
  await user.click(await part('server-row'));
  expect((await part('server-lease-end')).dataset['leaseEnd']).toBe('2025-11-24T10:00:00Z');
  await user.click(await part('server-extend'));
  const submit = await part<HTMLButtonElement>('extend-submit');
  expect(submit.disabled, 'nothing has changed yet').toBe(true);
  await user.click(await part('extend-plus-8h'));
  await user.click(await part('extend-plus-1h'));
  expect(text(submit.closest('dialog') ?? submit)).toContain('03:00 tomorrow 9 h later');
  await user.click(submit);
  await waitFor(() =>
    expect(host.requests('servers.extend')).toEqual([{ server: server().id, until: '2025-11-24T19:00:00.000Z' }]),
  );
});

it('takes a lease off only after saying what that costs', async () => {
  const { user, host } = await open({
    ...with_(server({ leaseEnd: '2025-11-24T10:00:00Z' })),
    'servers.cancel_lease': () => operation({ kind: 'lease.cancel', serverId: server().id }),
  });
  await user.click(await part('server-row'));
  await user.click(await part('server-cancel-lease'));
  const submit = await part('cancel-lease-submit');
  expect(text(submit.closest('dialog') ?? submit)).toMatch(/costs, day and night.*18:00 today/);
  expect(host.requests('servers.cancel_lease')).toEqual([]);
  await user.click(submit);
  await waitFor(() => expect(host.requests('servers.cancel_lease')).toEqual([{ server: server().id }]));
});

it('stops and restarts after a confirmation, hard only on purpose, and starts at once', async () => {
  const { user, host } = await open({
    ...with_(server()),
    'servers.power': (ask: { act: 'start' | 'stop' | 'reboot' }) => [
      {
        server: server().id,
        operation: operation({
          id: ask.act,
          kind: `server.${ask.act}`,
          serverId: server().id,
          stage: 'settled',
          outcome: 'ok',
        }),
        error: null,
      },
    ],
  });
  await user.click(await part('server-row'));
  await user.click(await part('server-stop'));
  expect(host.requests('servers.power')).toEqual([]);
  await user.click(await part('power-submit'));
  await waitFor(() => expect(parts('power-submit')).toHaveLength(0));
  await user.click(await part('server-reboot'));
  await user.click(await part('power-hard'));
  await user.click(await part('power-submit'));
  await waitFor(() => expect(parts('power-submit')).toHaveLength(0));
  host.emit({ kind: 'servers', list: serverList([server({ state: 'stopped' })], { asOf: '2025-11-24T06:06:00Z' }) });
  await user.click(await part('server-start'));
  const one = { servers: [server().id] };
  await waitFor(() =>
    expect(host.requests('servers.power')).toEqual([
      { ...one, act: 'stop', hard: false },
      { ...one, act: 'reboot', hard: true },
      { ...one, act: 'start', hard: false },
    ]),
  );
});

it('says why a server does not start', async () => {
  const { user } = await open({
    ...with_(server({ state: 'stopped' })),
    'servers.power': () => [
      { server: server().id, operation: null, error: wireError({ sentence: 'No room just now.' }) },
    ],
  });
  await user.click(await part('server-row'));
  await user.click(await part('server-start'));
  await waitFor(async () => expect(text(await part('server-detail'))).toContain('No room just now.'));
});

it('shows the call of a start before it is sent, from the detail', async () => {
  const { user, host } = await open(with_(server({ state: 'stopped' })));
  await user.click(await part('server-row'));
  await user.click(await part('server-start-call'));
  expect(text(await part('call-text'))).toContain('POST https://');
  expect(host.requests('operations.rehearse')).toEqual([
    { call: 'servers.power', request: { servers: [server().id], act: 'start', hard: false } },
  ]);
  expect(host.requests('servers.power')).toEqual([]);
  await user.click(await part('power-submit'));
  await waitFor(() =>
    expect(host.requests('servers.power')).toEqual([{ servers: [server().id], act: 'start', hard: false }]),
  );
});

it('writes the login key to a file only on purpose, and says how to use it', async () => {
  const { user, host } = await open({
    ...with_(server()),
    'servers.public_keys': () => ({ login: 'ssh-ed25519 AAAA ada', host: 'ssh-ed25519 BBBB' }),
    'servers.save_key': () => ({
      keyFile: '/home/ada/one.key',
      knownHostsFile: '/k',
      command: 'ssh -i "one.key" root@a',
    }),
  });
  await user.click(await part('server-row'));
  await user.click(await part('server-save-key'));
  expect(text(await part('public-key')), 'the public half can be copied').toBe('ssh-ed25519 AAAA ada');
  expect(text(await part('public-host-key'))).toBe('ssh-ed25519 BBBB');
  expect(host.requests('servers.save_key')).toEqual([]);
  await user.click(await part('save-key-submit'));
  const command = await part('save-key-command');
  expect(text(command)).toBe('ssh -i "one.key" root@a');
  expect(text(command.closest('dialog') ?? command)).toContain('/home/ada/one.key');
});

it('warns of the end of a lease until somebody reads it', async () => {
  const { user, host } = await open(with_(server()));
  await part('server-row');
  const warning = {
    kind: 'lease_warned' as const,
    account: 'account-1',
    server: server().id,
    name: server().name,
    leaseEnd: '2025-11-24T07:00:00Z',
  };
  host.emit({ ...warning, minutes: 120 });
  host.emit({ ...warning, minutes: 30 });
  const toast = await part('toast');
  expect(parts('toast'), 'the later takes the place of the earlier').toHaveLength(1);
  expect(text(toast)).toMatch(/ada-dev-1124-k3.*15:00 today/);
  await user.click(toast.querySelector('.link') ?? toast);
  expect((await part('server-detail')).dataset['serverId']).toBe(server().id);
  expect(parts('toast')).toHaveLength(0);
});

it('refuses an end nearer than the cloud takes, and names the earliest', async () => {
  const { user } = await open(with_(server()));
  await user.click(await part('server-row'));
  await user.click(await part('server-extend'));
  const time = await part<HTMLInputElement>('extend-time');
  await user.clear(time);
  await user.type(time, '14:45');
  const submit = await part<HTMLButtonElement>('extend-submit');
  expect(submit.disabled).toBe(true);
  expect(text(submit.closest('dialog') ?? submit)).toContain('The earliest end is 15:02 today');
});

it('leaves the servers of others alone', async () => {
  const { user } = await open(with_(server({ own: false, owner: 'li.wei' })));
  await user.click(await part('server-row'));
  await part('server-detail');
  expect(parts('server-delete')).toHaveLength(0);
  expect(parts('server-extend')).toHaveLength(0);
  expect(text(await part('server-detail'))).toContain('cannot be changed here');
});

it.each([
  ['markup', '<img src=x onerror="window.hurt=1"><b>bold</b>', '<img src=x onerror="window.hurt=1"><b>bold</b>'],
  ['a right-to-left override', 'abc\u202etxt.exe', 'abc\ufffdtxt.exe'],
  ['a right-to-left script', 'خادم التطوير', 'خادم التطوير'],
  ['emoji', '🚀 deploy 👩‍💻', '🚀 deploy 👩‍💻'],
  ['64 characters', 'a'.repeat(64), 'a'.repeat(64)],
  ['template syntax', '{name} ${1} {{x}}', '{name} ${1} {{x}}'],
])('shows %s in a server name as text, everywhere', async (_, name, shown) => {
  const { user, host } = await open(with_(server({ name, purpose: name, owner: name })));
  const row = await part('server-row');
  expect(row.dataset['serverName']).toBe(name);
  expect(row.querySelector('bdi')?.textContent).toBe(shown);
  await user.click(row);
  expect((await part('server-detail')).querySelector('h2 bdi')?.textContent).toBe(shown);
  await user.click(await part('server-delete'));
  const dialog = (await part('delete-submit')).closest('dialog');
  expect(dialog?.textContent, 'isolated from the sentence around it').toContain(`\u2068${shown}\u2069`);
  host.emit({
    kind: 'operation',
    operation: operation({ serverName: name, stage: 'settled', outcome: 'failed', error: wireError() }),
  });
  expect(text(await part('toast'))).toContain(shown.replace(/\s+/g, ' '));
  expect(document.querySelector('img, #app b')).toBeNull();
  expect('hurt' in window).toBe(false);
});

it('shows a server from the moment its creation is recorded, and goes on to the real one', async () => {
  const { host, app } = await open();
  const making = operation({ stage: 'recorded', sentAt: null });
  host.emit({ kind: 'operation', operation: making });
  app.selection = { server: null, operation: making.id };
  const row = await part('server-row');
  expect([row.dataset['serverName'], row.dataset['state'], row.dataset['serverId']]).toEqual([
    'ada-dev-1124-k3',
    'creating',
    '',
  ]);
  const sent = { ...making, stage: 'sent' as const, serverId: server().id, progress: 'spawning' };
  host.emit({ kind: 'operation', operation: sent });
  host.emit({ kind: 'servers', list: serverList([server({ state: 'creating' })]) });
  await waitFor(() => expect(parts('server-row')).toHaveLength(1));
  expect((await part('server-row')).dataset['serverId']).toBe(server().id);
  await waitFor(async () => expect((await part('server-detail')).dataset['serverId']).toBe(server().id));
  expect(text(await part('server-operation'))).toContain('Starting up');
});

it('says how old the list is while the cloud cannot be reached', async () => {
  await open({
    'servers.list': () =>
      serverList([server()], { problem: wireError({ code: 'cloud_unreachable', sentence: 'No way to the cloud.' }) }),
  });
  const box = await part('error-box');
  expect(text(box)).toContain('Shown as of 14:05:31');
  expect(text(box)).toContain('No way to the cloud.');
  expect(parts('server-row'), 'what was known stays').toHaveLength(1);
});

it('says that nothing is known yet, rather than that there is nothing', async () => {
  await open({
    'servers.list': () => serverList([], { asOf: null, problem: wireError({ code: 'cloud_unreachable' }) }),
  });
  expect(document.body.textContent).not.toContain('No server here yet');
  expect(text(await part('error-box'))).toContain('could not be read yet');
});

it('takes a stopped account up again', async () => {
  const stopped = account({ state: { kind: 'stopped', error: wireError({ code: 'keychain_locked' }) } });
  const { user, host } = await open({
    'accounts.list': () => ({ accounts: [stopped], active: stopped.id }),
    'accounts.retry': () => ({ accounts: [account()], active: stopped.id }),
  });
  await user.click(await part('account-retry'));
  await waitFor(() => expect(parts('error-box')).toHaveLength(0));
  expect(host.requests('accounts.retry')).toEqual([{ account: stopped.id }]);
});

it('moves through the rows with the arrow keys', async () => {
  const { user } = await open(with_(...['a', 'b', 'c'].map((id) => server({ id, name: `server-${id}` }))));
  const rows = await part('servers-table').then(() => parts('server-row'));
  rows[0]?.focus();
  await user.keyboard('{ArrowDown}{ArrowDown}');
  await waitFor(() => expect(document.activeElement).toBe(rows[2]));
  expect((await part('server-detail')).dataset['serverId']).toBe('c');
  await user.keyboard('{Escape}');
  expect(parts('server-detail')).toHaveLength(0);
});

it('keeps only the rows near the view in the document when there are thousands', async () => {
  await open(with_(...Array.from({ length: 5000 }, (_, n) => server({ id: String(n), name: `server-${n}` }))));
  await part('servers-table');
  expect(parts('server-row').length).toBeLessThan(200);
  expect((await part('servers-table')).getAttribute('aria-rowcount')).toBe('5001');
});

it.each([
  ['zh-CN', 'spawning', '正在启动'],
  ['en', 'spawning', 'Starting up'],
  ['en', 'INIT', 'Waiting for the cloud to begin'],
  ['en', 'ACTIVE', 'Running'],
  ['en', 'a-step-of-next-year', 'a-step-of-next-year'],
] as const)('says in %s what the cloud does for an operation: %s', async (language, progress, words) => {
  const { user } = await open({
    ...with_(server({ state: 'creating' })),
    'settings.get': () => ({ language, theme: 'light' }),
    'operations.list': () => [operation({ serverId: server().id, progress })],
  });
  await user.click(await part('server-row'));
  expect(text(await part('server-operation'))).toContain(words);
  await user.click(await part('nav-operations'));
  expect(text(await part('operation-row'))).toContain(words);
});

it('still says which server it was when the one looked at is gone', async () => {
  const { user, host } = await open(with_(server({ name: 'ada-dev-1124-k3' })));
  await user.click(await part('server-row'));
  host.emit({
    kind: 'operation',
    operation: operation({ kind: 'server.delete', serverId: server().id, stage: 'settled', outcome: 'ok' }),
  });
  host.emit({ kind: 'servers', list: serverList([]) });
  await waitFor(async () => expect(text(await part('server-detail'))).toContain('This server is gone'));
  expect(text(await part('server-detail'))).toContain('ada-dev-1124-k3');
});

it('keeps only the newest good news about a server, and every failure', async () => {
  const { host } = await open(with_(server()));
  const settled = (id: string, kind: 'server.create' | 'lease.update' | 'server.delete', failed = false) =>
    host.emit({
      kind: 'operation',
      operation: operation({
        id,
        kind,
        serverId: server().id,
        stage: 'settled',
        outcome: failed ? 'failed' : 'ok',
        error: failed ? wireError() : null,
      }),
    });
  settled('one', 'server.create');
  settled('two', 'lease.update', true);
  settled('three', 'server.delete');
  await waitFor(() => expect(parts('toast')).toHaveLength(2));
  expect(parts('toast').map(text).join(' | '), 'the creation is old news once the server is deleted').not.toMatch(
    /is ready/,
  );
});
