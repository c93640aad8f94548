import { fireEvent, render, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { server, serverList, wireError } from '../src/host/fake';
import { fakeSessions, session, type FakeSessions } from '../src/host/fakeSessions';
import type { Session } from '../src/host/generated';
import Sessions from '../src/screens/sessions/Sessions.svelte';
import { Feed } from '../src/screens/sessions/feed';
import type { ScreenTo } from '../src/screens/sessions/screen';
import { fakeScreen } from './fakeScreen';
import { open as openApp, part, parts, text } from './open';

/** A screen that keeps what is written and writes it when told, as a terminal that has more to do. */
function paper() {
  const written: string[] = [];
  const pasted: string[] = [];
  const waiting: (() => void)[] = [];
  let to: ScreenTo | null = null;
  const make = fakeScreen((target) => (to = target), {
    write: (bytes, done) => {
      written.push(typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes));
      if (done) waiting.push(done);
    },
    paste: (what) => pasted.push(what),
    selected: () => 'selected text',
    find: (what) => written.join('').includes(what),
    fit: () => ({ columns: 100, rows: 30 }),
  });
  const draw = () => waiting.splice(0).forEach((done) => done());
  return { make, written, pasted, draw, keys: (what: string) => to?.typed(new TextEncoder().encode(what)) };
}

async function open(sessions?: Session[]) {
  const host: FakeSessions = fakeSessions(sessions);
  const screen = paper();
  render(Sessions, { host, makeScreen: screen.make });
  await waitFor(async () => expect((await part('sessions')).dataset['ready']).toBe('true'));
  return { host, screen, user: userEvent.setup() };
}
const failure = (code: string) => wireError({ code, sentence: `Sentence of ${code}.`, nextStep: 'What to do.' });

describe('the way of output', () => {
  it('tells back only what the screen has written, and reads on from there', async () => {
    const { host, screen } = await open();
    await waitFor(() => expect(host.readings).toEqual([null]));
    host.send('session-1', 100, 'hello ');
    host.send('session-1', 106, 'world');
    expect(screen.written).toEqual(['hello ', 'world']);
    expect(host.acts.filter(({ act }) => act === 'shown')).toEqual([]);
    screen.draw();
    await waitFor(() => expect(host.acts).toContainEqual({ act: 'shown', session: 'session-1', offset: 111 }));
    host.emit({ kind: 'session_stalled', session: 'session-1' });
    await waitFor(() => expect(host.readings).toEqual([null, 111]));
  });

  it('shows nothing twice, and says when some is gone', async () => {
    const { host, screen } = await open();
    await waitFor(() => expect(host.readings).toHaveLength(1));
    host.send('session-1', 0, 'abc');
    host.send('session-1', 1, 'bcd');
    host.send('session-1', 14, 'xyz');
    expect(screen.written[0]).toBe('abc');
    expect(screen.written[1]).toBe('d');
    expect(screen.written[2]).toContain('10 bytes of output are gone');
    expect(screen.written[3]).toBe('xyz');
  });

  it('hands a terminal little at once, and nothing while it makes way', async () => {
    const written: Uint8Array[] = [];
    const done: (() => void)[] = [];
    const told: number[] = [];
    let wait = 0;
    const feed = new Feed({
      write: (bytes, act) => {
        written.push(bytes);
        done.push(act);
      },
      shown: (offset) => told.push(offset),
      lost: () => {},
      wait: () => wait,
    });
    const whole = Uint8Array.from({ length: 500_000 }, (_, at) => at % 251);
    const frame = new Uint8Array(8 + whole.length);
    frame.set(whole, 8);
    feed.take(frame.buffer);
    expect(written.map((bytes) => bytes.length)).toEqual([32768, 32768, 32768, 32768]);
    wait = 30;
    done.shift()?.();
    expect(written).toHaveLength(4);
    wait = 0;
    await waitFor(() => expect(written).toHaveLength(5));
    while (done.length > 0) done.shift()?.();
    const all = written.flatMap((bytes) => [...bytes]);
    expect(all.length).toBe(whole.length);
    expect(all.every((byte, at) => byte === whole[at])).toBe(true);
    expect([told.at(-1), feed.next]).toEqual([500_000, 500_000]);
  });

  it('lets the echo of a key pass before the output of others', async () => {
    const { host, screen } = await open([session({ kind: 'open' }), session({ kind: 'open' }, { id: 'session-2' })]);
    await waitFor(() => expect(host.readings).toHaveLength(2));
    // The screen made last is the second one's.
    screen.keys('a');
    host.send('session-1', 0, 'flood');
    host.send('session-2', 0, 'echo');
    expect(screen.written).toEqual(['echo']);
    await waitFor(() => expect(screen.written).toEqual(['echo', 'flood']));
  });

  it('passes over a frame that is none', () => {
    const written: Uint8Array[] = [];
    const feed = new Feed({ write: (bytes) => written.push(bytes), shown: () => {}, lost: () => {} });
    feed.take(new ArrayBuffer(3));
    expect([written, feed.next]).toEqual([[], null]);
  });
});

