// What the panel of files knows of one session: a folder of the server, what is chosen in it, and the copies under way.
import type { CopySteer, CopyView, EditView, EntryView, FilesAct, LocalAct, WireError } from '../../host/generated';
import { asWireError, type SessionsHost } from '../../host/host';
import { m } from '../../words/words.svelte';

/** A prompt, or the end of a copy, changes nothing for so long: then the folder is read again. */
const SETTLE_MS = 250;
const ADDRESS_MOST = 8192;

export const joined = (folder: string, name: string): string => (folder.endsWith('/') ? folder : `${folder}/`) + name;

export function above(path: string): string {
  const at = path.replace(/\/+$/, '').lastIndexOf('/');
  return at <= 0 ? '/' : path.slice(0, at);
}

export const lastPart = (path: string): string =>
  path
    .replace(/[/\\]+$/, '')
    .split(/[/\\]/)
    .at(-1) ?? path;

/** The folder that a shell says it is in (OSC 7): untrusted text, which only ever names a folder over there. */
export function folderOf(address: string): string | null {
  const found = address.length <= ADDRESS_MOST ? /^file:\/\/[^/]*(\/.*)$/.exec(address) : null;
  try {
    const path = decodeURIComponent(found?.[1] ?? '');
    return path === '' || path.includes('\0') ? null : path;
  } catch {
    return null;
  }
}

const over = (copy: CopyView): boolean => ['done', 'failed', 'cancelled'].includes(copy.state.kind);

export class FilesState {
  readonly session: string;
  /** The folder shown; null before there is one. */
  path = $state<string | null>(null);
  entries = $state.raw<readonly EntryView[]>([]);
  /** There are more than are shown. */
  cut = $state(false);
  loading = $state(false);
  /** Names that are chosen. */
  chosen = $state.raw<ReadonlySet<string>>(new Set());
  copies = $state.raw<readonly CopyView[]>([]);
  /** Files that are changed in an editor here. */
  edits = $state.raw<readonly EditView[]>([]);
  error = $state.raw<WireError | null>(null);
  /** Something is being changed over there. */
  busy = $state(false);
  follows = true;
  readonly #host: SessionsHost;
  #asked = 0;
  #shell: string | null = null;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(host: SessionsHost, session: string) {
    this.#host = host;
    this.session = session;
  }

  end(): void {
    clearTimeout(this.#settling);
  }

  /** Begins in the shell's folder, as far as it said where that is, or at home. */
  async begin(): Promise<void> {
    void this.#ask({ act: 'copies', session: this.session }).then((answer) => {
      if (answer?.kind === 'copies' && this.copies.length === 0) this.copies = answer.copies;
    });
    void this.#ask({ act: 'edits', session: this.session }).then((answer) => {
      if (answer?.kind === 'edits' && this.edits.length === 0) this.edits = answer.edits;
    });
    await this.open(this.follows ? this.#shell : null);
  }

  /** Shows a folder; without one, the home. */
  async open(folder: string | null, quiet = false): Promise<void> {
    const mine = ++this.#asked;
    if (!quiet) this.loading = true;
    try {
      const answer = await this.#host.files({ act: 'list', session: this.session, folder });
      if (mine !== this.#asked || answer.kind !== 'folder') return;
      const names = new Set(answer.folder.entries.map(({ name }) => name));
      const same = this.path === answer.folder.path;
      this.chosen = same ? new Set([...this.chosen].filter((name) => names.has(name))) : new Set();
      this.path = answer.folder.path;
      this.entries = answer.folder.entries;
      this.cut = answer.folder.cut;
      if (!quiet) this.error = null;
    } catch (thrown) {
      if (mine === this.#asked && !quiet) this.#told(thrown);
    } finally {
      if (mine === this.#asked) this.loading = false;
    }
  }

  refresh = (): Promise<void> => this.open(this.path);

  /** The shell said where it is. */
  shellAt(address: string): void {
    const folder = folderOf(address);
    if (folder === null) return;
    const moved = folder !== this.#shell;
    this.#shell = folder;
    if (this.path === null) return;
    if (moved && this.follows && folder !== this.path) void this.open(folder, true);
    // What ran there may have made or removed a file.
    else if (folder === this.path) this.#settle();
  }

  followShell(): void {
    if (this.#shell !== null && this.path !== null && this.#shell !== this.path) void this.open(this.#shell, true);
  }

  /** The copies went on. */
  copied(copies: readonly CopyView[]): void {
    const ended = copies.some(
      (copy) =>
        copy.up &&
        over(copy) &&
        above(copy.there) === this.path &&
        !this.copies.some((before) => before.id === copy.id && over(before)),
    );
    this.copies = copies;
    if (ended) this.#settle();
  }

  /** Does something over there and reads the folder again; whether it went well. */
  async change(request: FilesAct): Promise<boolean> {
    this.busy = true;
    try {
      return (await this.#ask(request)) !== null;
    } finally {
      this.busy = false;
      await this.open(this.path, true);
    }
  }

  /** Does what needs files of this computer. */
  async local(request: LocalAct): Promise<void> {
    try {
      await this.#host.local(request);
      this.error = null;
    } catch (thrown) {
      this.#told(thrown);
    }
  }

  /** What is changed here went on. */
  edited(edits: readonly EditView[]): void {
    const saved = edits.some(({ path, state }) => state.kind === 'saved' && above(path) === this.path);
    this.edits = edits;
    if (saved) this.#settle();
  }

  /** Opens a file in the editor. */
  edit(path: string): void {
    void this.local({ act: 'edit', session: this.session, path });
  }

  onEdit = (act: 'save_edit' | 'end_edit', edit: number): void => {
    void this.#ask({ act, session: this.session, edit });
  };

  steer = (copy: number, how: CopySteer): void => {
    void this.#ask({ act: 'steer', session: this.session, copy, how });
  };

  clearCopies = (): void => {
    void this.#ask({ act: 'clear_copies', session: this.session });
  };

  stopRemoving = (): void => {
    void this.#ask({ act: 'stop_removing', session: this.session });
  };

  /** Whole paths of what is chosen. */
  get paths(): string[] {
    const folder = this.path;
    return folder === null ? [] : [...this.chosen].map((name) => joined(folder, name));
  }

  async #ask(request: FilesAct) {
    try {
      const answer = await this.#host.files(request);
      this.error = null;
      return answer;
    } catch (thrown) {
      this.#told(thrown);
      return null;
    }
  }

  #settle(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.open(this.path, true), SETTLE_MS);
  }

  #told(thrown: unknown): void {
    this.error = asWireError(thrown, m.error_unexpected());
  }
}
