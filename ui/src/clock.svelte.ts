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
