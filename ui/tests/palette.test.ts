import { screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { actions } from '../src/actions';
import { fit, plain } from '../src/fuzzy';
import { server, serverList, template } from '../src/host/fake';
import { ariaKeys, keyNames, pressed } from '../src/keys';
import { setLanguage } from '../src/words/words.svelte';
import { open, part, parts, text } from './open';

const ID = '4f4b3dfa-eb70-47cf-a60a-998a53bd6666';
const servers = () =>
  serverList([
    server({ id: ID, name: 'ada-dev-1124-k3' }),
    server({
      id: '00000000-0000-0000-0000-000000000002',
      name: '<img src=x onerror=alert(1)>',
      own: false,
      addresses: [{ address: '10.1.2.3', kind: 'private' }],
    }),
  ]);
const withServers = { 'servers.list': servers };

async function opened(answers: Parameters<typeof open>[0] = withServers) {
  const all = await open(answers);
  await part('servers-table');
  await all.user.keyboard('{Control>}k{/Control}');
  const field = await part<HTMLInputElement>('palette-input');
  const keys = () => parts('palette-item').map((item) => item.dataset['key']);
  return { ...all, field, keys };
}

describe('the palette', () => {
  it('opens by the keyboard, has the focus and is a combobox that says which option is chosen', async () => {
    const { field, user } = await opened();
    expect(document.activeElement).toBe(field);
    expect(field.getAttribute('role')).toBe('combobox');
    const list = document.getElementById(field.getAttribute('aria-controls') ?? '');
    expect(list?.getAttribute('role')).toBe('listbox');
    const chosen = () => document.getElementById(field.getAttribute('aria-activedescendant') ?? '');
    expect(chosen()?.getAttribute('role')).toBe('option');
    const first = chosen();
    await user.keyboard('{ArrowDown}');
    expect(chosen()).not.toBe(first);
    expect(chosen()?.getAttribute('aria-selected')).toBe('true');
    expect(list?.querySelectorAll('[aria-selected="true"]')).toHaveLength(1);
    await user.keyboard('{ArrowUp}{ArrowUp}');
    expect(chosen(), 'it goes round').toBe(parts('palette-item').at(-1));
    expect(list?.querySelector('[role="group"]')?.getAttribute('aria-labelledby')).toBeTruthy();
  });

  it.each(['k3', 'adk3', '203.0.113', ID.slice(0, 9)])('finds a server by %s and opens it', async (typed) => {
    const { user, app, keys } = await opened();
    await user.keyboard(typed);
    expect(keys()[0]).toBe(`server ${ID}`);
    await user.keyboard('{Enter}');
    await waitFor(() => expect(app.selection.server).toBe(ID));
    expect(parts('palette')).toHaveLength(0);
  });

  it('shows a name from outside as text', async () => {
    const { user } = await opened();
    await user.keyboard('img');
    const item = parts('palette-item').find((one) => one.textContent?.includes('onerror'));
    expect(item).toBeDefined();
    expect(item?.querySelector('img')).toBeNull();
  });

  it('makes a server from a template', async () => {
    const { user, app } = await opened({
      ...withServers,
      'templates.list': () => [template(), template({ id: 'big', nameEn: 'Build machine' })],
    });
    await waitFor(() => expect(parts('palette-item').some((one) => one.dataset['key'] === 'template big')).toBe(true));
    await user.keyboard('create build{Enter}');
    await waitFor(() => expect(app.screen).toBe('create'));
    expect(app.wantedTemplate).toBe('big');
  });

  it('finds an action in the other language, and what was used last first', async () => {
    const { user, app } = await opened();
    await user.keyboard('事件{Enter}');
    await waitFor(() => expect(app.screen).toBe('events'));
    await user.keyboard('{Control>}k{/Control}');
    const list = within(await part('palette'));
    expect(text(list.getAllByTestId('palette-item')[0] as Element)).toContain('Events');
    expect(localStorage.getItem('wangcheng.palette.recent')).toBe('["go.events"]');
  });

  it('keeps no name or id of a server for the next start', async () => {
    const { user } = await opened();
    await user.keyboard('k3{Enter}');
    await waitFor(() => expect(localStorage.getItem('wangcheng.palette.recent')).toBe('[]'));
  });

  it('says when nothing fits, does nothing then, and closes', async () => {
    const { user, app } = await opened();
    await user.keyboard('zzzzzz');
    expect(parts('palette-item')).toHaveLength(0);
    expect(text(await part('palette'))).toContain('Nothing fits');
    await user.keyboard('{Enter}');
    expect(app.screen).toBe('servers');
    (await part<HTMLDialogElement>('palette')).dispatchEvent(new Event('cancel', { cancelable: true }));
    await waitFor(() => expect(parts('palette')).toHaveLength(0));
  });

  it('offers what can be done with the selected server, and asks there', async () => {
    const { user, app, keys } = await opened();
    expect(keys()).not.toContain('server.delete');
    await user.keyboard('k3{Enter}');
    await part('server-detail');
    await user.keyboard('{Control>}k{/Control}');
    await part('palette-input');
    expect(keys()).toContain('server.delete');
    await user.keyboard('delete{Enter}');
    expect(await part('delete-confirm-name')).toBeTruthy();
    expect(app.host).toBeDefined();
  });

  it.each([
    ['change its size', 'resize-submit'],
    ['rename', 'rename-name'],
    ['edit its tags', 'tag-add'],
    ['set a password', 'password-new'],
    ['add a disk', 'disk-size'],
  ])('opens the dialog of %s for the selected server', async (typed, inside) => {
    const { user, keys } = await opened();
    await user.keyboard('k3{Enter}');
    await part('server-detail');
    await user.keyboard('{Control>}k{/Control}');
    await part('palette-input');
    await user.keyboard(typed);
    expect(keys()[0]).toMatch(/^server\./);
    await user.keyboard('{Enter}');
    expect(await part(inside)).toBeTruthy();
  });

  it('offers no other size, disk or password while the server is neither on nor off', async () => {
    const { user, keys } = await opened({
      'servers.list': () => serverList([server({ id: ID, name: 'ada-dev-1124-k3', state: 'restarting' })]),
    });
    await user.keyboard('k3{Enter}');
    await part('server-detail');
    await user.keyboard('{Control>}k{/Control}');
    await part('palette-input');
    expect(keys()).toContain('server.rename');
    for (const key of ['server.resize', 'server.add-disk', 'server.password']) expect(keys()).not.toContain(key);
  });

  it('leads to what is left over, and to the call where there is one', async () => {
    const { user, app, keys } = await opened();
    expect(keys()).not.toContain('call');
    await user.keyboard('left over{Enter}');
    await waitFor(() => expect(app.leftovers).toBe(true));
    app.leftovers = false;
    app.go('create');
    const button = await part<HTMLButtonElement>('create-call');
    await user.type(await part('create-name'), 'ada-x');
    await waitFor(() => expect(button.disabled).toBe(false));
    await user.keyboard('{Control>}k{/Control}');
    await user.type(await part('palette-input'), 'show the call');
    expect(keys()[0]).toBe('call');
    await user.keyboard('{Enter}');
    expect(await part('call-text')).toBeTruthy();
  });

  it('tells a failure of what it did', async () => {
    const { user, host } = await opened();
    host.answer('app.show_folder', () => {
      throw { code: 'folder_not_shown', sentence: 'The system did not open the folder.', nextStep: 'Open it.' };
    });
    await user.keyboard('data directory{Enter}');
    expect(text(await part('toast'))).toContain('did not open the folder');
  });
});

describe('shortcuts', () => {
  it('are each of one action', () => {
    const keys = actions.map((action) => action.keys).filter((one) => one !== undefined);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(actions.map(({ id }) => id)).size).toBe(actions.length);
  });

  it('work everywhere but where text is typed or a dialog asks', async () => {
    const { user, app } = await open(withServers);
    await part('servers-table');
    await user.keyboard('{Control>}2{/Control}');
    expect(app.screen).toBe('operations');
    await user.keyboard('{Control>}n{/Control}');
    expect(app.screen).toBe('create');
    await user.click(await part('create-purpose'));
    await user.keyboard('?');
    expect(parts('shortcuts')).toHaveLength(0);
    await user.keyboard('{Control>}1{/Control}');
    await user.keyboard('?');
    expect(text(await part('shortcuts'))).toContain('Command palette');
    await user.keyboard('{Control>}3{/Control}');
    expect(app.screen, 'behind a dialog nothing moves').toBe('servers');
  });

  it('extend and delete ask first, for the selected server only', async () => {
    const { user, app } = await open(withServers);
    await part('servers-table');
    await user.keyboard('{Control>}e{/Control}');
    expect(parts('extend-submit')).toHaveLength(0);
    app.showServerById('00000000-0000-0000-0000-000000000002');
    await user.keyboard('{Control>}e{/Control}');
    expect(parts('extend-submit'), 'somebody else’s').toHaveLength(0);
    app.showServerById(ID);
    await part('server-detail');
    await user.keyboard('{Control>}e{/Control}');
    expect(await part('extend-submit')).toBeTruthy();
  });

  it('are named as the keyboard names them', () => {
    expect(keyNames('Mod+Shift+C')).toEqual(['Ctrl', 'Shift', 'C']);
    expect(ariaKeys('Mod+K')).toBe('Control+K');
    const press = (key: string, some: Partial<KeyboardEvent> = {}) =>
      ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...some }) as KeyboardEvent;
    expect(pressed(press('K', { ctrlKey: true }), 'Mod+K')).toBe(true);
    expect(pressed(press('k', { ctrlKey: true, shiftKey: true }), 'Mod+K')).toBe(false);
    expect(pressed(press('k', { ctrlKey: true, altKey: true }), 'Mod+K')).toBe(false);
    expect(pressed(press('k', { metaKey: true }), 'Mod+K')).toBe(false);
    expect(pressed(press('?', { shiftKey: true }), '?'), 'some keyboards need Shift for it').toBe(true);
  });
});

