// Changing a server that is there: its size, name, tags, password, owner.
import { waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { operation, resizeOption, resizeOptions, server, serverList, wireError, yuan } from '../src/host/fake';
import type { Server } from '../src/host/generated';
import { chance, makePassword, nameFault, passwordRules, tagFault } from '../src/screens/servers/change/rules';
import { open, part, parts, text } from './open';

type Answers = NonNullable<Parameters<typeof open>[0]>;

async function openServer(some: Partial<Server> = {}, answers: Answers = {}) {
  const opened = await open({ 'servers.list': () => serverList([server(some)]), ...answers });
  await opened.user.click(await part('server-row'));
  await part('server-detail');
  return opened;
}

const dialog = (inside: HTMLElement): HTMLElement => inside.closest('dialog') as HTMLElement;
const flavors = () => parts('resize-option').map((row) => row.dataset['flavor']);

describe('changing the size', () => {
  const two = resizeOptions({
    options: [
      resizeOption({ flavor: 's6.medium.2', vcpus: 1, ramMb: 2048, perHour: yuan('0.32'), morePerHour: yuan('-0.13') }),
      resizeOption(),
      resizeOption({ flavor: 'c7.xlarge.2', problem: wireError({ code: 'capacity', sentence: 'Sold out here.' }) }),
    ],
  });
  const answers = {
    'servers.resize_options': () => two,
    'servers.resize': () => operation({ id: 'resize', kind: 'server.resize', serverId: server().id }),
  };

  it('shows the sizes the zone sells with price and difference, says that it stops, and asks once chosen', async () => {
    const { user, host } = await openServer({}, answers);
    await user.click(await part('server-resize'));
    await waitFor(() => expect(flavors()).toEqual(['s6.medium.2', 's6.xlarge.2']));
    const submit = await part<HTMLButtonElement>('resize-submit');
    expect(submit.disabled, 'nothing is chosen').toBe(true);
    expect(text(parts('resize-option')[0] as HTMLElement)).toContain('¥0.32 −¥0.13');
    expect(text(parts('resize-option')[1] as HTMLElement)).toContain('¥0.706 +¥0.253');
    expect(text(dialog(submit))).toMatch(/¥0\.453\/h.*is stopped for it.*started again/);
    await user.click(parts('resize-option')[1] as HTMLElement);
    expect(text(submit)).toBe('Stop and change to s6.xlarge.2');
    expect(host.requests('servers.resize')).toEqual([]);
    await user.click(submit);
    await waitFor(() => expect(parts('resize-submit')).toHaveLength(0));
    expect(host.requests('servers.resize')).toEqual([{ server: server().id, flavor: 's6.xlarge.2', mayStop: true }]);
    expect(text(await part('server-operation'))).toContain('nothing else can be asked');
  });

  it('can be searched and chosen with the keyboard; what is sold out is shown on demand and cannot be chosen', async () => {
    const { user, host } = await openServer({}, answers);
    await user.click(await part('server-resize'));
    await waitFor(() => expect(flavors()).toHaveLength(2));
    await user.type(await part('resize-search'), '4vcpu');
    expect(flavors()).toEqual(['s6.xlarge.2']);
    await user.click(await part('resize-all'));
    expect(flavors()).toEqual(['s6.xlarge.2', 'c7.xlarge.2']);
    expect(text(parts('resize-option')[1] as HTMLElement)).toContain('Sold out here.');
    await user.click(parts('resize-option')[1] as HTMLElement);
    expect((await part<HTMLButtonElement>('resize-submit')).disabled).toBe(true);
    parts('resize-option')[1]?.focus();
    await user.keyboard('{ArrowUp}');
    expect((await part<HTMLButtonElement>('resize-submit')).disabled).toBe(false);
    await user.type(await part('resize-search'), ' nothing such');
    expect(text(dialog(await part('resize-submit')))).toContain('No size fits');
    expect((await part<HTMLButtonElement>('resize-submit')).disabled, 'what is not seen is not asked for').toBe(true);
    await user.keyboard('{Enter}');
    expect(host.requests('servers.resize')).toEqual([]);
  });

  it('says why there are no sizes, asks again, and shows what the cloud refuses', async () => {
    const { user, host } = await openServer(
      { state: 'stopped' },
      {
        'servers.resize_options': () => {
          throw wireError({ sentence: 'Paid by the month.' });
        },
        'servers.resize': () => {
          throw wireError({ sentence: 'No room.', requestId: 'request-1' });
        },
      },
    );
    await user.click(await part('server-resize'));
    await waitFor(async () => expect(text(await part('error-box'))).toContain('Paid by the month.'));
    host.answer('servers.resize_options', () => ({ ...two, now: { ...two.now, needsStop: false } }));
    await user.click(await part('resize-retry'));
    await waitFor(() => expect(flavors()).toHaveLength(2));
    expect(text(dialog(await part('resize-submit')))).toContain('It is stopped, and stays so.');
    await user.click(parts('resize-option')[0] as HTMLElement);
    await user.click(await part('resize-submit'));
    await waitFor(async () => expect(text(await part('error-box'))).toMatch(/No room\..*request-1/));
    expect(host.requests('servers.resize')).toMatchObject([{ mayStop: false }]);
  });

  it('stays with the reason while the server is in no state for it', async () => {
    await openServer({ state: 'error' });
    const act = await part<HTMLButtonElement>('server-resize');
    expect(act.disabled).toBe(true);
    expect(text(act.parentElement as HTMLElement)).toContain('Possible while it runs or is stopped; now: Error.');
    expect(text(await part('server-why-power'))).toContain('now: Error');
  });

  it('is closed while something is under way, and so is everything else', async () => {
    await openServer({}, { 'operations.list': () => [operation({ kind: 'server.reboot', serverId: server().id })] });
    await part('server-operation');
    for (const act of ['server-resize', 'server-rename', 'server-tags', 'server-password', 'server-extend']) {
      expect((await part<HTMLButtonElement>(act)).disabled, act).toBe(true);
    }
  });
});

it('renames, and says what a name may hold while it is typed', async () => {
  const { user, host } = await openServer(
    {},
    { 'servers.rename': () => operation({ id: 'rename', kind: 'server.rename', serverId: server().id }) },
  );
  await user.click(await part('server-rename'));
  const field = await part<HTMLInputElement>('rename-name');
  const submit = await part<HTMLButtonElement>('rename-submit');
  expect([field.value, submit.disabled]).toEqual(['ada-dev-1124-k3', true]);
  await user.clear(field);
  await user.type(field, 'two words{Enter}');
  expect(text(dialog(field))).toContain('Only letters, digits');
  expect(field.getAttribute('aria-invalid')).toBe('true');
  expect(host.requests('servers.rename')).toEqual([]);
  await user.clear(field);
  await user.type(field, '支付-2{Enter}');
  await waitFor(() => expect(host.requests('servers.rename')).toEqual([{ server: server().id, name: '支付-2' }]));
  await waitFor(() => expect(parts('rename-name')).toHaveLength(0));
});

it('leaves a tag as it is that today could not be typed, and changes another beside it', async () => {
  const tags = { purpose: 'nightly build', team: 'red' };
  const { user, host } = await openServer(
    { tags },
    { 'servers.tag': () => operation({ id: 'tag', kind: 'server.tag', serverId: server().id }) },
  );
  await user.click(await part('server-tags'));
  const submit = await part<HTMLButtonElement>('tags-submit');
  const [purpose, team] = parts('tag-value') as HTMLInputElement[];
  expect(purpose?.getAttribute('aria-invalid')).not.toBe('true');
  await user.type(team as HTMLElement, '-2');
  expect(submit.disabled).toBe(false);
  await user.type(purpose as HTMLElement, '!');
  expect(submit.disabled, 'a new value follows the rules').toBe(true);
  await user.type(purpose as HTMLElement, '{Backspace}');
  await user.click(submit);
  await waitFor(() =>
    expect(host.requests('servers.tag')).toEqual([
      { server: server().id, set: [{ key: 'team', value: 'red-2' }], remove: [] },
    ]),
  );
});

it('changes only the tags that were changed, and leaves those that say whose it is', async () => {
  const tags = { owner: 'ada', 'wangcheng-installation': 'i-1', team: 'red', stage: 'test' };
  const { user, host } = await openServer(
    { tags },
    { 'servers.tag': () => operation({ id: 'tag', kind: 'server.tag', serverId: server().id }) },
  );
  expect(text(await part('server-tag-list'))).toMatch(/team=red.*owner=ada/);
  await user.click(await part('server-tags'));
  await part('tags-submit');
  expect(parts('tag-row'), 'the two that are free').toHaveLength(2);
  const submit = await part<HTMLButtonElement>('tags-submit');
  expect(submit.disabled).toBe(true);
  const value = parts('tag-value')[0] as HTMLInputElement;
  await user.clear(value);
  await user.type(value, 'blue');
  await user.click(parts('tag-remove')[1] as HTMLElement);
  await user.click(await part('tag-add'));
  await waitFor(() => expect(document.activeElement).toBe(parts('tag-key')[1]));
  await user.keyboard('owner');
  expect(submit.disabled).toBe(true);
  expect(text(dialog(submit))).toContain('not for typing');
  await user.clear(parts('tag-key')[1] as HTMLElement);
  await user.type(parts('tag-key')[1] as HTMLElement, 'cost-centre');
  await user.click(submit);
  await waitFor(() =>
    expect(host.requests('servers.tag')).toEqual([
      {
        server: server().id,
        set: [
          { key: 'team', value: 'blue' },
          { key: 'cost-centre', value: '' },
        ],
        remove: ['stage'],
      },
    ]),
  );
});

it('sets a password that keeps the rules, and keeps it nowhere', async () => {
  const { user, host, app } = await openServer(
    {},
    { 'servers.reset_password': () => operation({ id: 'password', kind: 'server.password', serverId: server().id }) },
  );
  await user.click(await part('server-password'));
  const field = await part<HTMLInputElement>('password-new');
  const submit = await part<HTMLButtonElement>('password-submit');
  const kept = () => [...(document.querySelectorAll('[data-testid="password-rules"] li') ?? [])].map((li) => text(li));
  expect(field.type, 'not shown').toBe('password');
  expect(text(dialog(field))).toContain('after the next restart');
  await user.type(field, 'toor{Enter}');
  expect(submit.disabled).toBe(true);
  expect(kept().filter((rule) => rule.endsWith('not yet'))).toHaveLength(3);
  expect(host.requests('servers.reset_password')).toEqual([]);
  await user.click(await part('password-make'));
  expect([submit.disabled, field.type]).toEqual([false, 'text']);
  const made = field.value;
  await user.click(submit);
  await waitFor(() => expect(parts('password-new')).toHaveLength(0));
  expect(host.requests('servers.reset_password')).toEqual([{ server: server().id, password: made }]);
  expect(document.documentElement.outerHTML).not.toContain(made);
  expect(JSON.stringify([...app.operations.values(), { ...localStorage }])).not.toContain(made);
});

it('keeps what was typed when the password was refused, and says why', async () => {
  const { user } = await openServer(
    { state: 'stopped', os: 'Windows' },
    {
      'servers.reset_password': () => {
        throw wireError({ code: 'password_plugin_missing', sentence: 'The agent is missing.' });
      },
    },
  );
  await user.click(await part('server-password'));
  const field = await part<HTMLInputElement>('password-new');
  expect(text(dialog(field))).toMatch(/Administrator.*from the next start on/);
  await user.type(field, 'Example-1{Enter}');
  await waitFor(async () => expect(text(await part('error-box'))).toContain('The agent is missing.'));
  expect(field.value).toBe('Example-1');
});

it('adopts a server that is nobody’s after saying what that means', async () => {
  const { user, host } = await openServer(
    { own: false, adoptable: true, owner: null, leaseEnd: null },
    { 'servers.adopt': () => operation({ id: 'adopt', kind: 'server.adopt', serverId: server().id }) },
  );
  expect(text(await part('server-not-own'))).toContain('It belongs to nobody');
  await user.click(await part('server-adopt'));
  const submit = await part('adopt-submit');
  expect(text(dialog(submit))).toMatch(/tags that name you.*It has no end/);
  expect(host.requests('servers.adopt')).toEqual([]);
  await user.click(submit);
  await waitFor(() => expect(host.requests('servers.adopt')).toEqual([{ server: server().id }]));
});

it('says whose a server is that cannot be adopted', async () => {
  await openServer({ own: false, adoptable: false, owner: 'li.wei' });
  expect(parts('server-adopt')).toHaveLength(0);
  expect(text(await part('server-not-own'))).toContain('li.wei');
  expect(parts('server-disks'), 'its disks are not asked for').toHaveLength(0);
});

it('shows what a server came to so far as an estimate', async () => {
  const cost = {
    server: server().id,
    since: '2025-11-24T01:12:00Z',
    soFar: yuan('2.41'),
    perHour: yuan('0.4530'),
  };
  const { user } = await openServer({}, { 'servers.costs': () => ({ costs: [cost], asOf: '2025-11-24T06:05:31Z' }) });
  await waitFor(async () => expect(text(await part('server-cost'))).toBe('¥2.41'));
  expect(text((await part('server-cost')).parentElement as HTMLElement)).toMatch(/Estimate.*¥0\.453\/h, counted since/);
  expect(text(await part('server-row'))).toContain('≈¥2.41');
  await user.click(await part('servers-sort-cost'));
  expect((await part('servers-sort-cost')).closest('th')?.getAttribute('aria-sort')).toBe('ascending');
});

it('knows the cost of a new server once its event is written', async () => {
  const { host } = await openServer();
  expect(text(await part('server-detail'))).toContain('Not known: the ledger has no price for it');
  const cost = { server: server().id, since: '2025-11-24T06:06:00Z', soFar: yuan('0.01'), perHour: yuan('0.4530') };
  host.answer('servers.costs', () => ({ costs: [cost], asOf: '2025-11-24T06:06:01Z' }));
  host.emit({ kind: 'events', lastSeq: 7 });
  await waitFor(async () => expect(text(await part('server-cost'))).toBe('¥0.01'), { timeout: 3000 });
});

describe('the rules', () => {
  it.each([
    ['', true],
    ['a b', true],
    ['a'.repeat(65), true],
    ['ada_dev-1.测试', false],
    ['🚀', true],
  ])('of names: %j', (name, wrong) => expect(nameFault(name) !== null).toBe(wrong));

  it.each([
    ['', 'x', true],
    ['wangcheng-operation', 'x', true],
    ['a=b', 'x', true],
    ['k'.repeat(37), 'x', true],
    ['team', 'v'.repeat(44), true],
    ['team', 'a b', true],
    ['团队', '支付-2.0', false],
    ['team', '', false],
  ])('of tags: %j = %j', (key, value, wrong) => expect(tagFault(key, value, [key]) !== null).toBe(wrong));

  it('of tags: a key stands once', () => expect(tagFault('a', '1', ['a', 'a'])).not.toBeNull());

  it.each([
    ['Example-1', 4],
    ['Ex-1', 3],
    ['exampleexample', 3],
    ['Example 123', 3],
    ['', 0],
  ])('of passwords: %j keeps %i', (password, kept) =>
    expect(passwordRules(password, 'root').filter((rule) => rule.kept)).toHaveLength(kept),
  );

  it('of passwords: a user’s name is none, neither way round', () => {
    const last = (password: string) => passwordRules(password, 'User-Name1').at(-1)?.kept;
    expect([last('user-name1'), last('1emaN-resU'), last('another-1A')]).toEqual([false, false, true]);
  });

  it('of passwords: one that is made keeps them all, and is another each time', () => {
    const made = Array.from({ length: 50 }, () => makePassword(chance));
    expect(made.every((password) => passwordRules(password, 'root').every(({ kept }) => kept))).toBe(true);
    expect(new Set(made).size).toBe(50);
  });
});
