// The one seam to the backend: nothing else in the interface imports @tauri-apps.
import { Channel, invoke } from '@tauri-apps/api/core';
import { calls, type Change, type WireError } from './generated';

/** Everything the interface can ask of the backend, and the stream of what changed there. */
export type Host = ReturnType<typeof calls> & {
  /**
   * Subscribes to changes. Resolves once the backend has taken the subscription, so that a list loaded afterwards
   * misses nothing. The answer ends the subscription.
   */
  watch(receive: (change: Change) => void): Promise<() => void>;
};

/** The host inside the application's own window. */
export const tauriHost = (): Host => ({
  ...calls((name, request) => invoke('call', { name, request })),
  async watch(receive) {
    let live = true;
    const channel = new Channel<Change>((change) => {
      if (live) receive(change);
    });
    await invoke('watch', { channel });
    return () => {
      live = false;
    };
  },
});

/** Narrows whatever was thrown to the backend's error; anything else (a lost IPC, a bug here) gets the code `window`. */
export function asWireError(thrown: unknown, unexpected: string): WireError {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'sentence' in thrown) {
    return thrown as WireError;
  }
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'window', sentence: unexpected, nextStep: null, detail, providerCode: null, requestId: null };
}