describe('links and wishes', () => {
  it('a link is asked about and does nothing before the answer', async () => {
    const { user, host, app } = await open(withServers);
    await part('servers-table');
    host.answer('app.wishes', () => [{ wish: { kind: 'server', server: ID }, outside: true }]);
    host.emit({ kind: 'wished' });
    const question = await part('link-question');
    expect(text(question)).toContain('ada-dev-1124-k3');
    expect(app.selection.server).toBeNull();
    await user.click(await part('link-follow'));
    await waitFor(() => expect(app.selection.server).toBe(ID));
  });

  it('a link fills in the form of a new server and sends nothing', async () => {
    const { user, host } = await open({
      ...withServers,
      'app.wishes': () => [
        { wish: { kind: 'create', template: 'small', name: 'ci-77', purpose: 'nightly', hours: 2 }, outside: true },
      ],
    });
    expect(text(await part('link-question'))).toContain('ci-77');
    await user.keyboard('{Enter}');
    expect(parts('create-name'), 'the first button is to give it up').toHaveLength(0);
    host.emit({ kind: 'wished' });
    await user.click(await part('link-follow'));
    await waitFor(async () => expect((await part<HTMLInputElement>('create-name')).value).toBe('ci-77'));
    expect((await part<HTMLInputElement>('create-lease-hours')).value).toBe('2');
    expect(host.requests('servers.create')).toEqual([]);
  });

  it('a link that cannot be read is not followed', async () => {
    const { host } = await open(withServers);
    host.answer('app.wishes', () => [{ wish: { kind: 'unreadable' }, outside: true }]);
    host.emit({ kind: 'wished' });
    expect((await part('link-question')).dataset['kind']).toBe('unreadable');
    expect(parts('link-follow')).toHaveLength(0);
  });

  it('the tray’s "extend" opens the form at once', async () => {
    const { host } = await open(withServers);
    await part('servers-table');
    host.answer('app.wishes', () => [{ wish: { kind: 'extend', server: ID }, outside: false }]);
    host.emit({ kind: 'wished' });
    expect(await part('extend-submit')).toBeTruthy();
    expect(parts('link-question')).toHaveLength(0);
  });
});

