// What the window of sessions knows: the sessions, which of them is shown, and the way of bytes in both directions.
import type { Change, Session, SessionAct, SessionPreferences, Settings, WireError } from '../../host/generated';
import { asWireError, type SessionsHost } from '../../host/host';
import { keep, kept } from '../../kept';
import { FilesState } from './files.svelte';
import { TunnelsState } from './tunnels.svelte';
import { m, resolveLanguage, setLanguage } from '../../words/words.svelte';

export const FONT_LEAST = 8;
export const FONT_MOST = 32;
/** So long after a key the other terminals let its echo pass. */
const MAKE_WAY_MS = 40;
const FONT_USUAL = 14;
const TILES_MOST = 4;

const numberKept = (name: string, usual: number): number => {
  const value = kept(name);
  return typeof value === 'number' && value >= FONT_LEAST && value <= FONT_MOST ? value : usual;
};

const textKept = (name: string): string => {
  const value = kept(name);
  return typeof value === 'string' ? value : '';
};

export class SessionsState {
  list = $state.raw<readonly Session[]>([]);
  active = $state<string | null>(null);
  error = $state.raw<WireError | null>(null);
  ready = $state(false);
  /** Counts changes of the look. */
  looks = $state(0);
  fontSize = $state(numberKept('terminal.font', FONT_USUAL));
  webgl = $state(kept('terminal.webgl') === true);
  /** The files are shown beside the terminal. */
  showsFiles = $state(kept('sessions.files') === true);

  /** How many minutes before the end of a lease one is warned. */
  warnMinutes = $state.raw<readonly number[]>([]);
  font = $state(textKept('terminal.family'));
  scheme = $state(textKept('terminal.scheme') || 'usual');
  preferences = $state.raw<SessionPreferences>({ record: false, idleMinutes: 0 });
  /** Those that are shown beside each other, as long as one of them is the active one. */
  tiles = $state.raw<readonly string[]>([]);
  /** What is typed into one of those goes to all of them. */
  broadcasts = $state(false);
  /** The tunnels are shown below. */
  showsTunnels = $state(kept('sessions.tunnels') === true);

  readonly host: SessionsHost;
  readonly tunnels: TunnelsState;
  readonly shown: Session | null = $derived(this.list.find(({ id }) => id === this.active) ?? null);
  /** Ids of those that are seen now. */
  readonly seen: readonly string[] = $derived(
    this.active === null ? [] : this.tiles.includes(this.active) ? this.tiles : [this.active],
  );
  #stop: (() => void) | null = null;
  /** When something was typed into a session last. */
  readonly #typed = new Map<string, number>();
  #typing = new Map<string, Promise<void>>();
  #anew = new Set<string>();
  #stalled = new Map<string, () => void>();
  #files = new Map<string, FilesState>();
  #settings: Settings | null = null;
  #darkSystem = window.matchMedia('(prefers-color-scheme: dark)');

  constructor(host: SessionsHost) {
    this.host = host;
    this.tunnels = new TunnelsState(host);
    this.#darkSystem.addEventListener('change', () => this.#showSettings());
  }

  async begin(): Promise<void> {
    this.#stop?.();
    try {
      const early: Change[] = [];
      let live = false;
      const { start, stop } = await this.host.watch((change) => {
        if (live) this.apply(change);
        else early.push(change);
      });
      this.#stop = stop;
      this.#settings = start.settings;
      this.#showSettings();
      this.list = start.sessions;
      this.preferences = start.preferences;
      live = true;
      for (const change of early) this.apply(change);
      if (this.shown === null) this.active = this.list.at(-1)?.id ?? null;
      this.ready = true;
    } catch (thrown) {
      this.#told(thrown);
    }
  }

  end(): void {
    this.#stop?.();
    this.#stop = null;
  }

