// Keys by their X11 names and by their places on a keyboard of the United States, which is what a text screen knows.

export type Key = { readonly symbol: number; readonly code: string };

const SHIFT: Key = { symbol: 0xffe1, code: 'ShiftLeft' };
const CONTROL: Key = { symbol: 0xffe3, code: 'ControlLeft' };
const ALT: Key = { symbol: 0xffe9, code: 'AltLeft' };
const SUPER: Key = { symbol: 0xffeb, code: 'MetaLeft' };
const DELETE: Key = { symbol: 0xffff, code: 'Delete' };
const TAB: Key = { symbol: 0xff09, code: 'Tab' };
const ESCAPE: Key = { symbol: 0xff1b, code: 'Escape' };
const ENTER: Key = { symbol: 0xff0d, code: 'Enter' };
const f = (number: number): Key => ({ symbol: 0xffbd + number, code: `F${number}` });

/** What a keyboard in front of this window cannot send, because the system here takes it. */
export const chords: readonly { readonly word: string; readonly keys: readonly Key[] }[] = [
  { word: 'Ctrl+Alt+Del', keys: [CONTROL, ALT, DELETE] },
  { word: 'Ctrl+Alt+F1', keys: [CONTROL, ALT, f(1)] },
  { word: 'Ctrl+Alt+F2', keys: [CONTROL, ALT, f(2)] },
  { word: 'Ctrl+Alt+F7', keys: [CONTROL, ALT, f(7)] },
  { word: 'Alt+Tab', keys: [ALT, TAB] },
  { word: 'Alt+F4', keys: [ALT, f(4)] },
  { word: 'Ctrl+Esc', keys: [CONTROL, ESCAPE] },
  { word: 'Super', keys: [SUPER] },
  { word: 'Print Screen', keys: [{ symbol: 0xff61, code: 'PrintScreen' }] },
  { word: 'Alt+SysRq', keys: [ALT, { symbol: 0xff15, code: 'PrintScreen' }] },
];

const PLAIN = "`1234567890-=[]\\;',./ ";
const SHIFTED = '~!@#$%^&*()_+{}|:"<>?';
const CODES = [
  'Backquote', 'Digit1', 'Digit2', 'Digit3', 'Digit4', 'Digit5', 'Digit6', 'Digit7', 'Digit8', 'Digit9', 'Digit0', 'Minus',
  'Equal', 'BracketLeft', 'BracketRight', 'Backslash', 'Semicolon', 'Quote', 'Comma', 'Period', 'Slash', 'Space',
]; // prettier-ignore

/** The keys for a letter: down in this order, up in the other; none for what cannot be typed. */
export function keysOf(letter: string): readonly Key[] {
  if (letter === '\n') return [ENTER];
  if (letter === '\t') return [TAB];
  const point = letter.codePointAt(0) ?? 0;
  if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return [];
  const symbol = point <= 0xff ? point : 0x1000000 + point;
  if (/^[a-z]$/i.test(letter)) {
    const key = { symbol, code: `Key${letter.toUpperCase()}` };
    return letter === letter.toUpperCase() ? [SHIFT, key] : [key];
  }
  const plain = PLAIN.indexOf(letter);
  const shifted = SHIFTED.indexOf(letter);
  const code = CODES[plain >= 0 ? plain : shifted];
  // Letters of no such keyboard go by their name alone.
  if (code === undefined) return [{ symbol, code: '' }];
  return plain >= 0 ? [{ symbol, code }] : [SHIFT, { symbol, code }];
}

/** The letters of a text, with one sign for the end of a line. */
export const lettersOf = (text: string): string[] => [...text.replace(/\r\n?/g, '\n')];

/** Letters that a keyboard of the United States does not have: whether they arrive depends on the server. */
export const strange = (text: string): boolean => lettersOf(text).some((letter) => (letter.codePointAt(0) ?? 0) > 0x7e);
