import { waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { template, wireError } from '../src/host/fake';
import { open, part, parts, text } from './open';

it('hands templates on as a file', async () => {
  const { user } = await open({ 'templates.export': () => ({ file: '{"schema": 1}' }) });
  await user.click(await part('nav-settings'));
  await user.click(await part('templates-export'));
  const file = await part<HTMLTextAreaElement>('templates-file');
  expect(file.value).toBe('{"schema": 1}');
  expect(file.readOnly).toBe(true);
});

it('reads a file in, and says why one is refused without losing it', async () => {
  const { user, host } = await open({
    'templates.import': () => {
      throw wireError({ sentence: 'The templates cannot be read.', detail: 'schema 9, not 1' });
    },
  });
  await user.click(await part('nav-settings'));
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