  apply(change: Change): void {
    switch (change.kind) {
      case 'session': {
        const { session } = change;
        const known = this.list.some(({ id }) => id === session.id);
        this.list = known ? this.list.map((one) => (one.id === session.id ? session : one)) : [...this.list, session];
        // One that is made anew while another is looked at does not take its place.
        if (!known && (this.#anew.size === 0 || this.#anew.has(this.active ?? ''))) this.active = session.id;
        break;
      }
      case 'session_gone':
        this.#forget(change.session);
        break;
      case 'session_stalled':
        this.#stalled.get(change.session)?.();
        break;
      case 'session_copies':
        this.files(change.session).copied(change.copies);
        break;
      case 'session_edits':
        this.files(change.session).edited(change.edits);
        break;
      case 'session_preferences':
        this.preferences = change.preferences;
        break;
      case 'tunnels':
        this.tunnels.told(change.tunnels);
        break;
      case 'settings':
        this.#settings = change.settings;
        this.#showSettings();
        break;
      case 'reload':
        void this.begin();
        break;
    }
  }

  /** What reads the output of a session anew when the backend says that nobody does. */
  onStalled(session: string, act: () => void): () => void {
    this.#stalled.set(session, act);
    return () => this.#stalled.delete(session);
  }

  /** The files of a session's server, for the life of its tab. */
  files(session: string): FilesState {
    let files = this.#files.get(session);
    if (!files) this.#files.set(session, (files = new FilesState(this.host, session)));
    return files;
  }

  switchFiles(): void {
    this.showsFiles = !this.showsFiles;
    keep('sessions.files', this.showsFiles);
  }

  switchTunnels(): void {
    this.showsTunnels = !this.showsTunnels;
    keep('sessions.tunnels', this.showsTunnels);
  }

  /** Types in the order of the keys, whatever each takes; into all that are beside it, where that is wished. */
  type(session: string, bytes: Uint8Array): void {
    const all = this.broadcasts && this.seen.length > 1 && this.seen.includes(session) ? this.seen : [session];
    for (const one of all) this.#type(one, bytes);
  }

  /** For how many ms the output of this session makes way, because something was typed into another: its echo comes first. */
  makesWay(session: string): number {
    const now = performance.now();
    const left = (typed: number) => typed + MAKE_WAY_MS - now;
    if (left(this.#typed.get(session) ?? -Infinity) > 0) return 0;
    return Math.max(0, ...Array.from(this.#typed.values(), left));
  }

  #type(session: string, bytes: Uint8Array): void {
    this.#typed.set(session, performance.now());
    const before = this.#typing.get(session) ?? Promise.resolve();
    const typed = before
      .then(() => this.host.type(session, bytes))
      .catch(() => {
        // What becomes of the session is told by its state.
      });
    this.#typing.set(session, typed);
  }

  async act(request: SessionAct): Promise<Session | null> {
    try {
      const answer = await this.host.act(request);
      this.error = null;
      return answer;
    } catch (thrown) {
      this.#told(thrown);
      return null;
    }
  }

  /** Another session on the same server; the one that is over goes. */
  async again(session: Session): Promise<void> {
    const over = session.state.kind === 'ended' || session.state.kind === 'failed';
    const opened = await this.another(session);
    if (opened && over) await this.close(session.id);
    if (opened) this.active = opened.id;
  }

  /** Another session of the same kind on the same server. */
  another({ id, server, screen }: Session): Promise<Session | null> {
    return this.act(screen ? { act: 'screen', server, vnc: screen.vnc } : { act: 'open', server, like: id });
  }

  /** A screen is made anew, with a token of its own; the one before goes. */
  async anew(session: Session): Promise<void> {
    if (this.#anew.has(session.id)) return;
    this.#anew.add(session.id);
    const opened = await this.another(session);
    // Known from here on, whether or not it was told of before.
    if (opened) this.apply({ kind: 'session', session: opened });
    if (opened) await this.close(session.id);
    this.#anew.delete(session.id);
  }

  /** Saves a picture of a screen; the name of its file. */
  async picture(session: string, bytes: Uint8Array): Promise<string | null> {
    try {
      const file = await this.host.picture(session, bytes);
      this.error = null;
      return file;
    } catch (thrown) {
      this.#told(thrown);
      return null;
    }
  }

  /** Another session on the same server, beside those that are seen; at most four. */
  async split(session: Session): Promise<void> {
    const before = this.seen;
    if (before.length >= TILES_MOST) return;
    const opened = await this.act({ act: 'open', server: session.server, like: session.id });
    if (!opened) return;
    this.tiles = [...before, opened.id];
    this.active = opened.id;
  }

  /** All that are seen are shown alone again. */
  unsplit(): void {
    this.tiles = [];
    this.broadcasts = false;
  }

  /** Puts a session beside those that are seen. */
  beside(session: string): void {
    if (this.seen.includes(session) || this.seen.length >= TILES_MOST) return;
    this.tiles = [...this.seen, session];
    this.active = session;
  }

  async close(session: string): Promise<void> {
    await this.act({ act: 'close', session });
  }

  /** The tab so many places further, around the end. */
  turn(by: number): void {
    const at = this.list.findIndex(({ id }) => id === this.active);
    const count = this.list.length;
    if (count > 0) this.active = this.list[(at + by + count) % count]?.id ?? null;
  }

  resizeFont(by: number): void {
    this.fontSize = by === 0 ? FONT_USUAL : Math.min(FONT_MOST, Math.max(FONT_LEAST, this.fontSize + by));
    keep('terminal.font', this.fontSize);
  }

  setFont(family: string): void {
    this.font = family;
    keep('terminal.family', family);
  }

  setScheme(name: string): void {
    this.scheme = name;
    keep('terminal.scheme', name);
  }

  switchWebgl(): void {
    this.webgl = !this.webgl;
    keep('terminal.webgl', this.webgl);
  }

  #forget(session: string): void {
    const at = this.list.findIndex(({ id }) => id === session);
    this.list = this.list.filter(({ id }) => id !== session);
    this.#typing.delete(session);
    this.#typed.delete(session);
    const left = this.tiles.filter((id) => id !== session);
    if (left.length < 2) this.unsplit();
    else this.tiles = left;
    this.#files.get(session)?.end();
    this.#files.delete(session);
    if (this.active === session) this.active = left[0] ?? (this.list[at] ?? this.list[at - 1])?.id ?? null;
  }

  #told(thrown: unknown): void {
    this.error = asWireError(thrown, m.error_unexpected());
  }

  #showSettings(): void {
    const settings = this.#settings;
    if (!settings) return;
    this.warnMinutes = settings.warnMinutes;
    setLanguage(resolveLanguage(settings.language, navigator.languages));
    const dark = settings.theme === 'dark' || (settings.theme === 'system' && this.#darkSystem.matches);
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
    this.looks += 1;
  }
}
