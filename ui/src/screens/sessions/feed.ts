// What comes from a session, on its way to the screen. Each frame has the offset of its first byte before it. Only what the
// screen has really written is told back: the backend sends no more than a window ahead of that.

/** So much is written before it is told, in bytes, unless nothing more is under way. */
const TELL_EVERY = 128 * 1024;
/** A terminal is handed so much at once, and so much ahead of what it has written: enough that it never runs dry, and little enough
 * that it stops soon when it has to make way. */
const PORTION = 32 * 1024;
const AHEAD = 128 * 1024;

export type FeedTo = {
  write: (bytes: Uint8Array, done: () => void) => void;
  shown: (offset: number) => void;
  /** Output before this is gone: so many bytes. */
  lost: (bytes: number) => void;
  /** For so many ms it makes way for another. Without it, everything is handed on as it comes. */
  wait?: () => number;
};

export class Feed {
  readonly #to: FeedTo;
  /** What came and was not handed on: bytes, or how many of them are gone. */
  #queue: (Uint8Array | number)[] = [];
  /** Offset after the last byte that came. */
  #came: number | null = null;
  /** Offset after the last byte that was handed on. */
  #given = 0;
  #written = 0;
  #told = 0;
  #live = true;
  #waiting: ReturnType<typeof setTimeout> | null = null;

  constructor(to: FeedTo) {
    this.#to = to;
  }

  /** Where to read on: after what was handed on; null before anything came. */
  get next(): number | null {
    return this.#came === null ? null : this.#given;
  }

  /** What was not handed on yet comes anew. */
  again(): void {
    this.#queue = [];
    if (this.#came !== null) this.#came = this.#given;
  }

  end(): void {
    this.#live = false;
    if (this.#waiting !== null) clearTimeout(this.#waiting);
  }

  take(frame: ArrayBuffer): void {
    if (!this.#live || frame.byteLength < 8) return;
    const offset = Number(new DataView(frame).getBigUint64(0));
    let bytes = new Uint8Array(frame, 8);
    if (this.#came === null) {
      this.#came = this.#given = this.#written = offset;
    } else if (offset > this.#came) {
      this.#queue.push(offset - this.#came);
    } else if (offset < this.#came) {
      // Already here.
      bytes = bytes.subarray(Math.min(this.#came - offset, bytes.length));
    }
    if (bytes.length === 0) return;
    this.#came = offset + frame.byteLength - 8;
    this.#queue.push(bytes);
    this.#hand();
  }

  #hand(): void {
    if (this.#waiting !== null || !this.#live) return;
    for (let first = this.#queue.shift(); first !== undefined; first = this.#queue.shift()) {
      if (typeof first === 'number') {
        this.#given += first;
        this.#to.lost(first);
        continue;
      }
      const wait = this.#to.wait?.();
      if (wait !== undefined && (wait > 0 || this.#given - this.#written >= AHEAD)) {
        this.#queue.unshift(first);
        if (wait > 0) {
          this.#waiting = setTimeout(() => {
            this.#waiting = null;
            this.#hand();
          }, wait);
        }
        return;
      }
      const portion = wait === undefined ? first : first.subarray(0, PORTION);
      if (portion.length < first.length) this.#queue.unshift(first.subarray(portion.length));
      const end = (this.#given += portion.length);
      this.#to.write(portion, () => this.#done(end));
    }
  }

  #done(end: number): void {
    if (!this.#live) return;
    this.#written = Math.max(this.#written, end);
    if (this.#written - this.#told >= TELL_EVERY || this.#written === this.#came) {
      this.#told = this.#written;
      this.#to.shown(this.#written);
    }
    this.#hand();
  }
}
