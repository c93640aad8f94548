// A terminal that shows nothing, for tests of what is around it.
import type { MakeScreen, Screen, ScreenTo } from '../src/screens/sessions/screen';

globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};

/** `made` gets what each one reports to; `own` is what it does otherwise. */
export const fakeScreen =
  (made: (to: ScreenTo) => void, own: Partial<Screen> = {}): MakeScreen =>
  (_into, target) => {
    made(target);
    return {
      write: (_bytes, done) => done?.(),
      paste: () => {},
      selected: () => '',
      find: () => false,
      fontSize: () => {},
      webgl: () => {},
      look: () => {},
      font: () => {},
      scheme: () => {},
      resize: () => {},
      reset: () => {},
      selectAll: () => {},
      fit: () => ({ columns: 80, rows: 24 }),
      focus: () => {},
      end: () => {},
      ...own,
    };
  };
