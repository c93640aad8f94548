// Tunnels, recordings, sessions beside each other and what is told of a server, in the window of sessions.
import { render, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeSessions, session } from '../src/host/fakeSessions';
import type { RecordingsAnswer, TunnelView } from '../src/host/generated';
import Sessions from '../src/screens/sessions/Sessions.svelte';
import { Player } from '../src/screens/sessions/recordings.svelte';
import type { ScreenTo } from '../src/screens/sessions/screen';
import { leads, listens } from '../src/screens/sessions/tunnels.svelte';
import { fakeScreen } from './fakeScreen';
import { part, parts } from './open';

beforeEach(() => localStorage.clear());

async function open(sessions = [session()]) {
  const host = fakeSessions(sessions);
  const screens: ScreenTo[] = [];
  const makeScreen = fakeScreen((target) => screens.push(target), { selected: () => 'chosen text' });
  render(Sessions, { host, makeScreen });
  await waitFor(async () => expect((await part('sessions')).dataset['ready']).toBe('true'));
  return { host, screens, user: userEvent.setup() };
}

const tunnel = (some: Partial<TunnelView> = {}): TunnelView => ({
  id: 't1',
  server: session().server,
  serverName: 'web',
  name: 'page',
  route: { kind: 'local', address: '127.0.0.1', port: 0, toHost: 'localhost', toPort: 80 },
  withSession: true,
  state: { kind: 'open' },
  port: 8080,
  up: 0,
  down: 2048,
  open: 1,
  all: 3,
  failed: 0,
  question: null,
  ...some,
});

describe('tunnels', () => {
  it('are kept and started with what was typed, on loopback unless said otherwise', async () => {
    const { host, user } = await open();
    await user.click(await part('tunnels-show'));
    await user.click(await part('tunnel-new'));
    await user.type(await part('tunnel-to-port'), '80');
    host.tunnelList = [tunnel()];
    await user.click(await part('tunnel-yes'));
    await waitFor(() => expect(host.tunnelActs.at(-1)).toEqual({ act: 'start', tunnel: 't1' }));
    expect(host.tunnelActs.at(-2)).toEqual({
      act: 'keep',
      server: session().server,
      name: 'localhost:80',
      route: { kind: 'local', address: '', port: 0, toHost: 'localhost', toPort: 80 },
      withSession: true,
    });
    expect((await part('tunnel')).textContent).toContain('127.0.0.1:8080');
    host.emit({ kind: 'tunnels', tunnels: [tunnel({ failed: 2, all: 9 })] });
    await waitFor(async () => expect((await part('tunnel-word')).textContent).toMatch(/9.*2/));
    await user.click(await part('tunnel-stop'));
    expect(host.tunnelActs.at(-1)).toEqual({ act: 'stop', tunnel: 't1' });
  });

  it('cannot lead to what is no port', async () => {
    const { user } = await open();
    await user.click(await part('tunnels-show'));
    await user.click(await part('tunnel-new'));
    for (const wrong of ['0', '70000', 'x']) {
      await user.clear(await part('tunnel-to-port'));
      await user.type(await part('tunnel-to-port'), wrong);
      expect((await part('tunnel-yes')).hasAttribute('disabled')).toBe(true);
    }
  });

  it('ask what only a person can answer', async () => {
    const { host, user } = await open();
    const question = { number: 4, ask: { kind: 'password' as const, user: 'root', again: false } };
    host.emit({ kind: 'tunnels', tunnels: [tunnel({ question, state: { kind: 'logging_in' } })] });
    await waitFor(() => expect(document.querySelector('dialog input')).not.toBeNull());
    const field = document.querySelector<HTMLInputElement>('dialog input');
    if (!field) throw new Error('no field');
    await user.type(field, 'secret{Enter}');
    await waitFor(() =>
      expect(host.tunnelActs.at(-1)).toEqual({ act: 'answer', tunnel: 't1', question: 4, answers: ['secret'] }),
    );
  });

  it('are written as addresses are', () => {
    const route = { kind: 'local' as const, address: '::1', port: 0, toHost: '2001:db8::1', toPort: 5432 };
    expect(listens(tunnel({ route, port: null }))).toBe('[::1]:…');
    expect(leads(route)).toBe('[2001:db8::1]:5432');
  });
});

