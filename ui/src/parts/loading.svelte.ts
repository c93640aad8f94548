// Something that is read for a dialog or a section: not there yet, there, or why it is not.
import { untrack } from 'svelte';
import type { WireError } from '../host/generated';
import { useApp, type AppState } from '../state.svelte';

export class Loading<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<WireError | null>(null);
  busy = $state(false);
  #asked = 0;
  readonly #app: AppState = useApp();

  /** Reads it (anew); an answer to an older question is dropped. What is known stays until the new answer is there. */
  async load(read: () => Promise<T>): Promise<void> {
    const asked = ++this.#asked;
    this.busy = true;
    try {
      // What is read along the way is no reason to read it all again.
      const value = await untrack(read);
      if (asked !== this.#asked) return;
      this.value = value;
      this.error = null;
    } catch (thrown) {
      if (asked !== this.#asked) return;
      this.error = this.#app.error(thrown);
    }
    this.busy = false;
  }

  /** Forgets what is known, and whatever is on its way. */
  clear(): void {
    this.#asked += 1;
    this.value = null;
    this.error = null;
    this.busy = false;
  }
}
