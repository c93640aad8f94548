import { configure } from '@testing-library/svelte';
import { afterEach, beforeEach, vi } from 'vitest';

// Half past two in the afternoon in Shanghai. Only the date is faked; timers run as they do.
export const NOW = Date.parse('2025-11-24T06:30:00Z');

// A screen is read when it is gone to, and vitest makes its code only then.
configure({ asyncUtilTimeout: 10_000 });

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
