// The screen's picture. The one place that knows noVNC, so that tests put another in its place. It is loaded when a screen is
// first shown: it looks for a decoder of video before it does anything.
import { Channel } from './channel';
import { chords, keysOf, lettersOf, type Key } from './keys';

/** So long between two letters of a text: a guest that boots reads its keyboard slowly. */
const LETTER_MS = 12;

export type ViewTo = {
  typed: (bytes: Uint8Array) => void;
  /** The picture is there. */
  connected: () => void;
  /** noVNC cannot go on. */
  broken: () => void;
  /** The server has text for the clipboard. */
  copied: (text: string) => void;
};

export type View = {
  take: (bytes: Uint8Array) => void;
  scale: (fit: boolean) => void;
  viewOnly: (on: boolean) => void;
  chord: (word: string) => void;
  type: (text: string) => Promise<void>;
  picture: () => Promise<Blob | null>;
  focus: () => void;
  end: () => void;
};

export type MakeView = (into: HTMLElement, to: ViewTo) => Promise<View>;

export const novncView: MakeView = async (into, to) => {
  const { default: RFB } = await import('@novnc/novnc');
  const channel = new Channel(to.typed);
  const rfb = new RFB(into, channel, { shared: true });
  let live = true;
  rfb.background = 'transparent';
  rfb.scaleViewport = true;
  rfb.showDotCursor = true;
  rfb.addEventListener('connect', () => to.connected());
  rfb.addEventListener('disconnect', () => {
    if (live) to.broken();
  });
  rfb.addEventListener('clipboard', (event) => {
    const detail = (event as CustomEvent<{ text?: unknown }>).detail;
    if (typeof detail.text === 'string') to.copied(detail.text);
  });
  const press = (keys: readonly Key[]) => {
    for (const { symbol, code } of keys) rfb.sendKey(symbol, code, true);
    for (const { symbol, code } of [...keys].reverse()) rfb.sendKey(symbol, code, false);
  };
  return {
    take: (bytes) => channel.take(bytes),
    scale: (fit) => {
      rfb.scaleViewport = fit;
    },
    viewOnly: (on) => {
      rfb.viewOnly = on;
    },
    chord: (word) => {
      const found = chords.find((chord) => chord.word === word);
      if (found) press(found.keys);
    },
    type: async (text) => {
      for (const letter of lettersOf(text)) {
        if (!live) return;
        press(keysOf(letter));
        await new Promise((done) => setTimeout(done, LETTER_MS));
      }
    },
    picture: () => new Promise((done) => rfb.toBlob(done, 'image/png')),
    focus: () => rfb.focus({ preventScroll: true }),
    end: () => {
      live = false;
      rfb.disconnect();
    },
  };
};