describe('what fits', () => {
  const best = (query: string, ...texts: string[]) =>
    texts
      .map((one) => ({ one, score: fit(plain(one), plain(query)) }))
      .filter(({ score }) => score !== null)
      .sort((a, b) => (b.score ?? 0) - (a.score ?? 0))[0]?.one;

  it.each([
    ['ns', 'Settings', 'New server', 'New server'],
    ['set', 'Reset', 'Settings', 'Settings'],
    ['opns', 'Options', 'Operations', 'Options'],
    ['运', '暂停运行', '运行', '运行'],
    ['ＫＥＹ', 'key', 'donkey', 'key'],
    ['elan', 'plan', 'élan', 'élan'],
  ])('%s', (query, one, other, wanted) => expect(best(query, one, other)).toBe(wanted));

  it('is nothing where characters are missing, in another order, or strewn about', () => {
    expect(fit('settings', 'sgx')).toBeNull();
    expect(fit('ab', 'ba')).toBeNull();
    expect(fit('a very long sentence in which letters are lost', 'vytl')).toBeNull();
  });

  it('is fast over five thousand names', () => {
    const names = Array.from({ length: 5000 }, (_, n) => `ci-runner-${n}-billing-refactoring`);
    const began = performance.now();
    names.forEach((name) => fit(name, 'cr4999br'));
    expect(performance.now() - began).toBeLessThan(150);
  });
});

it('is shown in Chinese', async () => {
  const { user, app } = await open(withServers);
  await app.saveSettings({ language: 'zh-CN' });
  await user.keyboard('{Control>}k{/Control}');
  expect(text(await part('palette'))).toContain('事件');
  setLanguage('en');
  expect(screen).toBeDefined();
});
