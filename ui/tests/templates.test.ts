import { waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { catalogue, template, wireError } from '../src/host/fake';
import type { Template } from '../src/host/generated';
import { open, part, parts, text } from './open';

async function openTemplates(answers: Parameters<typeof open>[0] = {}) {
  const opened = await open(answers);
  await opened.user.click(await part('nav-templates'));
  return opened;
}

it('hands templates on as a file', async () => {
  const { user } = await openTemplates({ 'templates.export': () => ({ file: '{"schema": 1}' }) });
  await user.click(await part('templates-export'));
  const file = await part<HTMLTextAreaElement>('templates-file');
  expect(file.value).toBe('{"schema": 1}');
  expect(file.readOnly).toBe(true);
});

it('reads a file in, and says why one is refused without losing it', async () => {
  const { user, host } = await openTemplates({
    'templates.import': () => {
      throw wireError({ sentence: 'The templates cannot be read.', detail: 'schema 9, not 1' });
    },
  });
  await user.click(await part('templates-import'));
  const file = await part<HTMLTextAreaElement>('templates-file');
  await user.click(file);
  await user.paste('{"schema": 9}');
  await user.click(await part('templates-submit'));
  await waitFor(() => expect(text(file.closest('dialog') ?? file)).toContain('schema 9, not 1'));
  expect(file.value, 'it can be corrected').toBe('{"schema": 9}');

  host.answer('templates.import', () => [template(), template({ id: 'mine', nameEn: 'Mine' })]);
  await user.click(await part('templates-submit'));
  await waitFor(() => expect(parts('template-row').map((row) => row.dataset['template'])).toContain('mine'));
  expect(host.requests('templates.import')).toEqual([{ file: '{"schema": 9}' }, { file: '{"schema": 9}' }]);
});

it('makes a template, refusing what no region sells before it asks', async () => {
  const { user, host } = await openTemplates({
    'templates.save': (one: Template) => [template(), one],
  });
  await user.click(await part('templates-new'));
  const save = await part<HTMLButtonElement>('template-save');
  await user.click(save);
  expect(text(await part('template-pane'))).toContain('1 to 60 characters.');
  expect(host.requests('templates.save')).toEqual([]);

  await user.type(await part('template-nameEn'), 'Build machine');
  await user.type(await part('template-nameZh'), '构建机');
  await user.type(await part('template-id'), 'small');
  expect(text(await part('template-pane'))).toContain('one with this id already');
  await user.type(await part('template-id'), '-build');
  await user.type(await part('template-dataDiskGb'), '9');
  expect(text(await part('template-pane'))).toContain('from 10 to 32768');
  expect(save.disabled).toBe(true);
  await user.type(await part('template-dataDiskGb'), '0');
  await user.clear(await part('template-publicMbps'));
  await user.selectOptions(await part('template-environment'), 'java');
  await user.click(save);
  await waitFor(() => expect(parts('template-row')).toHaveLength(2));
  expect(host.requests('templates.save')).toEqual([
    {
      id: 'small-build',
      nameEn: 'Build machine',
      nameZh: '构建机',
      vcpus: 2,
      ramGb: 4,
      image: 'Ubuntu',
      systemDiskGb: 40,
      dataDiskGb: 90,
      publicMbps: null,
      leaseHours: 8,
      environment: 'java',
    },
  ]);
});

it('changes a template without its id, and tells why the backend refused', async () => {
  const { user, host } = await openTemplates({
    'templates.save': () => {
      throw wireError({ sentence: 'The ledger cannot be written.' });
    },
  });
  await user.click(await part('template-row'));
  expect((await part<HTMLInputElement>('template-id')).disabled).toBe(true);
  const save = await part<HTMLButtonElement>('template-save');
  expect(save.disabled, 'nothing is changed').toBe(true);
  await user.clear(await part('template-leaseHours'));
  await user.type(await part('template-leaseHours'), '12');
  await user.click(save);
  expect(text(await part('error-box'))).toContain('The ledger cannot be written.');
  expect(host.requests('templates.save')).toMatchObject([{ id: 'small', leaseHours: 12 }]);
});

it('copies a template under a free id, in both languages', async () => {
  const { user } = await openTemplates({ 'templates.list': () => [template(), template({ id: 'small-copy' })] });
  await waitFor(() => expect(parts('template-row')).toHaveLength(2));
  await user.click(parts('template-row')[0] as HTMLElement);
  await user.click(await part('template-duplicate'));
  expect((await part<HTMLInputElement>('template-id')).value).toBe('small-copy-2');
  expect((await part<HTMLInputElement>('template-nameEn')).value).toBe('Small development server copy');
  expect((await part<HTMLInputElement>('template-nameZh')).value).toBe('小型开发机 副本');
});

it('removes a template after a confirmation', async () => {
  const { user, host } = await openTemplates({ 'templates.remove': () => [] });
  await user.click(await part('template-row'));
  await user.click(await part('template-remove'));
  expect(host.requests('templates.remove')).toEqual([]);
  await user.click(await part('template-remove-submit'));
  await waitFor(() => expect(document.body.textContent).toContain('No template yet'));
  expect(host.requests('templates.remove')).toEqual([{ template: 'small' }]);
});

it('begins a new server with the template', async () => {
  const two = [template(), template({ id: 'big', nameEn: 'Big' })];
  const { user } = await openTemplates({
    'templates.list': () => two,
    'servers.catalogue': () => catalogue({ templates: two }),
  });
  await waitFor(() => expect(parts('template-row')).toHaveLength(2));
  await user.click(parts('template-row')[1] as HTMLElement);
  await user.click(await part('template-use'));
  const cards = await part('create-name').then(() => parts('create-template'));
  expect(cards.find((card) => card.dataset['template'] === 'big')?.querySelector('input')?.checked).toBe(true);
});

it('says that the templates could not be read, and tries again', async () => {
  const { user, host } = await openTemplates({
    'templates.list': () => {
      throw wireError({ sentence: 'The ledger is away.' });
    },
  });
  expect(text(await part('error-box'))).toContain('could not be read');
  host.answer('templates.list', () => [template()]);
  await user.click((await part('error-box')).querySelector('button') as HTMLElement);
  await part('template-row');
});

it('says that a template comes with the program and cannot be removed; one that was changed becomes as it came', async () => {
  const { user, host } = await openTemplates({
    'templates.origins': () => ({ grant: [], builtIn: ['small'], own: [] }),
  });
  await user.click(await part('template-row'));
  const remove = await part<HTMLButtonElement>('template-remove');
  expect(remove.disabled).toBe(true);
  expect(text(await part('template-origin'))).toContain('cannot be removed');
  host.answer('templates.origins', () => ({ grant: [], builtIn: ['small'], own: ['small'] }));
  host.answer('templates.save', () => [template({ vcpus: 4 })]);
  host.answer('templates.remove', () => [template()]);
  await user.type(await part('template-vcpus'), '{Backspace}4');
  await user.click(await part('template-save'));
  await waitFor(() => expect(remove.disabled).toBe(false));
  await user.click(remove);
  expect(text((await part('template-remove-submit')).closest('dialog') as HTMLElement)).toContain('as it came');
  await user.click(await part('template-remove-submit'));
  await waitFor(async () => expect((await part<HTMLInputElement>('template-vcpus')).value).toBe('2'));
});

it('asks before what is not saved is lost, wherever one goes', async () => {
  const { user } = await openTemplates({ 'templates.list': () => [template(), template({ id: 'big' })] });
  await waitFor(() => expect(parts('template-row')).toHaveLength(2));
  await user.click(parts('template-row')[0] as HTMLElement);
  await user.type(await part('template-nameEn'), ' x');
  await user.click(parts('template-row')[1] as HTMLElement);
  await user.keyboard('{Escape}');
  await user.click(await part('nav-servers'));
  const leave = await part('template-leave-submit');
  expect((await part<HTMLInputElement>('template-id')).value, 'still there').toBe('small');
  await user.click(leave);
  await waitFor(() => expect(parts('template-row')).toHaveLength(0));
  await user.click(await part('nav-templates'));
  await waitFor(() => expect(parts('template-row')).toHaveLength(2));
  await user.click(parts('template-row')[0] as HTMLElement);
  await user.click(parts('template-row')[1] as HTMLElement);
  expect((await part<HTMLInputElement>('template-id')).value, 'nothing written, nothing asked').toBe('big');
});
