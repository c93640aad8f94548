// Opens the whole application over a fake host, as a user meets it.
import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import App from '../src/App.svelte';
import { fakeHost, type FakeHost } from '../src/host/fake';
import type { AppState } from '../src/state.svelte';

export type Opened = { host: FakeHost; app: AppState; user: ReturnType<typeof userEvent.setup> };

export async function open(answers: Parameters<typeof fakeHost>[0] = {}): Promise<Opened> {
  const host = fakeHost(answers);
  const app = await new Promise<AppState>((began) => render(App, { host, began }));
  return { host, app, user: userEvent.setup() };
}

export const part = <T extends HTMLElement = HTMLElement>(testid: string): Promise<T> => screen.findByTestId<T>(testid);
export const parts = (testid: string): HTMLElement[] => screen.queryAllByTestId(testid);
export const text = (element: Element): string => element.textContent?.replace(/\s+/g, ' ').trim() ?? '';
