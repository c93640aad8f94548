// Shortcuts as text (`Mod+Shift+E`), the same on every system: `Mod` is ⌘ on a Mac and Ctrl elsewhere.

export const onMac = (): boolean => /mac/i.test(navigator.platform);

const SIGNS: Record<string, string> = {
  Mod: '⌘',
  Shift: '⇧',
  Alt: '⌥',
  Enter: '↩',
  Backspace: '⌫',
  ArrowUp: '↑',
  ArrowDown: '↓',
};
const NAMES: Record<string, string> = { Mod: 'Ctrl', ArrowUp: '↑', ArrowDown: '↓' };

const parts = (keys: string): string[] => keys.split('+').map((part) => (part === '' ? '+' : part));

/** The keys of a shortcut as they are printed on this computer's keyboard. */
export function keyNames(keys: string): string[] {
  const names = onMac() ? SIGNS : NAMES;
  return parts(keys).map((part) => names[part] ?? part);
}

/** The same for `aria-keyshortcuts`. */
export const ariaKeys = (keys: string): string => keys.replace('Mod', onMac() ? 'Meta' : 'Control');

/** Whether this key press is that shortcut. A sign that needs Shift on some keyboards, such as `?`, is taken as it is. */
export function pressed(event: KeyboardEvent, keys: string): boolean {
  const wanted = parts(keys);
  const key = wanted.at(-1) ?? '';
  const mod = onMac() ? event.metaKey : event.ctrlKey;
  const other = onMac() ? event.ctrlKey : event.metaKey;
  if (other || mod !== wanted.includes('Mod') || event.altKey !== wanted.includes('Alt')) return false;
  if (/^[a-z0-9]$/i.test(key) || key.length > 1) {
    if (event.shiftKey !== wanted.includes('Shift')) return false;
    return event.key.toLowerCase() === key.toLowerCase();
  }
  return event.key === key;
}

/** Whether what is typed there is text. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('input:not([type=checkbox], [type=radio]), textarea, select'));
