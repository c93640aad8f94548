import { waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { catalogue, delivery, grantStanding, joinedOrganisation, operation, quote, wireError } from '../src/host/fake';
import type { Finding, Grant, Invitation, Office } from '../src/host/generated';
import { open, part, parts, text } from './open';

const LINK = 'wangcheng://join?org=Example&key=x&grant=https%3A%2F%2Fexample.com%2Fg.json';
const invitation = (some: Partial<Invitation> = {}): Invitation => ({
  organisation: 'Example Ltd.',
  fingerprint: '1a2b-3c4d-5e6f-7081-92a3-b4c5-d6e7-f809',
  source: 'https://example.com/g.json',
  hei: null,
  tokenWanted: false,
  tokenSealed: false,
  defaults: null,
  number: 7,
  expires: '2025-12-24T06:00:00Z',
  problem: null,
  ...some,
});
const held = grantStanding({
  joined: joinedOrganisation(),
  inForce: { role: 'developer', quota: { servers: 3, leaseHours: 24, families: ['s6'] }, exceptions: [] },
  uses: [{ limit: 'servers', used: '2', wish: '0', max: '3' }],
});

describe('joining an organisation', () => {
  it('takes the fingerprint that was told by another way', async () => {
    const { user, host } = await open({ 'grants.invitation': () => invitation(), 'grants.join': () => held });
    await user.click(await part('nav-grants'));
    await user.type(await part('join-link'), LINK);
    await user.click(await part('join-look'));
    expect(text(await part('join-fingerprint'))).toBe('1a2b-3c4d-5e6f-7081-92a3-b4c5-d6e7-f809');
    const submit = await part<HTMLButtonElement>('join-submit');
    expect(submit.disabled, 'nothing is compared yet').toBe(true);
    await user.type(await part('join-compare'), '9999-3c4d-5e6f-7081-92a3-b4c5-d6e7-f809');
    expect(submit.disabled, 'another key').toBe(true);
    await user.clear(await part('join-compare'));
    await user.type(await part('join-compare'), '1A2B 3C4D 5E6F 7081 92A3 B4C5 D6E7 F809');
    host.answer('grants.standing', () => held);
    await user.click(submit);
    expect(text(await part('grant-organisation'))).toBe('Example Ltd.');
    expect(host.requests('grants.join')).toMatchObject([{ link: LINK, token: null }]);
  });

  it('opens the token of the link by its passphrase, which is typed again after a wrong one', async () => {
    const closed = wireError({ code: 'grant_token_closed', sentence: 'The passphrase does not open it.' });
    const { user, host } = await open({
      'grants.invitation': () => invitation({ tokenWanted: true, tokenSealed: true }),
      'grants.join': () => {
        throw closed;
      },
    });
    await user.click(await part('nav-grants'));
    await user.type(await part('join-link'), LINK);
    await user.click(await part('join-look'));
    await user.type(await part('join-compare'), '1a2b-3c4d-5e6f-7081-92a3-b4c5-d6e7-f809');
    const passphrase = await part<HTMLInputElement>('join-passphrase');
    expect(passphrase.type).toBe('password');
    await user.type(passphrase, 'told by phone');
    await user.click(await part('join-submit'));
    expect(text(await part('error-box'))).toContain('The passphrase does not open it.');
    expect(passphrase.value, 'it is not kept in the page').toBe('');
    expect(host.requests('grants.join')).toMatchObject([{ token: null, passphrase: 'told by phone' }]);
  });

  it('is not offered for a grant that cannot be taken over', async () => {
    const problem = wireError({ code: 'grant_older', sentence: 'It is older.' });
    const { user } = await open({ 'grants.invitation': () => invitation({ problem, number: null, expires: null }) });
    await user.click(await part('nav-grants'));
    await user.type(await part('join-link'), LINK);
    await user.click(await part('join-look'));
    expect(text(await part('error-box'))).toContain('It is older.');
    expect(parts('join-submit')).toHaveLength(0);
  });

  it('by a link from outside is asked about, and then filled in', async () => {
    const { user, host } = await open({
      'app.wishes': () => [{ wish: { kind: 'join', link: LINK, organisation: 'Example Ltd.' }, outside: true }],
      'grants.invitation': () => invitation(),
    });
    expect(text(await part('link-question'))).toContain('Example Ltd.');
    expect(host.requests('grants.invitation'), 'nothing is fetched before the answer').toEqual([]);
    await user.click(await part('link-follow'));
    await part('join-compare');
    expect(host.requests('grants.invitation')).toEqual([{ link: LINK }]);
  });
});

describe('a grant', () => {
  it('is shown with its bars, its rules and whom to ask, and anew when it is told', async () => {
    const { user, host } = await open({ 'grants.standing': () => held });
    await user.click(await part('nav-grants'));
    expect(text(await part('grant-use'))).toContain('2 of 3');
    expect(text(await part('grant-rules'))).toContain('s6.*');
    expect(text(await part('grant'))).toContain('mia <mia@example.com>');
    host.answer('grants.standing', () => ({ ...held, uses: [{ limit: 'servers', used: '3', wish: '0', max: '3' }] }));
    host.emit({ kind: 'grant' });
    await waitFor(() => expect(text(parts('grant-use')[0] as Element)).toContain('3 of 3'));
  });

  it('that has ended says so, and a newer one can be asked for', async () => {
    const stopped = wireError({ code: 'grant_expired', sentence: 'It expired.' });
    const { user, host } = await open({
      'grants.standing': () => ({ ...held, stopped, inForce: null, uses: [] }),
      'grants.refresh': () => held,
    });
    await user.click(await part('nav-grants'));
    expect(text(await part('error-box'))).toContain('It expired.');
    await user.click(await part('grant-refresh'));
    await part('grant-use');
    expect(host.requests('grants.refresh')).toHaveLength(1);
  });

  it('stands beside the price before a server is made', async () => {
    const over = wireError({ code: 'grant_limit', sentence: 'This goes over the grant.' });
    const { user } = await open({
      'servers.quote': () =>
        quote({
          grant: [{ limit: 'servers', used: '3', wish: '1', max: '3' }],
          problems: [{ field: null, blocking: true, error: over }],
        }),
    });
    await user.click(await part('nav-create'));
    const bar = await part('grant-use');
    expect(bar.dataset['left']).toBe('-1');
    expect(text(await part('create-problems'))).toContain('This goes over the grant.');
  });

  it('fills in what is left open, and says so', async () => {
    const offered = catalogue();
    const defaults = {
      organisation: 'Example Ltd.',
      template: null,
      templates: [offered.templates[0]?.id ?? ''],
      subnet: offered.subnets[0]?.id ?? null,
      securityGroup: null,
      images: [],
    };
    const { user } = await open({ 'servers.catalogue': () => catalogue({ defaults }) });
    await user.click(await part('nav-create'));
    expect(text(await part('template-of-grant'))).toBe('from the grant');
    const subnet = await part<HTMLSelectElement>('create-subnet');
    expect(text(subnet.closest('.field')?.querySelector('label') as Element)).toContain('from the grant');
    const group = await part<HTMLSelectElement>('create-security-group');
    expect(text(group.closest('.field')?.querySelector('label') as Element)).not.toContain('from the grant');
  });

  it('is left only after a question', async () => {
    const { user, host } = await open({ 'grants.standing': () => held, 'grants.leave': () => grantStanding() });
    await user.click(await part('nav-grants'));
    await user.click(await part('grant-leave'));
    expect(host.requests('grants.leave')).toEqual([]);
    host.answer('grants.standing', () => grantStanding());
    await user.click(await part('grant-leave-yes'));
    await part('join-link');
  });
});

describe('an administrator', () => {
  const draft = {
    schema: 'wangcheng.grant.v1',
    organisation: { id: 'org-1', name: 'Example Ltd.' },
    number: 3,
    issued: '2025-11-20T02:00:00Z',
    expires: '2025-12-24T06:00:00Z',
    ask: 'mia',
    keys: ['AAAA'],
    currency: 'CNY',
    roles: { developer: { servers: 2, families: ['s6'], until: '2026-01-01T00:00:00Z' } },
    owners: [{ id: 'ada-id', name: 'ada', role: 'developer' }],
  };
  const office: Office = {
    draft,
    signed: { ...draft, roles: { developer: { servers: 1 } } },
    published: { place: 'obs://bucket/g.json', at: '2025-11-20T02:00:00Z', number: 3 },
    place: 'obs://bucket/g.json',
    keys: [{ fingerprint: '1a2b', held: true }],
  };

  it('writes limits, sees what changes, and publishes what was signed', async () => {
    const { user, host } = await open({
      'office.standing': () => office,
      'office.edit': (grant: Grant) => ({ ...office, draft: grant }),
      'office.publish': () => ({ ...office, published: { place: office.place, at: draft.issued, number: 4 } }),
      'office.link': () => ({ link: LINK, fingerprint: '1a2b-3c4d' }),
    });
    await user.click(await part('nav-grants'));
    await user.click(await part('office-open'));
    const servers = await part<HTMLInputElement>('office-servers');
    expect(servers.value).toBe('2');
    await user.clear(servers);
    await user.type(servers, 'many');
    expect((await part<HTMLButtonElement>('office-save')).disabled, 'no number').toBe(true);
    await user.clear(servers);
    await user.type(servers, '5');
    await user.click(await part('office-save'));
    const [edited] = host.requests('office.edit') as Grant[];
    expect(edited?.roles?.['developer']).toEqual({
      servers: 5,
      flavors: ['s6.*'],
      until: '2026-01-01T00:00:00Z',
    });
    await waitFor(() => expect(parts('office-changes')[0]?.dataset['count']).toBe('3'));
    await user.click(await part('office-publish'));
    expect(text(await part('office-fingerprint'))).toBe('1a2b-3c4d');
    expect(host.requests('office.publish')).toEqual([{ place: 'obs://bucket/g.json', days: 30 }]);
  });

  it('is told what is missing, with the next step, and cannot publish then', async () => {
    const error = wireError({ code: 'permission_missing', sentence: 'Not allowed to write.', nextStep: 'Ask for it.' });
    const right = { at: null, error: null };
    const { user, host } = await open({
      'office.standing': () => office,
      'office.duties': () => [
        { what: 'sign', allowed: true, ...right },
        { what: 'publish', allowed: false, at: null, error },
        { what: 'stop', allowed: null, ...right },
      ],
    });
    await user.click(await part('nav-grants'));
    await user.click(await part('office-open'));
    await waitFor(() => expect(parts('office-rights')[0]?.dataset['missing']).toBe('publish'));
    expect(text(await part('office-rights'))).toContain('Ask for it.');
    expect((await part<HTMLButtonElement>('office-publish')).disabled).toBe(true);
    expect(host.requests('office.duties')).toEqual([{ place: 'obs://bucket/g.json' }]);
  });

  it('seals the token into the link by a passphrase that is long enough, and does not keep it', async () => {
    const { user, host } = await open({
      'office.standing': () => office,
      'office.link': () => ({ link: LINK, fingerprint: '1a2b-3c4d' }),
      'delivery.status': () => delivery({ url: 'https://hei.example.com', tokenStored: true }),
    });
    await user.click(await part('nav-grants'));
    await user.click(await part('office-open'));
    const seal = await part<HTMLInputElement>('office-seal');
    await user.type(seal, 'short');
    expect((await part<HTMLButtonElement>('office-link')).disabled).toBe(true);
    await user.type(seal, ' and then long enough');
    await user.click(await part('office-link'));
    await part('office-fingerprint');
    expect(seal.value).toBe('');
    expect(host.requests('office.link')).toMatchObject([{ withHei: true, passphrase: 'short and then long enough' }]);
  });

  it('hands out defaults, and leaves out what says nothing', async () => {
    const { user, host } = await open({
      'office.standing': () => office,
      'office.edit': (grant: Grant) => ({ ...office, draft: grant }),
    });
    await user.click(await part('nav-grants'));
    await user.click(await part('office-open'));
    await user.click(await part('office-defaults-open'));
    const images = await part<HTMLInputElement>('office-default-images');
    await user.type(images, 'Ubuntu 22.04, Debian');
    await user.tab();
    await user.click(await part('office-save'));
    const [edited] = host.requests('office.edit') as Grant[];
    expect(edited?.defaults).toEqual({ images: ['Ubuntu 22.04', 'Debian'] });
  });

  it('without the signing key signs nothing', async () => {
    const absent: Office = { ...office, keys: [{ fingerprint: '1a2b', held: false }] };
    const { user } = await open({ 'office.standing': () => absent });
    await user.click(await part('nav-grants'));
    await user.click(await part('office-open'));
    expect((await part<HTMLButtonElement>('office-publish')).disabled).toBe(true);
    expect((await part<HTMLButtonElement>('office-revoke')).disabled).toBe(true);
  });

  it('sees who would be over, and deletes only what was named', async () => {
    const finding: Finding = {
      server: 's-1',
      name: 'forgotten-01',
      ownerId: 'bo-id',
      owner: 'bo',
      flavor: 'c6.large.2',
      state: 'running',
      created: '2025-11-20T02:00:00Z',
      leaseEnd: null,
      ours: false,
      breaches: ['not_named', 'no_lease'],
      limit: null,
    };
    const { user, host } = await open({
      'office.standing': () => office,
      'office.audit': () => ({ owners: [], servers: [finding], lookedAt: 1, asOf: '2025-11-24T06:00:00Z' }),
      'office.edit': (grant: Grant) => ({ ...office, draft: grant }),
      'office.act': () => operation(),
    });
    await user.click(await part('nav-grants'));
    await user.click(await part('office-open'));
    await user.click(await part('office-look'));
    expect(text(await part('office-finding'))).toContain('no lease');
    expect(host.requests('office.audit'), 'its answer asks for no other').toHaveLength(1);
    await user.click(await part('office-save'));
    await waitFor(() => expect(host.requests('office.audit'), 'another draft').toHaveLength(2));
    await user.click(await part('office-set-lease'));
    await user.click(await part('office-delete'));
    const yes = await part<HTMLButtonElement>('office-delete-yes');
    expect(yes.disabled).toBe(true);
    await user.type(await part('office-delete-name'), 'forgotten-01');
    await user.click(yes);
    const acts = host.requests('office.act') as { act: { kind: string } }[];
    expect(acts.map(({ act }) => act.kind)).toEqual(['set_lease', 'delete']);
  });
});
