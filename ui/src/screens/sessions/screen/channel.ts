// What noVNC takes for a WebSocket: it looks whether an object has these names, and then calls and sets them.

export class Channel {
  binaryType = 'arraybuffer';
  protocol = 'binary';
  /** Open from the beginning: what is on the way waits in the backend. */
  readyState = 'open';
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: Uint8Array }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  readonly #typed: (bytes: Uint8Array) => void;

  constructor(typed: (bytes: Uint8Array) => void) {
    this.#typed = typed;
  }

  /** noVNC writes into the same place again: what it sends is copied. */
  send(bytes: Uint8Array): void {
    if (this.readyState === 'open') this.#typed(bytes.slice());
  }

  close(): void {
    this.readyState = 'closed';
  }

  /** Something came from the screen. */
  take(bytes: Uint8Array): void {
    if (this.readyState === 'open') this.onmessage?.({ data: bytes });
  }
}
