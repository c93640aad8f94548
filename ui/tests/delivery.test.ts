import { waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { delivery, event, operation, wireError } from '../src/host/fake';
import type { ListEvents } from '../src/host/generated';
import { open, part, parts, text } from './open';

it.each([
  [
    'off',
    delivery({ state: 'off', url: null, waiting: 2, deliveredAt: null }),
    ['Delivery is off', 'stay in the ledger', 'never'],
  ],
  ['idle', delivery(), ['All delivered', '14:01 today']],
  ['sending', delivery({ state: 'sending', waiting: 4 }), ['Delivering…', '4']],
  [
    'waiting_to_retry',
    delivery({
      state: 'waiting_to_retry',
      waiting: 3,
      attempts: 2,
      nextTryAt: '2025-11-24T06:35:20Z',
      problem: wireError({ code: 'delivery_unreachable', sentence: 'Nobody answers.' }),
    }),
    ['cannot be reached', 'Nothing is lost', 'in 5 min, at 14:35:20 (attempt 3)', 'Nobody answers.'],
  ],
  [
    'parked',
    delivery({ state: 'parked', waiting: 3, problem: wireError({ sentence: 'The token is not known there.' }) }),
    ['Delivery is stopped', 'Nothing is lost', 'The token is not known there.'],
  ],
])('tells how delivery stands: %s', async (state, now, said) => {
  const { user } = await open({ 'delivery.status': () => now });
  await user.click(await part('nav-events'));
  const strip = await part('delivery-status');
  expect(strip.dataset['state']).toBe(state);
  expect(strip.dataset['waiting']).toBe(String(now.waiting));
  for (const words of said) expect(text(strip.parentElement ?? strip)).toContain(words);
});

it('follows the ledger: new events appear, waiting ones turn delivered, older ones load on demand', async () => {
  let ledger = Array.from({ length: 60 }, (_, n) => event({ seq: 60 - n, delivered: n > 0 }));
  const { user, host } = await open({
    'events.list': ({ before, limit }: ListEvents) => {
      const older = ledger.filter(({ seq }) => before === null || seq < before);
      return { events: older.slice(0, limit), lastSeq: ledger[0]?.seq ?? 0, more: older.length > limit };
    },
  });
  await user.click(await part('nav-events'));
  await waitFor(() => expect(parts('event-row')).toHaveLength(50));
  expect(parts('event-row')[0]?.dataset['delivered']).toBe('false');

  ledger = [event({ seq: 61, action: 'server.deleted', delivered: false }), ...ledger];
  ledger = ledger.map((one) => ({ ...one, delivered: true }));
  host.emit({ kind: 'events', lastSeq: 61 });
  host.emit({ kind: 'delivery', delivery: delivery() });
  await waitFor(() => expect(parts('event-row')[0]?.dataset['action']).toBe('server.deleted'));
  expect(parts('event-row').map((row) => row.dataset['delivered'])).not.toContain('false');

  await user.click(await part('events-older'));
  await waitFor(() => expect(parts('event-row')).toHaveLength(61));
  expect(parts('events-older'), 'the first event is reached').toHaveLength(0);
  const seqs = parts('event-row').map((row) => Number(row.dataset['seq']));
  expect(seqs).toEqual([...seqs].sort((a, b) => b - a));
});

it('opens an event as it goes to the data platform', async () => {
  const { user } = await open({
    'events.list': () => ({
      events: [event({ json: '{"action":"server.created","seq":1}' })],
      lastSeq: 1,
      more: false,
    }),
  });
  await user.click(await part('nav-events'));
  await user.click(await part('event-row'));
  expect((await part('event-json')).textContent).toBe('{\n  "action": "server.created",\n  "seq": 1\n}');
});

it('hands the token in once and never shows it', async () => {
  const saved = delivery({ url: 'https://hei.example.com/', tokenStored: true });
  const { user, host } = await open({
    'delivery.status': () => delivery({ url: null, state: 'off', tokenStored: false }),
    'delivery.configure': () => saved,
    'delivery.test': () => ({ ok: true, status: 200, request: 'POST /', answer: '{"code":0}', problem: null }),
  });
  await user.click(await part('nav-settings'));
  await user.type(await part('settings-hei-url'), 'https://hei.example.com/');
  await user.type(await part('settings-hei-token'), 'a token');
  expect((await part<HTMLButtonElement>('settings-hei-test')).disabled, 'nothing is saved yet').toBe(true);
  await user.click(await part('settings-hei-save'));
  await waitFor(async () => expect(text(await part('settings-hei-saved'))).toBe('Saved'));
  expect((await part<HTMLInputElement>('settings-hei-token')).value).toBe('');
  expect((await part<HTMLInputElement>('settings-hei-token')).placeholder).toContain('Stored in the system keychain');
  await user.click(await part('settings-hei-test'));
  expect((await part('settings-hei-test-result')).dataset['ok']).toBe('true');
  expect(host.requests('delivery.configure')).toEqual([
    {
      url: 'https://hei.example.com/',
      token: 'a token',
      eventSet: 'wangcheng',
      datatype: 'json',
      allowPlainHttp: false,
      preset: 'yanhuang',
    },
  ]);
});

it.each([
  ['https://hei.example.com', false, true],
  ['http://127.0.0.1:8088', false, true],
  ['http://hei.example.com', true, false],
  ['hei.example.com', false, false],
  ['ftp://hei.example.com', false, false],
])('asks before events go over plain HTTP: %s', async (url, asks, saves) => {
  const { user } = await open({ 'delivery.status': () => delivery({ url: null, state: 'off' }) });
  await user.click(await part('nav-settings'));
  await user.type(await part('settings-hei-url'), url);
  expect(parts('settings-hei-plain')).toHaveLength(asks ? 1 : 0);
  expect((await part<HTMLButtonElement>('settings-hei-save')).disabled).toBe(!saves);
  if (!asks) return;
  await user.click(await part('settings-hei-plain'));
  expect((await part<HTMLButtonElement>('settings-hei-save')).disabled).toBe(false);
});

it('marks how operations ended, and opens the one that failed from its notice', async () => {
  const { user, host } = await open();
  const failed = operation({
    stage: 'settled',
    outcome: 'failed',
    error: wireError({ code: 'capacity', sentence: 'Sold out in this zone.', requestId: 'abc' }),
    settledAt: '2025-11-24T06:00:42Z',
  });
  host.emit({ kind: 'operation', operation: operation() });
  host.emit({ kind: 'operation', operation: failed });
  await user.click((await part('toast')).querySelector('.link') as HTMLElement);
  const row = await part('operation-row');
  expect([row.dataset['kind'], row.dataset['state']]).toEqual(['server.create', 'failed']);
  expect(text(row)).toContain('42 s');
  expect(text(await part('error-box'))).toContain('Sold out in this zone.');
});

it('cancels what waits to be sent, and says so', async () => {
  const waiting = operation({ cancellable: true });
  const { user, host } = await open({
    'operations.list': () => [waiting],
    'operations.cancel': () => operation({ cancelling: true }),
  });
  host.emit({ kind: 'operation', operation: waiting });
  await user.click(await part('nav-operations'));
  await user.click(await part('operation-row'));
  await user.click(await part('operation-cancel'));
  expect(host.requests('operations.cancel')).toEqual([{ operation: waiting.id }]);
  host.emit({ kind: 'operation', operation: operation({ cancelling: true }) });
  await waitFor(() => expect(parts('operation-cancel')).toHaveLength(0));
  expect((await part('operation-row')).dataset['state']).toBe('cancelling');
  host.emit({ kind: 'operation', operation: operation({ stage: 'settled', outcome: 'cancelled' }) });
  expect(text(await part('toast'))).toContain('cancelled before it was sent');
});

it('says when it is too late to cancel', async () => {
  const { user } = await open({
    'operations.list': () => [operation({ cancellable: true })],
    'operations.cancel': () => {
      throw wireError({ code: 'cancel_too_late', sentence: 'The cloud has it.' });
    },
  });
  await user.click(await part('nav-operations'));
  await user.click(await part('operation-row'));
  await user.click(await part('operation-cancel'));
  expect(text(await part('error-box'))).toContain('The cloud has it.');
});

it('starts afresh when the backend opened another ledger', async () => {
  const { host } = await open({ 'operations.list': () => [operation()] });
  expect(parts('server-row')).toHaveLength(1);
  host.answer('operations.list', () => []);
  host.emit({ kind: 'reload' });
  await waitFor(() => expect(parts('server-row')).toHaveLength(0));
});

it('shows what was told while an answer was on its way, which is newer than the answer', async () => {
  const waiting = delivery({ state: 'waiting_to_retry', waiting: 1, attempts: 1 });
  const { user, host } = await open({
    'delivery.status': () => waiting,
    'delivery.send_now': () => {
      host.emit({ kind: 'delivery', delivery: delivery({ state: 'parked', waiting: 1 }) });
      return delivery({ state: 'idle', waiting: 1 });
    },
  });
  await user.click(await part('nav-events'));
  await user.click(await part('delivery-send-now'));
  await waitFor(async () => expect((await part('delivery-status')).dataset['state']).toBe('parked'));
  await new Promise((later) => setTimeout(later, 50));
  expect((await part('delivery-status')).dataset['state']).toBe('parked');
});
