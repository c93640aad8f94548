// The recordings of sessions, and the playing of one: what was shown, at its own pace.
import type {
  RecordingPlaceView,
  RecordingView,
  RecordingsAct,
  RecordingsAnswer,
  WireError,
} from '../../host/generated';
import { asWireError, type SessionsHost } from '../../host/host';
import { m } from '../../words/words.svelte';

export class RecordingsState {
  list = $state.raw<readonly RecordingView[]>([]);
  places = $state.raw<readonly RecordingPlaceView[] | null>(null);
  error = $state.raw<WireError | null>(null);
  /** The name of a copy that was made last. */
  exported = $state<string | null>(null);
  readonly #host: SessionsHost;

  constructor(host: SessionsHost) {
    this.#host = host;
  }

  async ask(request: RecordingsAct): Promise<RecordingsAnswer | null> {
    try {
      const answer = await this.#host.recordings(request);
      this.error = null;
      if (answer.kind === 'list') this.list = answer.recordings;
      if (answer.kind === 'places') this.places = answer.places;
      if (answer.kind === 'exported') this.exported = answer.name;
      return answer;
    } catch (thrown) {
      this.error = asWireError(thrown, m.error_unexpected());
      return null;
    }
  }
}

/** What a player writes to. */
export type PlayedOn = {
  write: (text: string) => void;
  resize: (columns: number, rows: number) => void;
  clear: () => void;
};

type Entry = [number, string, string];

/** Nothing is waited for longer than this, however long nothing happened. */
const PAUSE_MOST_S = 2;

/** Plays the entries of a recording; the clock is handed in. */
export class Player {
  /** Seconds since the beginning of the recording. */
  at = $state(0);
  length = $state(0);
  playing = $state(false);
  speed = $state(1);
  ready = $state(false);
  #entries: Entry[] = [];
  #next = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #on: PlayedOn;
  #size: [number, number] = [80, 24];

  constructor(on: PlayedOn) {
    this.#on = on;
  }

  /** Takes a whole recording, part by part. */
  async load(part: (from: number) => Promise<RecordingsAnswer | null>): Promise<void> {
    let from: number | null = 0;
    while (from !== null) {
      const answer: RecordingsAnswer | null = await part(from);
      if (answer?.kind !== 'part') return;
      if (from === 0) this.#size = [answer.part.columns, answer.part.rows];
      for (const entry of answer.part.entries) this.#entries.push(entry);
      from = answer.part.next;
    }
    this.length = this.#entries.at(-1)?.[0] ?? 0;
    this.ready = true;
    this.seek(0);
  }

  /** Shows what was shown up to a moment. */
  seek(at: number): void {
    clearTimeout(this.#timer);
    this.#on.clear();
    this.#on.resize(...this.#size);
    this.#next = 0;
    while (this.#next < this.#entries.length && (this.#entries[this.#next]?.[0] ?? 0) <= at) this.#show();
    this.at = at;
    if (this.playing) this.#wait();
  }

  play(): void {
    if (this.#next >= this.#entries.length) this.seek(0);
    this.playing = true;
    this.#wait();
  }

  pause(): void {
    this.playing = false;
    clearTimeout(this.#timer);
  }

  #show(): void {
    const entry = this.#entries[this.#next++];
    if (!entry) return;
    const [at, kind, data] = entry;
    this.at = at;
    if (kind === 'o') this.#on.write(data);
    const size = kind === 'r' ? /^(\d{1,4})x(\d{1,4})$/.exec(data) : null;
    if (size) this.#on.resize(Number(size[1]), Number(size[2]));
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const next = this.#entries[this.#next];
    if (!next) {
      this.playing = false;
      return;
    }
    const pause = Math.min(Math.max(next[0] - this.at, 0), PAUSE_MOST_S) / this.speed;
    this.#timer = setTimeout(() => {
      if (!this.playing) return;
      // What comes at the same moment comes together.
      const until = next[0] + 0.01;
      while ((this.#entries[this.#next]?.[0] ?? Infinity) <= until) this.#show();
      this.#wait();
    }, pause * 1000);
  }
}
