import { afterEach, beforeEach, vi } from 'vitest';

// Half past two in the afternoon in Shanghai. Only the date is faked; timers run as they do.
export const NOW = Date.parse('2025-11-24T06:30:00Z');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  window.matchMedia ??= (query: string) =>
    ({ matches: false, media: query, addEventListener() {}, removeEventListener() {} }) as unknown as MediaQueryList;
});

afterEach(() => {
  vi.useRealTimers();
  localStorage.clear();
  document.documentElement.removeAttribute('data-theme');
});
