// The call of an act: before it is asked for, and after.
import { waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { operation, rehearsed, server, serverList, wireError } from '../src/host/fake';
import { open, part, parts, text } from './open';

async function stopping(answers: Parameters<typeof open>[0] = {}) {
  const opened = await open({ 'servers.list': () => serverList([server({ state: 'running' })]), ...answers });
  await opened.user.click(await part('server-row'));
  await opened.user.click(await part('server-stop'));
  return opened;
}

it('shows what an act would send, as request and in the words of other tools, and sends nothing', async () => {
  const { user, host } = await stopping();
  await user.click(await part('dialog-call'));
  expect(text(await part('call-text'))).toContain('POST https://ecs.example.com/v1/p/cloudservers/action');
  expect(host.requests('operations.rehearse')).toEqual([
    { call: 'servers.power', request: { servers: [server().id], act: 'stop', hard: false } },
  ]);
  const request = await part('call-tab-http');
  request.focus();
  await user.keyboard('{ArrowRight}');
  expect(text(await part('call-text'))).toBe('wangcheng server stop build-01');
  await user.keyboard('{ArrowRight}');
  expect(text(await part('call-text'))).toContain('hcloud ECS BatchStopServers');
  await user.keyboard('{ArrowRight}');
  expect(parts('call-text')).toHaveLength(0);
  expect(text(await part('call-shown'))).toContain('cannot be put that way');
  expect(host.requests('servers.power')).toHaveLength(0);
});

it('follows what is chosen in the dialog', async () => {
  const { user, host } = await stopping();
  await user.click(await part('dialog-call'));
  await part('call-text');
  await user.click(await part('power-hard'));
  await waitFor(() =>
    expect(host.requests('operations.rehearse').at(-1)).toMatchObject({ request: { act: 'stop', hard: true } }),
  );
});

it('is put together once for a question, and not again because of its answer', async () => {
  const { user, host } = await stopping();
  await user.click(await part('dialog-call'));
  await part('call-text');
  await new Promise((later) => setTimeout(later, 900));
  expect(host.requests('operations.rehearse')).toHaveLength(1);
});

it('says why a call cannot be put together', async () => {
  const { user } = await stopping({
    'operations.rehearse': () => {
      throw wireError({ code: 'server_busy', sentence: 'Something is under way on it.' });
    },
  });
  await user.click(await part('dialog-call'));
  expect(text(await part('error-box'))).toContain('Something is under way on it.');
});

it('shows what an operation sent, and what follows from its answer', async () => {
  const follows = rehearsed().requests;
  const { user, host } = await open({
    'operations.list': () => [operation()],
    'operations.shown': () => rehearsed({ follows }),
  });
  await user.click(await part('nav-operations'));
  await user.click(await part('operation-row'));
  await user.click(await part('operation-call'));
  await waitFor(() => expect(parts('call-text')).toHaveLength(2));
  expect(host.requests('operations.shown')).toEqual([{ operation: operation().id }]);
});
