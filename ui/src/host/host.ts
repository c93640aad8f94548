// The one seam to the backend: nothing else in the interface imports @tauri-apps.
import { Channel, invoke } from '@tauri-apps/api/core';
import {
  type Beginning,
  calls,
  type Change,
  type FileDrag,
  type FilesAct,
  type FilesAnswer,
  type LocalAct,
  type RecordingsAct,
  type RecordingsAnswer,
  type Session,
  type SessionAct,
  type SessionsStart,
  type TunnelAct,
  type TunnelView,
  type WireError,
} from './generated';

/** Everything the interface can ask of the backend, and the stream of what changed there. */
export type Host = ReturnType<typeof calls> & {
  /**
   * Subscribes to changes. The answer ends the subscription, and has what a window begins with, as it is once the backend has taken
   * the subscription: nothing is missed in between.
   */
  watch(receive: (change: Change) => void): Promise<{ beginning: Beginning; stop: () => void }>;
};

/** The host inside the application's own window. */
export const tauriHost = (): Host => ({
  ...calls((name, request) => invoke('call', { name, request })),
  async watch(receive) {
    let live = true;
    const channel = new Channel<Change>((change) => {
      if (live) receive(change);
    });
    const stop = () => {
      live = false;
    };
    try {
      return { beginning: await invoke<Beginning>('watch', { channel }), stop };
    } catch (thrown) {
      stop();
      throw thrown;
    }
  },
});

/** What the window of sessions can ask of the backend. Nothing of the cloud and of accounts is among it. */
export type SessionsHost = {
  /** Answers the session that was opened, if one was. */
  act(request: SessionAct): Promise<Session | null>;
  type(session: string, bytes: Uint8Array): Promise<void>;
  /** Saves a picture (PNG) of a screen where downloads go; the name of its file. */
  picture(session: string, bytes: Uint8Array): Promise<string>;
  /** Its output from an offset on, in frames: eight bytes of offset, then bytes. The answer ends it. */
  output(session: string, offset: number | null, receive: (frame: ArrayBuffer) => void): Promise<() => void>;
  watch(receive: (change: Change) => void): Promise<{ start: SessionsStart; stop: () => void }>;
  /** The server's files. */
  files(request: FilesAct): Promise<FilesAnswer>;
  /** What needs files of this computer, which a person chooses: whether any were. */
  local(request: LocalAct): Promise<boolean>;
  /** Does what is asked about recordings. */
  recordings(request: RecordingsAct): Promise<RecordingsAnswer>;
  /** Does what is asked about tunnels; answers all of them. */
  tunnels(request: TunnelAct): Promise<TunnelView[]>;
  /** What is dragged over the window. */
  drops(receive: (drag: FileDrag) => void): Promise<void>;
};

/** The host inside the window of sessions. */
export const tauriSessions = (): SessionsHost => ({
  act: (request) => invoke('session', { request }),
  files: (request) => invoke('session_files', { request }),
  local: (request) => invoke('session_local', { request }),
  recordings: (request) => invoke('session_recordings', { request }),
  tunnels: (request) => invoke('session_tunnels', { request }),
  drops: (receive) => invoke('session_drops', { channel: new Channel<FileDrag>(receive) }),
  type: (session, bytes) => invoke('session_type', bytes, { headers: { session } }),
  picture: (session, bytes) => invoke('session_picture', bytes, { headers: { session } }),
  async output(session, offset, receive) {
    let live = true;
    const channel = new Channel<ArrayBuffer | number[]>((frame) => {
      if (live) receive(frame instanceof ArrayBuffer ? frame : new Uint8Array(frame).buffer);
    });
    await invoke('session_output', { session, offset, channel });
    return () => {
      live = false;
    };
  },
  async watch(receive) {
    let live = true;
    const channel = new Channel<Change>((change) => {
      if (live) receive(change);
    });
    const start = await invoke<SessionsStart>('session_watch', { channel });
    return {
      start,
      stop: () => {
        live = false;
      },
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
