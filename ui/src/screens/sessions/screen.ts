// The terminal's screen. The one place that knows xterm.js, so that tests put another in its place.
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal, type ITheme } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

const SCROLLBACK = 20_000;

export type Letters = { columns: number; rows: number };

export type ScreenTo = {
  typed: (bytes: Uint8Array) => void;
  resized: (letters: Letters) => void;
  /** A key that is the window's own: not for the server. */
  isOurs: (event: KeyboardEvent) => boolean;
  link: (address: string) => void;
  /** The shell says in which folder it is (OSC 7). */
  folder: (address: string) => void;
};

export type Screen = {
  write: (bytes: Uint8Array | string, done?: () => void) => void;
  paste: (text: string) => void;
  selected: () => string;
  /** Whether it was found. */
  find: (text: string, back: boolean) => boolean;
  fontSize: (pixels: number) => void;
  webgl: (on: boolean) => void;
  look: () => void;
  fit: () => Letters | null;
  /** The family of its letters; empty: the usual one. */
  font: (family: string) => void;
  /** Its colours, out of `SCHEMES`. */
  scheme: (name: string) => void;
  /** So many letters, whatever room there is: for a recording. */
  resize: (columns: number, rows: number) => void;
  reset: () => void;
  selectAll: () => void;
  focus: () => void;
  end: () => void;
};

export type MakeScreen = (into: HTMLElement, to: ScreenTo) => Screen;

/** The sixteen colours of a terminal, readable on either ground. */
const light = {
  black: '#24292f', red: '#b3261e', green: '#17713a', yellow: '#8a5300', blue: '#2156cf', magenta: '#8a3ffc',
  cyan: '#0b6e78', white: '#5e6673', brightBlack: '#464d59', brightRed: '#d6362c', brightGreen: '#1a7f41',
  brightYellow: '#95600a', brightBlue: '#3564dd', brightMagenta: '#9a4dff', brightCyan: '#0f7c87', brightWhite: '#191c22',
}; // prettier-ignore
const dark = {
  black: '#2a2f38', red: '#ff9a91', green: '#6fd596', yellow: '#f0bc63', blue: '#93b2ff', magenta: '#d0a8ff',
  cyan: '#7fd6e0', white: '#b9c0cb', brightBlack: '#969fad', brightRed: '#ffb4ad', brightGreen: '#93e6b2',
  brightYellow: '#ffd58c', brightBlue: '#b4caff', brightMagenta: '#e2c8ff', brightCyan: '#a4e8f0', brightWhite: '#ffffff',
}; // prettier-ignore

/** Families that are offered; one that a system lacks is the usual one there. */
export const FONTS: readonly string[] = [
  'Cascadia Mono', 'Consolas', 'DejaVu Sans Mono', 'Fira Code', 'JetBrains Mono', 'Liberation Mono', 'Menlo',
  'Noto Sans Mono CJK SC', 'Sarasa Mono SC', 'SF Mono', 'Ubuntu Mono',
]; // prettier-ignore
/** Colours that are offered: those of the window, or always the same. */
export const SCHEMES = ['usual', 'light', 'dark', 'green'] as const;
const grounds: Record<string, ITheme> = {
  light: { ...light, background: '#ffffff', foreground: '#191c22', cursor: '#2156cf', selectionBackground: '#cfe0ff' },
  dark: { ...dark, background: '#15181d', foreground: '#e6e9ef', cursor: '#93b2ff', selectionBackground: '#2c4373' },
  green: { ...dark, background: '#04140a', foreground: '#7df0a0', cursor: '#b7ffca', selectionBackground: '#145a2c' },
};

function theme(scheme: string): ITheme {
  const fixed = grounds[scheme];
  if (fixed) return fixed;
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ...(document.documentElement.dataset['theme'] === 'dark' ? dark : light),
    background: token('surface'),
    foreground: token('text'),
    cursor: token('accent'),
    cursorAccent: token('surface'),
    selectionBackground: token('selected'),
  };
}

export const xtermScreen: MakeScreen = (into, to) => {
  const usual = getComputedStyle(document.documentElement).getPropertyValue('--font-mono');
  let scheme = 'usual';
  const terminal = new Terminal({
    allowProposedApi: true,
    scrollback: SCROLLBACK,
    fontFamily: usual,
    theme: theme(scheme),
    // What a program colours badly is still read.
    minimumContrastRatio: 4.5,
    macOptionIsMeta: true,
    rightClickSelectsWord: false,
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.loadAddon(new Unicode11Addon());
  terminal.loadAddon(new WebLinksAddon((_event, address) => to.link(address)));
  terminal.parser.registerOscHandler(7, (address) => {
    to.folder(address);
    return true;
  });
  terminal.unicode.activeVersion = '11';
  terminal.open(into);
  const encoder = new TextEncoder();
  terminal.onData((text) => to.typed(encoder.encode(text)));
  terminal.onBinary((text) => to.typed(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
  terminal.onResize(({ cols, rows }) => to.resized({ columns: cols, rows }));
  terminal.attachCustomKeyEventHandler((event) => !to.isOurs(event));
  let gl: WebglAddon | null = null;
  return {
    write: (bytes, done) => terminal.write(bytes, done),
    paste: (text) => terminal.paste(text),
    selected: () => terminal.getSelection(),
    find: (text, back) => (back ? search.findPrevious(text) : search.findNext(text)),
    fontSize: (pixels) => {
      terminal.options.fontSize = pixels;
      fit.fit();
    },
    webgl: (on) => {
      if (!on) {
        gl?.dispose();
        gl = null;
      } else if (gl === null) {
        try {
          const addon = new WebglAddon();
          // A graphics card that goes away takes only the speed with it.
          addon.onContextLoss(() => {
            addon.dispose();
            if (gl === addon) gl = null;
          });
          terminal.loadAddon(addon);
          gl = addon;
        } catch {
          // Without WebGL it is drawn as before.
          gl = null;
        }
      }
    },
    look: () => {
      terminal.options.theme = theme(scheme);
    },
    font: (family) => {
      terminal.options.fontFamily = family === '' ? usual : `"${family}", ${usual}`;
      fit.fit();
    },
    scheme: (name) => {
      scheme = name;
      terminal.options.theme = theme(scheme);
      into.style.background = terminal.options.theme.background ?? '';
    },
    resize: (columns, rows) => terminal.resize(Math.max(1, columns), Math.max(1, rows)),
    reset: () => terminal.reset(),
    selectAll: () => terminal.selectAll(),
    fit: () => {
      fit.fit();
      return { columns: terminal.cols, rows: terminal.rows };
    },
    focus: () => terminal.focus(),
    end: () => terminal.dispose(),
  };
};
