// A backend of sessions without one, for component tests. Never part of the application.
import { settings, wireError } from './fake';
import type {
  Change,
  EntryView,
  FileDrag,
  FilesAct,
  FilesAnswer,
  LocalAct,
  RecordingsAct,
  RecordingsAnswer,
  Session,
  SessionAct,
  SessionState,
  TunnelAct,
  TunnelView,
  WireError,
} from './generated';
import type { SessionsHost } from './host';

export type FakeSessions = SessionsHost & {
  /** Everything that was asked, in order. */
  readonly acts: readonly SessionAct[];
  /** What was typed into each session, in order. */
  typed(session: string): string;
  /** From which offset each reading began, in order. */
  readonly readings: readonly (number | null)[];
  emit(change: Change): void;
  /** Sends output to whoever reads the session last. */
  send(session: string, offset: number, text: string): void;
  /** Answers `open` with this. */
  opens: Session | null;
  /** Everything that was asked about files, in order; folders that are read again as well. */
  readonly fileActs: readonly FilesAct[];
  readonly localActs: readonly LocalAct[];
  /** The server's folders, by their paths. */
  folders: Record<string, EntryView[]>;
  /** The next change of files is refused with this. */
  refuses: WireError | null;
  /** Everything that was asked about recordings, in order. */
  readonly recordingActs: readonly RecordingsAct[];
  /** Answers what is asked about them. */
  recordingAnswer: (request: RecordingsAct) => RecordingsAnswer;
  /** Everything that was asked about tunnels, in order. */
  readonly tunnelActs: readonly TunnelAct[];
  /** The tunnels that there are. */
  tunnelList: TunnelView[];
  /** Something is dragged over the window. */
  drag(what: FileDrag): void;
};

export const entry = (name: string, some: Partial<EntryView> = {}): EntryView => ({
  name,
  kind: 'file',
  size: 1536,
  modified: 1_763_971_200,
  mode: 0o644,
  usable: true,
  ...some,
});

export const session = (state: SessionState = { kind: 'open' }, some: Partial<Session> = {}): Session => ({
  id: 'session-1',
  server: '4f4b3dfa-eb70-47cf-a60a-998a53bd6666',
  serverName: 'ada-dev-1124-k3',
  address: '203.0.113.24',
  user: 'root',
  state,
  question: null,
  banner: '',
  screen: null,
  recorded: false,
  leaseEnd: null,
  readiness: null,
  idle: false,
  ...some,
});

export function fakeSessions(sessions: Session[] = [session()]): FakeSessions {
  const acts: SessionAct[] = [];
  const typed = new Map<string, string>();
  const readings: (number | null)[] = [];
  const readers = new Map<string, (frame: ArrayBuffer) => void>();
  const receivers = new Set<(change: Change) => void>();
  const fileActs: FilesAct[] = [];
  const localActs: LocalAct[] = [];
  const recordingActs: RecordingsAct[] = [];
  const tunnelActs: TunnelAct[] = [];
  const dropTo = new Set<(drag: FileDrag) => void>();
  const host: FakeSessions = {
    fileActs,
    localActs,
    folders: {
      '/root': [entry('src', { kind: 'folder', mode: 0o755 }), entry('.profile'), entry('notes.txt')],
      '/root/src': [entry('main.c', { mode: 0o600 })],
      '/': [entry('root', { kind: 'folder' })],
    },
    refuses: null,
    drag: (what) => {
      for (const receive of dropTo) receive(what);
    },
    async files(request): Promise<FilesAnswer> {
      fileActs.push(request);
      if (request.act === 'copies') return { kind: 'copies', copies: [] };
      if (request.act === 'edits') return { kind: 'edits', edits: [] };
      if (request.act === 'list') {
        const path = request.folder ?? '/root';
        const entries = host.folders[path];
        if (!entries) throw wireError({ code: 'file_missing', sentence: `“${path}” is not there.` });
        return { kind: 'folder', folder: { path, entries, cut: false } };
      }
      if (host.refuses) {
        const error = host.refuses;
        host.refuses = null;
        throw error;
      }
      return request.act === 'remove' ? { kind: 'removed', count: request.paths.length } : { kind: 'done' };
    },
    async local(request) {
      localActs.push(request);
      return true;
    },
    recordingActs,
    recordingAnswer: () => ({ kind: 'list', recordings: [] }),
    async recordings(request) {
      recordingActs.push(request);
      return host.recordingAnswer(request);
    },
    tunnelActs,
    tunnelList: [],
    async tunnels(request) {
      tunnelActs.push(request);
      return host.tunnelList;
    },
    async drops(receive) {
      dropTo.add(receive);
    },
    acts,
    readings,
    opens: null,
    typed: (id) => typed.get(id) ?? '',
    async act(request) {
      acts.push(request);
      if (request.act === 'close') host.emit({ kind: 'session_gone', session: request.session });
      return request.act === 'open' || request.act === 'screen' ? host.opens : null;
    },
    async type(id, bytes) {
      // The first takes longest: what comes later must not overtake it.
      await new Promise((done) => setTimeout(done, typed.has(id) ? 0 : 20));
      typed.set(id, (typed.get(id) ?? '') + new TextDecoder().decode(bytes));
    },
    async picture() {
      return 'screen.png';
    },
    async output(id, offset, receive) {
      readings.push(offset);
      readers.set(id, receive);
      return () => {
        if (readers.get(id) === receive) readers.delete(id);
      };
    },
    async watch(receive) {
      receivers.add(receive);
      return {
        start: { sessions, settings: settings(), preferences: { record: false, idleMinutes: 0 } },
        stop: () => receivers.delete(receive),
      };
    },
    emit: (change) => {
      for (const receive of receivers) receive(change);
    },
    send: (id, offset, text) => {
      const bytes = new TextEncoder().encode(text);
      const frame = new Uint8Array(8 + bytes.length);
      new DataView(frame.buffer).setBigUint64(0, BigInt(offset));
      frame.set(bytes, 8);
      readers.get(id)?.(frame.buffer);
    },
  };
  return host;
}
