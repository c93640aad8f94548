import { waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { grantStanding, joinedOrganisation, quote, wireError } from '../src/host/fake';
import type { Invitation } from '../src/host/generated';
import { open, part, parts, text } from './open';

const LINK = 'wangcheng://join?org=Example&key=x&grant=https%3A%2F%2Fexample.com%2Fg.json';
const invitation = (some: Partial<Invitation> = {}): Invitation => ({
  organisation: 'Example Ltd.',
  fingerprint: '1a2b-3c4d-5e6f-7081-92a3-b4c5-d6e7-f809',
  source: 'https://example.com/g.json',
  hei: null,
  tokenWanted: false,
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
