// The words of the interface, in the language of the moment. Messages are functions; because the language is a rune,
// whatever shows one is shown anew when the language changes.
import type { Language } from '../host/generated';
import { locales, overwriteGetLocale, type Locale } from './compiled/runtime.js';

export * as m from './compiled/messages.js';
export type { Locale };

let current = $state<Locale>('en');
overwriteGetLocale(() => current);

/** The language shown now. */
export const locale = (): Locale => current;

/** Which of our languages a setting means, given the languages the system prefers, best first. */
export function resolveLanguage(setting: Language, preferred: readonly string[]): Locale {
  if (setting !== 'system') return setting;
  for (const tag of preferred) {
    const match = locales.find((ours) => ours.split('-')[0] === tag.toLowerCase().split('-')[0]);
    if (match) return match;
  }
  return 'en';
}

/** Shows the interface in this language from now on. */
export function setLanguage(language: Locale): void {
  current = language;
  if (typeof document !== 'undefined') document.documentElement.lang = language;
}
