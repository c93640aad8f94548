// The price of a disk while its size is being typed.
import type { AskDiskPrice, DiskPrice } from '../../../host/generated';
import { Loading } from '../../../parts/loading.svelte';
import { useApp } from '../../../state.svelte';

const ASK_AFTER_MS = 300;

/** Follows what `ask` says; null while there is nothing to ask. Call it while a component is made. */
export function diskPrice(ask: () => AskDiskPrice | null): Loading<DiskPrice> {
  const app = useApp();
  const price = new Loading<DiskPrice>();
  // As text, so that the same question is not asked again because the server it is about was listed anew.
  const asked = $derived(JSON.stringify(ask()));
  $effect(() => {
    const question = JSON.parse(asked) as AskDiskPrice | null;
    // The price of another size is no price of this one.
    price.clear();
    if (question === null) return;
    price.busy = true;
    const timer = setTimeout(() => void price.load(() => app.host.disks.price(question)), ASK_AFTER_MS);
    return () => clearTimeout(timer);
  });
  return price;
}
