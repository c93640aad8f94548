import { waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { account, foundKey, wireError } from '../src/host/fake';
import type { Settings } from '../src/host/generated';
import { open, part, parts, text } from './open';

async function openSettings(answers: Parameters<typeof open>[0] = {}) {
  const all = await open(answers);
  await all.user.click(await part('nav-settings'));
  return all;
}

describe('keys that lie ready', () => {
  const nobody = { 'accounts.list': () => ({ accounts: [], active: null }) };
  const csv = foundKey({
    id: 'csv:0:/home/ada/Downloads/credentials.csv',
    source: 'csv',
    file: '/home/ada/Downloads/credentials.csv',
    label: 'ada',
  });

  it('are shown in part, and one signs in with one after a yes, without a secret in the page', async () => {
    const { user, host } = await open({
      ...nobody,
      'accounts.find_keys': () => [foundKey({ projectId: 'p-1' }), csv],
      'accounts.sign_in_found': () => account(),
    });
    await waitFor(() => expect(text(parts('found-keys')[0] as Element)).toContain('HPUA…0J3K'));
    expect(host.requests('accounts.sign_in_found'), 'nothing is done unasked').toEqual([]);
    await user.click(parts('found-key-use')[1] as HTMLElement);
    expect(text(await part('found-key-chosen'))).toContain('delete it');
    expect(parts('signin-secret-key'), 'nothing is left to type').toHaveLength(0);
    await user.click(await part('found-key-other'));
    await user.click(parts('found-key-use')[0] as HTMLElement);
    await user.selectOptions(await part('signin-region'), 'cn-north-4');
    host.answer('accounts.list', () => ({ accounts: [account()], active: 'account-1' }));
    await user.click(await part('signin-submit'));
    await part('nav-servers');
    expect(host.requests('accounts.sign_in_found')).toMatchObject([
      { id: 'environment', region: 'cn-north-4', remember: 'keychain' },
    ]);
    expect(host.requests('accounts.sign_in')).toEqual([]);
  });

  it('in a file that is named are found there, or it is said why not', async () => {
    const { user, host } = await open({
      ...nobody,
      'accounts.find_keys': ({ file }: { file: string | null }) => {
        if (file === '/x.csv') throw wireError({ code: 'key_file_unreadable', sentence: 'No key can be read.' });
        return file === null ? [] : [csv];
      },
    });
    await user.type(await part('found-file'), '/x.csv{Enter}');
    expect(text(await part('error-box'))).toContain('No key can be read.');
    await user.clear(await part('found-file'));
    await user.type(await part('found-file'), '~/credentials.csv');
    await user.click(await part('found-file-look'));
    await part('found-key-chosen');
    expect(host.requests('accounts.find_keys')).toEqual([
      { file: null },
      { file: '/x.csv' },
      { file: '~/credentials.csv' },
    ]);
  });

  it('in a file that is dropped onto the window are taken', async () => {
    const { host } = await open({
      ...nobody,
      'accounts.find_keys': ({ file }: { file: string | null }) => (file === null ? [] : [csv]),
      'app.wishes': () => [{ wish: { kind: 'key_file', file: '/home/ada/credentials.csv' }, outside: false }],
    });
    await part('found-key-chosen');
    expect(host.requests('accounts.find_keys')).toContainEqual({ file: '/home/ada/credentials.csv' });
  });
});

describe('settings', () => {
  it('say which warnings are given', async () => {
    const { user, host } = await openSettings();
    await user.click(await part('settings-warn-120'));
    await user.click(await part('settings-stay-in-tray'));
    const asked = host.requests('settings.set') as Settings[];
    expect(asked.map(({ warnMinutes }) => warnMinutes)).toEqual([
      [10, 30],
      [10, 30],
    ]);
    expect(asked.map(({ stayInTray }) => stayInTray)).toEqual([false, true]);
  });

  it('keep a proxy only when it can be used, and say from when on', async () => {
    const { user, host } = await openSettings({
      'settings.set': (settings: Settings) => {
        if (settings.proxyUrl.includes('@'))
          throw wireError({ code: 'proxy_invalid', sentence: 'The proxy is not valid.' });
        return settings;
      },
    });
    expect((await part<HTMLButtonElement>('settings-network-save')).disabled).toBe(true);
    await user.selectOptions(await part('settings-proxy'), 'at');
    await user.type(await part('settings-proxy-url'), 'http://a:b@proxy');
    await user.click(await part('settings-network-save'));
    expect(text(await part('error-box'))).toContain('not valid');
    await user.clear(await part('settings-proxy-url'));
    await user.type(await part('settings-proxy-url'), 'http://proxy:8080');
    await user.click(await part('settings-network-save'));
    await waitFor(() => expect(document.body.textContent).toContain('Start Wangcheng anew'));
    expect(host.requests('settings.set').at(-1)).toMatchObject({ proxy: 'at', proxyUrl: 'http://proxy:8080' });
  });

  it('say what a key may do, how that is known, and why not the rest, when somebody looks', async () => {
    const refusal = wireError({ sentence: 'No permission.', detail: 'ims:images:list' });
    const at = '2026-01-02T03:04:05Z';
    const { user, host } = await openSettings({
      'accounts.rights': () => ({
        reads: [
          { what: 'servers', allowed: true, error: null },
          { what: 'images', allowed: false, error: refusal },
          { what: 'disks', allowed: null, error: wireError({ sentence: 'The cloud had a fault.' }) },
        ],
        acts: [
          { what: 'create', allowed: true, ground: 'check', at, error: null },
          { what: 'delete', allowed: false, ground: 'use', at, error: refusal },
          { what: 'power', allowed: true, ground: 'use', at, error: null },
          { what: 'resize', allowed: null, ground: null, at: null, error: null },
        ],
      }),
    });
    expect(host.requests('accounts.rights')).toEqual([]);
    const rights = await part<HTMLDetailsElement>('account-rights');
    rights.open = true;
    rights.dispatchEvent(new Event('toggle'));
    await waitFor(() => expect(rights.querySelectorAll('[data-right]')).toHaveLength(3));
    const allowed = (css: string) =>
      [...rights.querySelectorAll<HTMLElement>(css)].map((one) => one.dataset['allowed']);
    expect(allowed('[data-right]')).toEqual(['true', 'false', 'null']);
    expect(text(rights)).toContain('ims:images:list');
    expect(allowed('[data-act]')).toEqual(['true', 'false', 'true', 'null']);
    const said = [...rights.querySelectorAll('[data-act]')].map((one) => text(one));
    for (const [at, word] of ['checked', 'refused', 'taken by the cloud', 'shows when it is used'].entries()) {
      expect(said[at]).toContain(word);
    }
    expect(user).toBeDefined();
  });

  it('make a bundle and say where it is', async () => {
    const { user } = await openSettings({
      'app.diagnostics': () => ({ file: '/data/diagnostics/wangcheng-1.zip', entries: ['about.json'], bytes: 900 }),
    });
    await user.click(await part('settings-diagnostics'));
    expect(text(await part('diagnostics-made'))).toContain('/data/diagnostics/wangcheng-1.zip');
  });

  it('say when the system does not show a folder', async () => {
    const { user } = await openSettings({
      'app.show_folder': () => {
        throw wireError({ code: 'folder_not_shown', sentence: 'The system did not open the folder.' });
      },
    });
    await user.click(await part('settings-show-data'));
    expect(text(await part('error-box'))).toContain('did not open');
  });

  it('keep both of two changes that are made at once', async () => {
    const { app } = await open();
    await Promise.all([app.saveSettings({ theme: 'dark' }), app.saveSettings({ language: 'zh-CN' })]);
    expect(app.settings).toMatchObject({ theme: 'dark', language: 'zh-CN' });
  });

  it('show rows closer together, and still do after a restart', async () => {
    const first = await openSettings();
    await first.user.selectOptions(await part('settings-density'), 'compact');
    expect(document.documentElement.dataset['density']).toBe('compact');
    document.documentElement.removeAttribute('data-density');
    document.body.innerHTML = '';
    await open();
    expect(document.documentElement.dataset['density']).toBe('compact');
  });
});
