import { fireEvent, render, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';
import { wireError } from '../src/host/fake';
import { entry, fakeSessions, session } from '../src/host/fakeSessions';
import type { CopyView, EditView, FilesAct } from '../src/host/generated';
import Sessions from '../src/screens/sessions/Sessions.svelte';
import { above, folderOf, joined, lastPart } from '../src/screens/sessions/files.svelte';
import type { ScreenTo } from '../src/screens/sessions/screen';
import { bytes } from '../src/words/format';
import { fakeScreen } from './fakeScreen';
import { part, parts, text } from './open';

beforeEach(() => localStorage.clear());

async function open() {
  const host = fakeSessions([session()]);
  let to: ScreenTo | null = null;
  const makeScreen = fakeScreen((target) => (to = target));
  render(Sessions, { host, makeScreen });
  await waitFor(async () => expect((await part('sessions')).dataset['ready']).toBe('true'));
  const user = userEvent.setup();
  await user.click(await part('files-show'));
  await shows('/root');
  return { host, user, shell: (address: string) => to?.folder(address) };
}

const shows = (path: string) => waitFor(async () => expect((await part('files')).dataset['path']).toBe(path));
const names = () => parts('file').map((row) => row.dataset['name']);
const row = (name: string) => parts('file').find((one) => one.dataset['name'] === name) as HTMLElement;
const changes = (acts: readonly FilesAct[]) => acts.filter(({ act }) => !['list', 'copies', 'edits'].includes(act));
const copy = (some: Partial<CopyView> = {}): CopyView => ({
  id: 1,
  up: true,
  here: '/home/ada/big.iso',
  there: '/root/big.iso',
  state: { kind: 'running' },
  bytesDone: 3 * 1024 ** 2,
  bytesAll: 12 * 1024 ** 2,
  filesDone: 0,
  filesAll: 1,
  skipped: 0,
  rate: 1024 ** 2,
  problems: [],
  ...some,
});

describe('paths over there', () => {
  it('are put together and taken apart', () => {
    expect([joined('/', 'a'), joined('/x', 'a b')]).toEqual(['/a', '/x/a b']);
    expect([above('/a/b/'), above('/a'), above('/')]).toEqual(['/a', '/', '/']);
    expect([lastPart('/a/b'), lastPart('C:\\x\\y.txt')]).toEqual(['b', 'y.txt']);
  });

  it('are taken from what a shell says only when they are folders over there', () => {
    expect(folderOf('file://host/root/%E7%BD%91%20a')).toBe('/root/网 a');
    for (const odd of [
      'http://host/root',
      'file://host',
      'file://host/%zz',
      'file://h/%00',
      `file://h/${'x'.repeat(9000)}`,
    ]) {
      expect(folderOf(odd), odd.slice(0, 30)).toBeNull();
    }
  });

  it('have sizes that are read at once', () => {
    expect([0, 1023, 1536, 12 * 1024 ** 2, 5 * 1024 ** 4].map(bytes)).toEqual([
      '0 B', '1,023 B', '1.5 KiB', '12 MiB', '5 TiB',
    ]); // prettier-ignore
  });
});

describe('the files of a server', () => {
  it('are shown folders first, hidden ones only when asked for, and lead into folders and out of them', async () => {
    const { user } = await open();
    expect(names()).toEqual(['src', 'notes.txt']);
    await user.click(await part('files-hidden'));
    expect(names()).toEqual(['src', '.profile', 'notes.txt']);
    await user.dblClick(row('src'));
    await shows('/root/src');
    expect(names()).toEqual(['main.c']);
    await user.click(await part('files-up'));
    await shows('/root');
    const path = await part<HTMLInputElement>('files-path');
    await user.clear(path);
    await user.type(path, '/nowhere{Enter}');
    await waitFor(async () => expect(text(await part('files'))).toContain('“/nowhere” is not there.'));
    expect(names(), 'what was shown stays').toHaveLength(3);
  });

  it('go where the shell goes, unless that is switched off', async () => {
    const { user, shell, host } = await open();
    shell('file://guest/root/src');
    await shows('/root/src');
    await user.click(await part('files-follow'));
    shell('file://guest/');
    await new Promise((done) => setTimeout(done, 50));
    await shows('/root/src');
    // A prompt in the folder that is shown: what ran may have made a file.
    host.folders['/root/src'] = [entry('main.c'), entry('main.o')];
    shell('file://guest/root/src');
    await waitFor(() => expect(names()).toEqual(['main.c', 'main.o']));
  });

  it('are reached with the keyboard alone', async () => {
    const { user, host } = await open();
    const list = await part('files-list');
    list.focus();
    await user.keyboard('{End}{F2}');
    const field = await part<HTMLInputElement>('file-name');
    expect(field.value).toBe('notes.txt');
    await user.clear(field);
    await user.type(field, '笔记.txt{Enter}');
    await waitFor(() =>
      expect(changes(host.fileActs)).toEqual([
        { act: 'rename', session: 'session-1', from: '/root/notes.txt', to: '/root/笔记.txt' },
      ]),
    );
    list.focus();
    await user.keyboard('{Control>}a{/Control}');
    expect(text(await part('files-chosen'))).toContain('2 chosen');
    await user.keyboard('{Home}{Enter}');
    await shows('/root/src');
    list.focus();
    await user.keyboard('{Backspace}');
    await shows('/root');
    await user.keyboard('n');
    expect(row('notes.txt').getAttribute('aria-selected')).toBe('true');
  });

  it('are removed only after a yes that says what goes with a folder, and no is what Enter does first', async () => {
    const { user, host } = await open();
    await user.click(row('src'));
    await user.keyboard('{Control>}');
    await fireEvent.click(row('notes.txt'), { ctrlKey: true });
    await user.keyboard('{/Control}');
    await user.click(await part('files-remove'));
    const dialog = (await part('files-remove-yes')).closest('dialog') as HTMLElement;
    expect(text(dialog)).toContain('everything in them');
    expect(document.activeElement?.textContent?.trim()).toBe('Cancel');
    await user.keyboard('{Enter}');
    expect(changes(host.fileActs)).toEqual([]);
    await user.click(await part('files-remove'));
    await user.click(await part('files-remove-yes'));
    await waitFor(() =>
      expect(changes(host.fileActs)).toEqual([
        { act: 'remove', session: 'session-1', paths: ['/root/src', '/root/notes.txt'] },
      ]),
    );
  });

  it('get permissions by boxes and by number, and nothing that is none', async () => {
    const { user, host } = await open();
    await user.click(row('notes.txt'));
    await user.click(await part('files-mode'));
    const field = await part<HTMLInputElement>('file-mode');
    expect(field.value).toBe('644');
    const dialog = within(field.closest('dialog') as HTMLElement);
    await user.click(dialog.getByLabelText('Owner: Execute'));
    expect(field.value).toBe('744');
    await user.clear(field);
    await user.type(field, '9');
    expect((await part<HTMLButtonElement>('file-mode-yes')).disabled).toBe(true);
    await user.clear(field);
    await user.type(field, '600{Enter}');
    await waitFor(() =>
      expect(changes(host.fileActs)).toContainEqual({
        act: 'mode',
        session: 'session-1',
        paths: ['/root/notes.txt'],
        mode: 0o600,
      }),
    );
  });

  it('whose change is refused say why, and nothing is lost from view', async () => {
    const { user, host } = await open();
    host.refuses = wireError({ code: 'file_denied', sentence: 'It may not be touched.' });
    await user.click(await part('files-make'));
    await user.type(await part('file-name'), 'new{Enter}');
    await waitFor(async () => expect(text(await part('files'))).toContain('It may not be touched.'));
    expect(names()).toEqual(['src', 'notes.txt']);
  });

  it('whose names are no text can be looked at and nothing else', async () => {
    const { user, host } = await open();
    host.folders['/root'] = [entry('a\ufffd', { usable: false })];
    await user.click(await part('files-refresh'));
    await waitFor(() => expect(names()).toEqual(['a\ufffd']));
    await user.click(row('a\ufffd'));
    for (const id of ['files-download', 'files-rename', 'files-mode', 'files-remove']) {
      expect((await part<HTMLButtonElement>(id)).disabled, id).toBe(true);
    }
  });
});

describe('copies', () => {
  it('begin from the page without a file of this computer being named by it', async () => {
    const { user, host } = await open();
    await user.click(await part('files-upload'));
    await user.click(row('src'));
    await user.click(await part('files-download'));
    host.drag({ kind: 'over' });
    expect(text(await part('files-drop'))).toContain('/root');
    host.drag({ kind: 'dropped', drop: 7, count: 2 });
    await waitFor(() => expect(parts('files-drop')).toHaveLength(0));
    expect(host.localActs).toEqual([
      { act: 'upload_files', session: 'session-1', folder: '/root' },
      { act: 'download', session: 'session-1', paths: ['/root/src'] },
      { act: 'upload_dropped', session: 'session-1', folder: '/root', drop: 7 },
    ]);
  });

  it('dropped where no files are shown are not sent anywhere, and the files are shown', async () => {
    const { user, host } = await open();
    await user.click(await part('files-show'));
    await waitFor(() => expect(parts('files')).toHaveLength(0));
    host.drag({ kind: 'dropped', drop: 1, count: 1 });
    await part('files');
    expect(host.localActs).toEqual([]);
    expect(text(await part('sessions'))).toContain('drop it once more');
  });

  it('say how far they are, and are paused, taken up, replaced and cancelled', async () => {
    const { user, host } = await open();
    const tell = (some: Partial<CopyView>) =>
      host.emit({ kind: 'session_copies', session: 'session-1', copies: [copy(some)] });
    tell({});
    await waitFor(async () => expect(text(await part('copy-words'))).toBe('3 MiB of 12 MiB · 1 MiB/s · 9 s left'));
    await user.click(await part('copy-pause'));
    tell({ state: { kind: 'paused' } });
    await user.click(await part('copy-resume'));
    tell({ state: { kind: 'failed', error: wireError({ code: 'file_exists', sentence: 'It is there.' }) } });
    await waitFor(async () => expect(text(await part('copy-words'))).toContain('It is there.'));
    await user.click(await part('copy-replace'));
    await user.click(await part('copy-cancel'));
    const how = changes(host.fileActs).map((act) => (act.act === 'steer' ? act.how : act.act));
    expect(how).toEqual(['pause', 'resume', 'replace', 'cancel']);
    const problem = { path: '/root/x', error: wireError({ code: 'file_denied', sentence: 'Not x.' }) };
    tell({ state: { kind: 'done' }, filesDone: 4, bytesDone: 12 * 1024 ** 2, problems: [problem] });
    await waitFor(async () => expect(text(await part('copy-words'))).toBe('Done: 12 MiB, files: 4'));
    expect(text(await part('copy-problems'))).toContain('Not x.');
    await user.click(await part('copies-clear'));
    expect(changes(host.fileActs).at(-1)).toEqual({ act: 'clear_copies', session: 'session-1' });
  });

  it('that came up show the file in its folder without a click', async () => {
    const { host } = await open();
    const tell = (some: Partial<CopyView>) =>
      host.emit({ kind: 'session_copies', session: 'session-1', copies: [copy(some)] });
    tell({});
    host.folders['/root'] = [entry('big.iso')];
    tell({ state: { kind: 'done' } });
    await waitFor(() => expect(names()).toEqual(['big.iso']));
  });

  it('are opened in the editor, and where both sides changed a person decides', async () => {
    const { user, host } = await open();
    await user.click(row('src'));
    expect((await part<HTMLButtonElement>('files-edit')).disabled, 'a folder is none').toBe(true);
    await user.click(row('notes.txt'));
    await user.click(await part('files-edit'));
    const path = '/root/notes.txt';
    expect(host.localActs).toEqual([{ act: 'edit', session: 'session-1', path }]);
    const tell = (state: EditView['state']) =>
      host.emit({ kind: 'session_edits', session: 'session-1', edits: [{ id: 7, path, state }] });
    tell({ kind: 'same' });
    await waitFor(async () => expect(text(await part('edit'))).toContain('notes.txt'));
    expect(parts('edit-save')).toHaveLength(0);
    tell({ kind: 'conflict' });
    await user.click(await part('edit-save'));
    tell({ kind: 'saved', times: 2 });
    await waitFor(async () => expect(text(await part('edit-words'))).toBe('Back on the server (2)'));
    await user.click(await part('edit-again'));
    expect(host.localActs.at(-1)).toEqual({ act: 'edit_again', session: 'session-1', edit: 7 });
    await user.click(await part('edit-end'));
    expect(changes(host.fileActs)).toEqual([
      { act: 'save_edit', session: 'session-1', edit: 7 },
      { act: 'end_edit', session: 'session-1', edit: 7 },
    ]);
  });
});
