import { waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { catalogue, operation, quote, template, wireError } from '../src/host/fake';
import type { CreateServer } from '../src/host/generated';
import { open, part, text } from './open';

async function openCreate(answers: Parameters<typeof open>[0] = {}) {
  const opened = await open(answers);
  await opened.user.click(await part('nav-create'));
  await part('create-name');
  return opened;
}

it('shows the price before the click, part by part, and on the button', async () => {
  const { user, host } = await openCreate({ 'servers.create': () => operation() });
  const submit = await part<HTMLButtonElement>('create-submit');
  expect(submit.disabled, 'no price, no click').toBe(true);
  await waitFor(() => expect(submit.disabled).toBe(false));
  expect(text(await part('create-price-hour'))).toBe('¥0.453');
  expect(text(await part('create-price-lease'))).toBe('¥3.624');
  expect(text(submit)).toBe('Create server · ¥0.453/h');
  expect(document.body.textContent).toMatch(/Estimate.*as of 14:05:31/);
  expect(host.requests('servers.create')).toEqual([]);

  await user.type(await part('create-purpose'), 'billing');
  await waitFor(() => expect(submit.disabled).toBe(false));
  await user.click(submit);
  await part('servers-table');
  expect(host.requests('servers.create')).toMatchObject([
    { template: 'small', purpose: 'billing', leaseEnd: '2025-11-24T14:30:00.000Z', flavor: null, publicMbps: null },
  ]);
  expect((host.requests('servers.create')[0] as CreateServer).name).toMatch(/^ada-dev-1124-[a-z0-9]{2}$/);
});

it('does not create while a blocking problem stands, and says which', async () => {
  const { host, user } = await openCreate({
    'servers.quote': () =>
      quote({
        problems: [
          {
            field: 'name',
            blocking: true,
            error: wireError({ code: 'name_invalid', sentence: 'Names have no spaces.' }),
          },
          { field: null, blocking: false, error: wireError({ code: 'price_from_list', sentence: 'From the list.' }) },
        ],
      }),
  });
  await waitFor(async () => expect((await part('create-problems')).dataset['count']).toBe('1'));
  const submit = await part<HTMLButtonElement>('create-submit');
  expect(submit.disabled).toBe(true);
  expect(text(await part('create-problems'))).toContain('Names have no spaces.');
  expect((await part('create-name')).getAttribute('aria-invalid')).toBe('true');
  await user.type(await part('create-name'), '{Enter}');
  expect(host.requests('servers.create')).toEqual([]);
});

it('allows what is only worth knowing', async () => {
  await openCreate({
    'servers.quote': () => quote({ problems: [{ field: 'keyPair', blocking: false, error: wireError() }] }),
  });
  await waitFor(async () => expect((await part<HTMLButtonElement>('create-submit')).disabled).toBe(false));
});

it('drops the answer to an older question', async () => {
  const answers: ((amount: string) => void)[] = [];
  const { user } = await openCreate({
    'servers.catalogue': () => catalogue({ templates: [template(), template({ id: 'big', nameEn: 'Big' })] }),
    'servers.quote': () =>
      new Promise((resolve) => {
        answers.push((amount) => resolve(quote({ perHour: { amount, currency: 'CNY' } })));
      }),
  });
  await waitFor(() => expect(answers).toHaveLength(1));
  await user.click((await waitFor(() => document.querySelector<HTMLElement>('[data-template="big"]'))) as HTMLElement);
  await waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.('9.0000');
  await waitFor(async () => expect(text(await part('create-price-hour'))).toBe('¥9.00'));
  answers[0]?.('1.0000');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(text(await part('create-price-hour')), 'the price of what is chosen now').toBe('¥9.00');
});

it('asks once for a burst of keys', async () => {
  const { user, host } = await openCreate();
  await waitFor(() => expect(host.requests('servers.quote')).toHaveLength(1));
  await user.type(await part('create-purpose'), 'a longer purpose');
  await waitFor(() => expect(host.requests('servers.quote').at(-1)).toMatchObject({ purpose: 'a longer purpose' }));
  expect(host.requests('servers.quote').length).toBeLessThan(6);
});

it('takes hours or a moment for the lease, each showing the other', async () => {
  const { user, host } = await openCreate();
  const hours = await part<HTMLInputElement>('create-lease-hours');
  await user.clear(hours);
  await user.type(hours, '26');
  expect((await part<HTMLInputElement>('create-lease-date')).value).toBe('2025-11-25');
  expect((await part<HTMLInputElement>('create-lease-time')).value).toBe('16:30');
  const time = await part<HTMLInputElement>('create-lease-time');
  await user.clear(time);
  await user.type(time, '09:15');
  expect(hours.value).toBe('');
  await waitFor(() =>
    expect(host.requests('servers.quote').at(-1)).toMatchObject({ leaseEnd: '2025-11-25T01:15:00.000Z' }),
  );
});

it('explains what the region does not answer, and asks again on demand', async () => {
  const { user, host } = await open({
    'servers.catalogue': () => {
      throw wireError({ code: 'cloud_unreachable' });
    },
  });
  await user.click(await part('nav-create'));
  const box = await part('error-box');
  host.answer('servers.catalogue', () => catalogue());
  await user.click(box.querySelector('button') as HTMLButtonElement);
  await part('create-name');
});

it('shows each part for an hour and for the lease', async () => {
  await openCreate();
  const table = await part('create-price-parts');
  expect(text(table)).toMatch(/Server s6\.large\.2\s*¥0\.253\s*¥2\.024/);
  expect(text(table)).toMatch(/Public address 5 Mbit\/s\s*¥0\.16\s*¥1\.28/);
});

it('takes other disks than the template, and none where none is wanted', async () => {
  const { user, host } = await openCreate();
  await user.type(await part('create-system-disk'), '120');
  await user.type(await part('create-data-disk'), '0');
  await waitFor(() =>
    expect(host.requests('servers.quote').at(-1)).toMatchObject({ systemDiskGb: 120, dataDiskGb: 0 }),
  );
  await user.type(await part('create-data-disk'), 'x');
  const submit = await part<HTMLButtonElement>('create-submit');
  expect(submit.disabled).toBe(true);
  expect(document.body.textContent).toContain('Write a whole number of GB.');
});

it('takes a text for the first start, counts its bytes, and shows what is wrong with it as it is typed', async () => {
  const { user, host } = await openCreate({
    'servers.quote': ({ userData }: CreateServer) =>
      quote({
        problems: userData?.includes('[')
          ? [{ field: 'userData', blocking: true, error: wireError({ sentence: 'Line 2 cannot be read.' }) }]
          : [],
      }),
  });
  const field = await part<HTMLTextAreaElement>('create-user-data');
  await user.click(field);
  await user.paste('apt install git');
  expect(document.body.textContent).toContain('It must begin with #cloud-config');
  await user.clear(field);
  await user.paste('#cloud-config\nruncmd: [ 软');
  expect((await part('create-user-data-size')).dataset['bytes'], 'bytes, not characters').toBe('27');
  await waitFor(() => expect(text(field.closest('.field') as HTMLElement)).toContain('Line 2 cannot be read.'));
  expect((await part<HTMLButtonElement>('create-submit')).disabled).toBe(true);
  expect(host.requests('servers.quote').at(-1)).toMatchObject({ userData: '#cloud-config\nruncmd: [ 软' });
  const file = new File(['#!/bin/sh\necho hi\n'], 'first.sh');
  await user.upload(await part('create-user-data-file'), file);
  await waitFor(() => expect(field.value).toBe('#!/bin/sh\necho hi\n'));
  await waitFor(async () => expect((await part<HTMLButtonElement>('create-submit')).disabled).toBe(false));
  await user.click(await part('create-user-data-clear'));
  await waitFor(() => expect(host.requests('servers.quote').at(-1)).not.toHaveProperty('userData'));
});

it('takes the text of a template, and nothing in its place when it is emptied', async () => {
  const { user, host } = await openCreate({
    'servers.catalogue': () => catalogue({ templates: [template({ userData: '#!/bin/sh\n' })] }),
  });
  const field = await part<HTMLTextAreaElement>('create-user-data');
  expect(field.value).toBe('#!/bin/sh\n');
  await waitFor(() => expect(host.requests('servers.quote').at(-1)).not.toHaveProperty('userData'));
  await user.clear(field);
  await waitFor(() => expect(host.requests('servers.quote').at(-1)).toMatchObject({ userData: '' }));
});

it('makes a group that lets one address in, and chooses it once it is there', async () => {
  const { user, host } = await openCreate({
    'networks.own_address': () => ({ address: '198.51.100.7' }),
    'networks.admit_ssh': () => operation({ id: 'admit', kind: 'network.admit', serverName: 'group' }),
  });
  await user.click(await part('create-admit'));
  const address = await part<HTMLInputElement>('admit-address');
  await waitFor(() => expect(address.value).toBe('198.51.100.7'));
  await user.click(await part('admit-submit'));
  expect(host.requests('networks.admit_ssh')).toEqual([{ address: '198.51.100.7' }]);
  const groups = [
    { id: 'group-1', name: 'default' },
    { id: 'group-9', name: 'wangcheng-ssh-198.51.100.7' },
  ];
  host.answer('servers.catalogue', () => catalogue({ securityGroups: groups }));
  host.emit({
    kind: 'operation',
    operation: operation({
      id: 'admit',
      kind: 'network.admit',
      serverName: 'group',
      stage: 'settled',
      outcome: 'ok',
      securityGroup: 'group-9',
    }),
  });
  await waitFor(async () => expect((await part<HTMLSelectElement>('create-security-group')).value).toBe('group-9'));
  expect(document.querySelector('[data-testid="admit-submit"]')).toBeNull();
});

it('says why no address is known, and why a group could not be made', async () => {
  const { user } = await openCreate({
    'networks.admit_ssh': () => {
      throw wireError({ code: 'address_too_wide', sentence: 'That range is too wide.' });
    },
  });
  await user.click(await part('create-admit'));
  const address = await part<HTMLInputElement>('admit-address');
  await waitFor(() => expect(text(address.closest('.field') as HTMLElement)).toContain('is not known here'));
  await user.type(address, '0.0.0.0/0{Enter}');
  await waitFor(async () => expect(text(await part('error-box'))).toContain('That range is too wide.'));
});
