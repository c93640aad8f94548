// What comes from a session, on its way to the screen. Each frame has the offset of its first byte before it. Only what the
// screen has really written is told back: the backend sends no more than a window ahead of that.

/** So much is written before it is told, in bytes, unless nothing more is under way. */
const TELL_EVERY = 128 * 1024;

export type FeedTo = {
  write: (bytes: Uint8Array, done: () => void) => void;
  shown: (offset: number) => void;
  /** Output before this is gone: so many bytes. */
  lost: (bytes: number) => void;
};

export class Feed {
  readonly #to: FeedTo;
  /** Offset after the last byte that came. */
  #came: number | null = null;
  #written = 0;
  #told = 0;
  #live = true;

  constructor(to: FeedTo) {
    this.#to = to;
  }

  /** Where to read on: after what was written; null before anything came. */
  get next(): number | null {
    return this.#came === null ? null : this.#written;
  }

  /** What is still under way from before comes anew. */
  again(): void {
    if (this.#came !== null) this.#came = this.#written;
  }

  end(): void {
    this.#live = false;
  }

  take(frame: ArrayBuffer): void {
    if (!this.#live || frame.byteLength < 8) return;
    const offset = Number(new DataView(frame).getBigUint64(0));
    let bytes = new Uint8Array(frame, 8);
    if (this.#came === null) {
      this.#written = offset;
    } else if (offset > this.#came) {
      this.#to.lost(offset - this.#came);
    } else if (offset < this.#came) {
      // Already here.
      bytes = bytes.subarray(Math.min(this.#came - offset, bytes.length));
    }
    if (bytes.length === 0) return;
    const end = offset + frame.byteLength - 8;
    this.#came = end;
    this.#to.write(bytes, () => {
      if (!this.#live) return;
      this.#written = Math.max(this.#written, end);
      if (this.#written - this.#told >= TELL_EVERY || this.#written === this.#came) {
        this.#told = this.#written;
        this.#to.shown(this.#written);
      }
    });
  }
}
