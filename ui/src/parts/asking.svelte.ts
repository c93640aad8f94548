// One thing that a dialog asks for: whether it is on its way, and why it was refused.
import type { WireError } from '../host/generated';
import { useApp, type AppState } from '../state.svelte';

export class Asking {
  busy = $state(false);
  error = $state.raw<WireError | null>(null);
  readonly #app: AppState = useApp();

  /** Asks for it, unless it is on its way already; whether it went well. */
  async ask(act: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = null;
    try {
      await act();
      return true;
    } catch (thrown) {
      this.error = this.#app.error(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
