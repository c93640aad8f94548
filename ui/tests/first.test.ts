import { waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { account, wireError } from '../src/host/fake';
import type { SignIn } from '../src/host/generated';
import { open, part, parts, text, type Opened } from './open';

const nobody = { 'accounts.list': () => ({ accounts: [], active: null }) };
const locked = wireError({
  code: 'keychain_locked',
  sentence: 'The system keychain is locked.',
  nextStep: 'Unlock it.',
});

async function fill({ user }: Opened) {
  await user.selectOptions(await part('signin-region'), 'cn-north-4');
  await user.type(await part('signin-name'), 'Work');
  await user.type(await part('signin-access-key'), 'EXAMPLEAK00000000001');
  await user.type(await part('signin-secret-key'), 'a secret{Enter}');
}

async function openWithRegions(answers: Record<string, (request: never) => unknown>) {
  const opened = await open({ ...nobody, ...answers });
  await waitFor(async () => expect((await part('signin-region')).querySelectorAll('option').length).toBeGreaterThan(1));
  return opened;
}

it('shows what the cloud said about a wrong key, with the way on and the ids that support asks for', async () => {
  const opened = await openWithRegions({
    'accounts.sign_in': () => {
      throw wireError({
        code: 'signature_wrong',
        sentence: 'The secret key does not belong to this access key.',
        nextStep: 'Copy both from credentials.csv again.',
        providerCode: 'APIGW.0301',
        requestId: '5cd7c7bca3ed8aa2dbe3bb0f3d0b5f31',
      });
    },
  });
  await fill(opened);
  const box = await part('error-box');
  expect(box.dataset['code']).toBe('signature_wrong');
  for (const said of [
    'does not belong',
    'credentials.csv',
    'APIGW.0301',
    '5cd7c7bca3ed8aa2dbe3bb0f3d0b5f31',
    'Copy error',
  ]) {
    expect(text(box)).toContain(said);
  }
});

it('empties the secret fields on submit and keeps the secret nowhere it can be read', async () => {
  const opened = await openWithRegions({
    'accounts.sign_in': () => {
      throw wireError({ code: 'signature_wrong' });
    },
  });
  const { user, host, app } = opened;
  await user.type(await part('signin-token'), 'a temporary token');
  await fill(opened);
  await part('error-box');
  expect((await part<HTMLInputElement>('signin-secret-key')).value).toBe('');
  expect((await part<HTMLInputElement>('signin-token')).value).toBe('');
  expect((await part<HTMLInputElement>('signin-access-key')).value, 'what is no secret can be corrected').not.toBe('');
  expect(document.documentElement.outerHTML).not.toContain('a secret');
  expect(JSON.stringify([app.accounts, app.info, app.settings])).not.toContain('a secret');
  expect(host.requests('accounts.sign_in')).toEqual([
    {
      name: 'Work',
      region: 'cn-north-4',
      accessKey: 'EXAMPLEAK00000000001',
      secretKey: 'a secret',
      securityToken: 'a temporary token',
      projectId: null,
      remember: 'keychain',
    } satisfies SignIn,
  ]);
  expect((await part<HTMLButtonElement>('signin-submit')).disabled, 'the secret has to be typed again').toBe(true);
});

it('offers "for this run only" when the keychain is locked, without asking for the key twice', async () => {
  const opened = await openWithRegions({
    'accounts.sign_in': ({ remember }: SignIn) => {
      if (remember === 'keychain') throw locked;
      return account();
    },
  });
  await fill(opened);
  opened.host.answer('accounts.list', () => ({ accounts: [account()], active: 'account-1' }));
  await opened.user.click(await part('signin-for-this-run'));
  await part('nav-servers');
  expect(opened.host.requests('accounts.sign_in')).toMatchObject([
    { remember: 'keychain', secretKey: 'a secret' },
    { remember: 'run', secretKey: 'a secret' },
  ]);
});

it('asks for the project only when the cloud leaves it open', async () => {
  const opened = await openWithRegions({
    'accounts.sign_in': ({ projectId }: SignIn) => {
      if (projectId === null) throw wireError({ code: 'project_unknown' });
      return account();
    },
  });
  expect(parts('signin-project')).toHaveLength(0);
  await fill(opened);
  await opened.user.type(await part('signin-project'), '0f9c5b7e{Enter}');
  await waitFor(() =>
    expect(opened.host.requests('accounts.sign_in').at(-1)).toMatchObject({
      projectId: '0f9c5b7e',
      secretKey: 'a secret',
    }),
  );
});

it('enters the demo region with one click, and for this run when there is no keychain', async () => {
  const { user, host } = await open({
    ...nobody,
    'accounts.sign_in_demo': ({ remember }: { remember: string }) => {
      if (remember === 'keychain') throw { ...locked, code: 'keychain_absent' };
      return account();
    },
  });
  await user.click(await part('first-demo'));
  expect((await part('error-box')).dataset['code']).toBe('keychain_absent');
  host.answer('accounts.list', () => ({ accounts: [account()], active: 'account-1' }));
  await user.click(await part('demo-for-this-run'));
  await part('nav-servers');
  expect(host.requests('accounts.sign_in_demo')).toEqual([
    { user: 'ada', remember: 'keychain' },
    { user: 'ada', remember: 'run' },
  ]);
});

it('leaves a person where they went while the answer to signing in was on its way', async () => {
  let answer: (value: unknown) => void = () => {};
  const { user, host, app } = await open({
    ...nobody,
    'accounts.sign_in_demo': () => new Promise((resolve) => (answer = resolve)),
  });
  await user.click(await part('first-demo'));
  const accounts = { accounts: [account()], active: 'account-1' };
  host.answer('accounts.list', () => accounts);
  host.emit({ kind: 'accounts', accounts });
  await user.click(await part('nav-events'));
  answer(account());
  await waitFor(() => expect(host.requests('accounts.list')).toHaveLength(1));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(app.screen).toBe('events');
});
