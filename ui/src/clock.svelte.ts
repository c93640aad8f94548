// The one clock of the interface: everything that counts down or up reads it, so all of it moves together.
import { createSubscriber } from 'svelte/reactivity';

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
});

/** Milliseconds since the epoch, by this computer's clock. Where it is shown, it is shown anew each second. */
export function now(): number {
  subscribe();
  return Date.now();
}

const midnight = $derived(new Date(now()).setHours(0, 0, 0, 0));

/** The beginning of this computer's day: for what changes with the day only, so that a long list is not worked out anew
 * each second. */
export const today = (): number => midnight;
