import { waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { delivery, event, refusedEvent, wireError, yanhuangProfile } from '../src/host/fake';
import type { ConfigureDelivery, Event } from '../src/host/generated';
import { csv, ndjson } from '../src/screens/events/export';
import { profileOf, textsOf, wrong } from '../src/screens/settings/profile';
import { open, part, parts, text } from './open';

it('shows what the receiver refused, with its words, and sends one or all again', async () => {
  let refused = [refusedEvent(), refusedEvent({ seq: null, json: '{"rescued":true}', reason: 'no schema' })];
  const { user, host } = await open({
    'delivery.status': () => delivery({ quarantined: 2 }),
    'delivery.refused': () => refused,
    'delivery.send_refused_again': () => {
      refused = refused.map((one) => ({ ...one, again: true }));
      return delivery({ quarantined: 2, waiting: 1 });
    },
  });
  await user.click(await part('nav-events'));
  const tab = await part('events-refused');
  expect(text(tab)).toContain('2');
  await user.click(tab);
  const [first, second] = await waitFor(() => {
    expect(parts('refused-row')).toHaveLength(2);
    return parts('refused-row') as [HTMLElement, HTMLElement];
  });
  expect(text(second)).toContain('rescued');
  await user.click(first);
  expect(text(await part('refused-detail'))).toContain('400 no such data type');
  expect((await part('refused-json')).textContent).toContain('"seq": 3');
  await user.click(await part('refused-again'));
  await waitFor(async () => expect((await part<HTMLButtonElement>('refused-again')).disabled).toBe(true));
  await user.click(await part('refused-again-all'));
  await waitFor(() => expect(host.requests('delivery.send_refused_again')).toEqual([{ seq: 3 }, { seq: null }]));
});

it('says that nothing is quarantined, and why there is such a place', async () => {
  const { user } = await open();
  await user.click(await part('nav-events'));
  await user.click(await part('events-refused'));
  await waitFor(() => expect(document.body.textContent).toContain('Nothing is quarantined'));
});

it('exports the quarantine, and says when it cannot', async () => {
  const { user, host } = await open({
    'delivery.refused': () => [refusedEvent()],
    'delivery.export_refused': () => {
      throw wireError({ sentence: 'The ledger is busy.' });
    },
  });
  await user.click(await part('nav-events'));
  await user.click(await part('events-refused'));
  await user.click(await part('refused-export'));
  expect(text(await part('error-box'))).toContain('The ledger is busy.');
  host.answer('delivery.export_refused', () => '{"seq":3}\n');
  await user.click(await part('refused-export'));
  expect((await part<HTMLTextAreaElement>('export-content')).value).toBe('{"seq":3}\n');
});

it('exports what is loaded, oldest first', async () => {
  const { user } = await open({
    'events.list': () => ({
      events: [event({ seq: 2, json: '{"n":2}' }), event({ seq: 1, json: '{"n":1}' })],
      lastSeq: 2,
      more: false,
    }),
  });
  await user.click(await part('nav-events'));
  await part('events-export');
  await waitFor(() => expect(parts('event-row')).toHaveLength(2));
  await user.click(await part('events-export'));
  await user.click(await part('events-export-ndjson'));
  expect((await part<HTMLTextAreaElement>('export-content')).value).toBe('{"n":1}\n{"n":2}\n');
});

it('writes a table that a spreadsheet reads as text: quotes, line ends, no formulas', () => {
  const hostile: Event = event({ seq: 7, serverName: '=HYPERLINK("x")', owner: 'a,"b"\nc', opId: null });
  const [head, ...lines] = csv([hostile]).split('\r\n');
  expect(head).toBe('seq,time,action,outcome,serverName,owner,opId,delivered,eventId');
  expect(lines.join('\r\n')).toContain('"\'=HYPERLINK(""x"")","a,""b""\nc",,true,');
  expect(ndjson([])).toBe('');
});

/** What the form of a custom way holds: data set, data type and plain HTTP have fields of their own. */
function shown<Profile extends Partial<typeof yanhuangProfile>>(profile: Profile): Profile {
  const rest = { ...profile };
  delete rest.event_set;
  delete rest.datatype;
  delete rest.allow_plain_http;
  return rest;
}

async function openSettings(answers: Parameters<typeof open>[0] = {}) {
  const opened = await open({ 'delivery.status': () => delivery({ url: 'https://hei.example.com/' }), ...answers });
  await opened.user.click(await part('nav-settings'));
  return opened;
}

it('speaks as Splunk HEC on one choice', async () => {
  const { user, host } = await openSettings({
    'delivery.configure': (ask: ConfigureDelivery) => delivery({ url: ask.url, preset: ask.preset ?? 'yanhuang' }),
  });
  const save = await part<HTMLButtonElement>('settings-hei-save');
  expect(save.disabled).toBe(true);
  await user.click(await part('hei-preset-splunk_hec'));
  expect(parts('hei-profile'), 'a preset has nothing to fill in').toHaveLength(0);
  await user.click(save);
  await waitFor(() => expect(host.requests('delivery.configure')).toMatchObject([{ preset: 'splunk_hec' }]));
  expect(host.requests('delivery.configure')[0]).not.toHaveProperty('profile');
});

it('takes every field of a custom way, and holds back what is no value', async () => {
  const { user, host } = await openSettings({
    'delivery.configure': (ask: ConfigureDelivery) =>
      delivery({ url: ask.url, preset: 'custom', profile: ask.profile ?? {} }),
  });
  await user.click(await part('hei-preset-custom'));
  const save = await part<HTMLButtonElement>('settings-hei-save');
  expect(save.disabled, 'the choice alone is a change').toBe(false);
  await user.clear(await part('hei-success'));
  await user.type(await part('hei-success'), '200, never');
  expect(save.disabled).toBe(true);
  await user.clear(await part('hei-success'));
  await user.type(await part('hei-success'), '200, 202');
  await user.type(await part('hei-headers'), 'X-Site = north = 1');
  await user.selectOptions(await part('hei-framing'), 'ndjson');
  await user.clear(await part('hei-limits.events'));
  await user.type(await part('hei-limits.events'), '50');
  await user.click(await part('hei-retry.jitter'));
  await user.click(save);
  await waitFor(() => expect(host.requests('delivery.configure')).toHaveLength(1));
  const { profile } = host.requests('delivery.configure')[0] as ConfigureDelivery;
  const usual = shown(yanhuangProfile);
  expect(profile).toEqual({
    ...usual,
    success: [200, 202],
    headers: { 'X-Site': 'north = 1' },
    framing: 'ndjson',
    limits: { ...usual.limits, events: 50 },
    retry: { ...usual.retry, jitter: false },
  });
});

it('leaves every field of a profile as it is through the form and back', () => {
  const profile = { ...yanhuangProfile, headers: { a: '1', b: ' 2' }, ca_pem: 'A\nB\n', spread: true };
  expect(profileOf(textsOf(profile), profile)).toEqual(shown(profile));
  expect(wrong(textsOf(profile), profile).size).toBe(0);
  expect(wrong({ ...textsOf({}), timeout_ms: '1e9' }, {})).toEqual(new Set(['timeout_ms']));
});