describe('a session', () => {
  it('is shown in each of its states', async () => {
    const { host } = await open([session({ kind: 'connecting' })]);
    const line = async () => text(await part('session-state'));
    expect(await line()).toContain('Connecting to ada-dev-1124-k3 (203.0.113.24)');
    const states: [Session['state'], string][] = [
      [{ kind: 'checking_key' }, 'Comparing the host key'],
      [{ kind: 'logging_in' }, 'Logging in as root'],
      [
        { kind: 'waiting', attempt: 3, nextInMs: 2200, leftMs: 290_000, error: failure('ssh_not_up') },
        'try 3 failed, the next comes in 3 s (gives up in 290 s). Sentence of ssh_not_up.',
      ],
      [{ kind: 'open' }, 'root@ada-dev-1124-k3'],
      [
        { kind: 'reconnecting', attempt: 2, of: 10, nextInMs: 2000, error: failure('ssh_lost') },
        'Try 2 of 10 in 2 s. Sentence of ssh_lost.',
      ],
      [{ kind: 'ended', exit: 3, signal: null }, 'exit code 3'],
    ];
    for (const [state, words] of states) {
      host.emit({ kind: 'session', session: session(state) });
      await waitFor(async () => expect(await line()).toContain(words));
      expect((await part('session-tab')).dataset['state']).toBe(state.kind);
    }
    expect(host.acts).toContainEqual({ act: 'resize', session: 'session-1', columns: 100, rows: 30 });
  });

  it('that was refused says why and what to do, and connects again on a click', async () => {
    const { host, user } = await open([session({ kind: 'failed', error: failure('login_refused'), hostKeys: null })]);
    expect(text(await part('session-failed'))).toContain('Sentence of login_refused. What to do.');
    host.opens = session({ kind: 'connecting' }, { id: 'session-2' });
    await user.click(await part('session-again'));
    await waitFor(() => expect(host.acts).toContainEqual({ act: 'close', session: 'session-1' }));
    expect(host.acts[0]).toEqual({ act: 'open', server: session().server, like: session().id });
  });

  it('whose host key changed shows both sides and offers no way to trust it', async () => {
    const shown = { kind: 'ssh-ed25519', fingerprint: 'SHA256:shown', place: null };
    const known = [{ kind: 'ssh-ed25519', fingerprint: 'SHA256:known', place: null }];
    await open([session({ kind: 'failed', error: failure('host_key_changed'), hostKeys: { shown, known } })]);
    const keys = text(await part('session-host-keys'));
    expect(keys).toContain('SHA256:shown');
    expect(keys).toContain('SHA256:known');
    expect(keys).toContain('given to it when it was made');
    expect(parts('question-yes')).toHaveLength(0);
  });

  it('with an unknown host key asks once, with the fingerprint, and no is what Enter does first', async () => {
    const key = { kind: 'ssh-ed25519', fingerprint: 'SHA256:abc', place: null };
    const question = { number: 7, ask: { kind: 'host_key', host: '203.0.113.24', key, formerly: null } } as const;
    const { host, user } = await open([session({ kind: 'checking_key' }, { question })]);
    expect(text(await part('host-key-fingerprint'))).toContain('SHA256:abc');
    expect((await part('question-no')).dataset['first']).toBe('');
    await user.click(await part('question-yes'));
    expect(host.acts).toContainEqual({ act: 'trust', session: 'session-1', question: 7, yes: true });
  });

  it('hands a password in and keeps nothing of it on the page', async () => {
    const question = { number: 1, ask: { kind: 'password', user: 'root', again: true } } as const;
    const { host, user } = await open([session({ kind: 'logging_in' }, { question })]);
    const field = await part<HTMLInputElement>('session-answer');
    expect(field.type).toBe('password');
    await user.type(field, 'Secret-1{Enter}');
    await waitFor(() =>
      expect(host.acts).toContainEqual({ act: 'answer', session: 'session-1', question: 1, answers: ['Secret-1'] }),
    );
    expect(field.value).toBe('');
  });

  it('gets what is typed in the order of the keys', async () => {
    const { host, screen } = await open();
    for (const key of ['e', 'c', 'h', 'o', ' ', '你', '好', '\r']) screen.keys(key);
    await waitFor(() => expect(host.typed('session-1')).toBe('echo 你好\r'));
  });

  it('gets several pasted lines only after a yes, and one line at once', async () => {
    const { screen, user } = await open();
    const terminal = await part('session-terminal');
    const paste = (what: string) => {
      const event = new Event('paste', { bubbles: true, cancelable: true });
      Object.assign(event, { clipboardData: { getData: () => what } });
      return fireEvent(terminal, event);
    };
    await paste('ls -l');
    expect(screen.pasted).toEqual(['ls -l']);
    await paste('one\nrm -rf /\n');
    expect(screen.pasted).toEqual(['ls -l']);
    expect(text(await part('paste-text'))).toContain('rm -rf /');
    await user.click(await part('paste-no'));
    expect(screen.pasted).toEqual(['ls -l']);
    await paste('one\ntwo');
    await user.click(await part('paste-yes'));
    expect(screen.pasted).toEqual(['ls -l', 'one\ntwo']);
  });

  it('is one of several tabs, which keys turn and close', async () => {
    const other = session({ kind: 'open' }, { id: 'session-2', serverName: 'other' });
    const { host } = await open([session(), other]);
    const chosen = () => parts('session-tab').findIndex((tab) => tab.getAttribute('aria-current') === 'true');
    expect(chosen()).toBe(1);
    await fireEvent.keyDown(window, { key: 'PageDown', ctrlKey: true });
    await waitFor(() => expect(chosen()).toBe(0));
    await fireEvent.keyDown(window, { key: 'W', ctrlKey: true, shiftKey: true });
    await waitFor(() => expect(parts('session-tab')).toHaveLength(1));
    expect(host.acts).toContainEqual({ act: 'close', session: 'session-1' });
  });
});

