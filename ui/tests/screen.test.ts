// A server's screen in the window of sessions: what goes in and out, and what a page does that comes too late.
import { render, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { fakeSessions, session } from '../src/host/fakeSessions';
import Sessions from '../src/screens/sessions/Sessions.svelte';
import { Channel } from '../src/screens/sessions/screen/channel';
import { keysOf, lettersOf, strange } from '../src/screens/sessions/screen/keys';
import type { MakeView, View } from '../src/screens/sessions/screen/view';
import { fakeScreen } from './fakeScreen';

const screen = {
  vnc: null,
  seen: false,
  keyOnly: true,
  received: 0,
  updates: 0,
  latencyMs: 3,
  width: 720,
  height: 400,
};

function views() {
  const taken: string[] = [];
  const done: string[] = [];
  const make: MakeView = async (_into, to) => {
    const view: View = {
      take: (bytes) => {
        taken.push(new TextDecoder().decode(bytes));
        to.connected();
        to.typed(new TextEncoder().encode('said'));
      },
      scale: (fit) => done.push(`scale ${fit}`),
      viewOnly: (on) => done.push(`view only ${on}`),
      chord: (word) => done.push(word),
      type: async (text) => void done.push(`type ${text}`),
      picture: async () => null,
      focus: () => {},
      end: () => done.push('end'),
    };
    return view;
  };
  return { make, taken, done };
}

const part = (id: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
  if (!found) throw new Error(`${id} is not there`);
  return found;
};

describe('a screen', () => {
  it('takes its bytes in order, says how far it is, and sends keys, chords and texts', async () => {
    const host = fakeSessions([session({ kind: 'open' }, { screen })]);
    const { make, taken, done } = views();
    render(Sessions, { host, makeScreen: () => { throw new Error('no terminal'); }, makeView: make }); // prettier-ignore
    await waitFor(() => expect(host.readings).toEqual([null]));
    host.send('session-1', 0, 'RFB');
    expect(taken).toEqual(['RFB']);
    expect(host.acts).toContainEqual({ act: 'shown', session: 'session-1', offset: 3 });
    await waitFor(() => expect(host.typed('session-1')).toBe('said'));
    const user = userEvent.setup();
    await user.selectOptions(part('screen-chord'), 'Ctrl+Alt+Del');
    await user.click(part('screen-type'));
    await user.type(part('screen-text'), 'ls');
    await user.click(part('screen-text-yes'));
    await user.click(part('screen-view-only'));
    await waitFor(() => expect(done).toEqual(expect.arrayContaining(['Ctrl+Alt+Del', 'type ls', 'view only true'])));
    await user.click(part('screen-password'));
    expect(host.acts).toContainEqual({ act: 'password', server: session().server });
  });

  it('is made anew by a page that was not there from its beginning', async () => {
    const host = fakeSessions([session({ kind: 'open' }, { screen: { ...screen, seen: true } })]);
    host.opens = session({ kind: 'connecting' }, { id: 'session-2', screen });
    render(Sessions, { host, makeScreen: () => { throw new Error('no terminal'); }, makeView: views().make }); // prettier-ignore
    await waitFor(() => expect(host.acts).toContainEqual({ act: 'close', session: 'session-1' }));
    expect(host.acts[0]).toEqual({ act: 'screen', server: session().server, vnc: null });
    await waitFor(() => expect(host.readings, 'only the new one is read').toEqual([null]));
  });

  it('that is made anew beside a terminal does not take its place', async () => {
    const old = session({ kind: 'open' }, { screen: { ...screen, seen: true } });
    const host = fakeSessions([old, session({ kind: 'open' }, { id: 'session-2' })]);
    host.opens = session({ kind: 'connecting' }, { id: 'session-3', screen });
    render(Sessions, { host, makeScreen: fakeScreen(() => {}), makeView: views().make });
    await waitFor(() => expect(host.acts).toContainEqual({ act: 'close', session: 'session-1' }));
    const tabs = [...document.querySelectorAll('[data-testid="session-tab"]')];
    expect(tabs.map((tab) => tab.getAttribute('aria-current'))).toEqual(['true', null]);
  });
});

describe('what noVNC is given', () => {
  it('has every name that it looks for, and copies what is sent', () => {
    const sent: Uint8Array[] = [];
    const channel = new Channel((bytes) => sent.push(bytes));
    const names = [...Object.keys(channel), ...Object.getOwnPropertyNames(Object.getPrototypeOf(channel))];
    for (const name of ['send', 'close', 'binaryType', 'onerror', 'onmessage', 'onopen', 'protocol', 'readyState']) {
      expect(names).toContain(name);
    }
    const again = new Uint8Array([1, 2]);
    channel.send(again);
    again.fill(9);
    expect(sent).toEqual([new Uint8Array([1, 2])]);
    channel.close();
    channel.send(again);
    expect(sent).toHaveLength(1);
  });

  it('types letters with the keys of a keyboard of the United States', () => {
    expect(keysOf('a')).toEqual([{ symbol: 0x61, code: 'KeyA' }]);
    expect(keysOf('A').map(({ code }) => code)).toEqual(['ShiftLeft', 'KeyA']);
    expect(keysOf('@').map(({ code }) => code)).toEqual(['ShiftLeft', 'Digit2']);
    expect(keysOf('~').map(({ code }) => code)).toEqual(['ShiftLeft', 'Backquote']);
    expect(keysOf('/')).toEqual([{ symbol: 0x2f, code: 'Slash' }]);
    expect(keysOf('中')).toEqual([{ symbol: 0x1004e2d, code: '' }]);
    expect(keysOf('\u0007')).toEqual([]);
    expect(lettersOf('a\r\nb\rc')).toEqual(['a', '\n', 'b', '\n', 'c']);
    expect([strange('plain ~'), strange('é')]).toEqual([false, true]);
  });
});