describe('a session', () => {
  it('is beside another one, and what is typed goes to both when that is wished', async () => {
    const { host, screens, user } = await open();
    const other = session({ kind: 'open' }, { id: 'session-2' });
    host.opens = other;
    await user.click(await part('session-split'));
    host.emit({ kind: 'session', session: other });
    await waitFor(() => expect(screens).toHaveLength(2));
    await user.click(await part('session-broadcast'));
    screens[1]?.typed(new TextEncoder().encode('ls'));
    await waitFor(() => expect([host.typed('session-1'), host.typed('session-2')]).toEqual(['ls', 'ls']));
    await user.click(await part('session-broadcast'));
    screens[1]?.typed(new TextEncoder().encode('x'));
    await waitFor(() => expect(host.typed('session-2')).toBe('lsx'));
    expect(host.typed('session-1')).toBe('ls');
    host.emit({ kind: 'session_gone', session: 'session-2' });
    await waitFor(async () => expect(await parts('session-broadcast')).toHaveLength(0));
  });

  it('warns of the end of its lease, which is moved from there', async () => {
    const soon = new Date(Date.now() + 20 * 60_000).toISOString();
    const { host, user } = await open([session({ kind: 'open' }, { leaseEnd: soon })]);
    await user.click(await part('session-extend-2'));
    expect(host.acts.at(-1)).toEqual({ act: 'extend', session: 'session-1', hours: 2 });
    const later = new Date(Date.now() + 200 * 60_000).toISOString();
    host.emit({ kind: 'session', session: session({ kind: 'open' }, { leaseEnd: later }) });
    await waitFor(async () => expect(await parts('session-lease')).toHaveLength(0));
  });

  it('tells that its server is not ready', async () => {
    const readiness = { preparing: 'failed', detail: 'apt failed', log: '', grown: [{ name: 'vdb', size: 1024 ** 3 }] };
    await open([session({ kind: 'open' }, { readiness })]);
    expect((await part('session-readiness')).textContent).toMatch(/apt failed[^]*vdb/);
  });

  it('has a menu by the right mouse button', async () => {
    const { user } = await open();
    await user.pointer({ keys: '[MouseRight]', target: await part('session-terminal') });
    expect((await part('menu-copy')).hasAttribute('disabled')).toBe(false);
    await user.keyboard('{Escape}');
    await waitFor(async () => expect(await parts('terminal-menu')).toHaveLength(0));
  });

  it('is recorded on request and by default', async () => {
    const { host, user } = await open();
    await user.click(await part('session-record'));
    expect(host.acts.at(-1)).toEqual({ act: 'record', session: 'session-1', on: true });
    await user.click(await part('terminal-options'));
    await user.click(await part('sessions-record'));
    await user.type(await part('sessions-idle'), '30');
    await user.click(await part('options-yes'));
    await waitFor(() =>
      expect(host.acts.at(-1)).toEqual({ act: 'prefer', preferences: { record: true, idleMinutes: 30 } }),
    );
  });
});

describe('a recording', () => {
  it('is listed, searched and removed after a confirmation', async () => {
    const { host, user } = await open();
    const recording = { id: 'a.cast', title: 'web', madeAt: 1_763_971_200, bytes: 2048 };
    host.recordingAnswer = (request): RecordingsAnswer =>
      request.act === 'search'
        ? { kind: 'places', places: [{ recording: 'a.cast', at: 3, line: 'make: error' }] }
        : { kind: 'list', recordings: [recording] };
    await user.click(await part('recordings-show'));
    await user.click(await part('recording-remove'));
    await user.click(await part('recording-remove-yes'));
    expect(host.recordingActs.at(-1)).toEqual({ act: 'remove', recording: 'a.cast' });
    await user.type(await part('recordings-search'), 'error{Enter}');
    expect((await part('recording-place')).textContent).toContain('make: error');
  });

  it('plays at its own pace and is shown as it was at any moment', async () => {
    vi.useFakeTimers();
    try {
      let shown = '';
      const player = new Player({ write: (text) => (shown += text), resize: () => {}, clear: () => (shown = '') });
      const entries: [number, string, string][] = [
        [0.5, 'o', 'a'],
        [1, 'r', '100x30'],
        [1.5, 'o', 'b'],
        [90, 'o', 'c'],
      ];
      await player.load(async () => ({ kind: 'part', part: { columns: 80, rows: 24, entries, next: null } }));
      player.play();
      vi.advanceTimersByTime(1600);
      expect(shown).toBe('ab');
      // Nobody waits for what took a minute and a half.
      vi.advanceTimersByTime(2100);
      expect([shown, player.playing]).toEqual(['abc', false]);
      player.seek(1);
      expect(shown).toBe('a');
    } finally {
      vi.useRealTimers();
    }
  });
});