describe('Connect', () => {
  it('opens a session on a server that runs, by the button and by the palette', async () => {
    const { host, user, app } = await openApp({
      'servers.list': () => serverList([server()]),
      'sessions.open': () => session(),
    });
    app.showServerById(server().id);
    await user.click(await part('server-connect'));
    expect(host.requests('sessions.open')).toEqual([{ server: server().id, how: null }]);
    await user.keyboard('{Control>}{Enter}{/Control}');
    await waitFor(() => expect(host.requests('sessions.open')).toHaveLength(2));
  });

  it('opens a shell or the screen from the row, which is not chosen by that', async () => {
    const { host, user } = await openApp({
      'servers.list': () => serverList([server()]),
      'sessions.open': () => session(),
      'sessions.screen': () => session(),
    });
    await user.click(await part('row-screen'));
    expect(host.requests('sessions.screen')).toEqual([{ server: server().id, vnc: null }]);
    await user.click(await part('row-connect'));
    expect(host.requests('sessions.open')).toEqual([{ server: server().id, how: null }]);
    expect(parts('server-detail')).toHaveLength(0);
  });

  it('logs in as another user, with a key that the system lets choose, through another host', async () => {
    let chosen: { id: string; name: string } | null = null;
    const { host, user, app } = await openApp({
      'servers.list': () => serverList([server()]),
      'sessions.open': () => session(),
      'sessions.choose_key': () => chosen,
    });
    app.showServerById(server().id);
    await user.click(await part('server-connect-how'));
    await user.type(await part('connect-user'), 'dev');
    await user.click(await part('connect-key'));
    expect(parts('connect-key-name')).toHaveLength(0);
    chosen = { id: 'key-1', name: 'id_work' };
    await user.click(await part('connect-key'));
    expect(text(await part('connect-key-name'))).toBe('id_work');
    await user.type(await part('connect-jumps'), 'ops@bastion');
    await user.click(await part('connect-yes'));
    expect(host.requests('sessions.open')).toEqual([
      { server: server().id, how: { user: 'dev', key: 'key-1', jumps: 'ops@bastion' } },
    ]);
    await waitFor(() => expect(parts('connect-yes')).toHaveLength(0));
  });

  it('says why it cannot on one that does not, and why it could not', async () => {
    const { app } = await openApp({ 'servers.list': () => serverList([server({ state: 'stopped' })]) });
    app.showServerById(server().id);
    const button = await part<HTMLButtonElement>('server-connect');
    expect(button.disabled).toBe(true);
    expect(text(await part('server-detail'))).toContain('It has to run for that (now: Stopped).');
  });
});
