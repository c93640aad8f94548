// A terminal that shows nothing, for tests of what is around it.
import type { MakeScreen, ScreenTo } from '../src/screens/sessions/screen';

globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};

/** `made` gets what each one reports to; `selected` is what is chosen in it. */
export const fakeScreen =
  (made: (to: ScreenTo) => void, selected = ''): MakeScreen =>
  (_into, target) => {
    made(target);
    return {
      write: (_bytes, done) => done?.(),
      paste: () => {},
      selected: () => selected,
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
    };
  };
