// What sources of events are called.
import { visible } from '../../words/format';
import { m } from '../../words/words.svelte';

export function sourceName(name: string): string {
  if (name === 'ledger') return m.usage_source_ledger();
  if (name === 'platform') return m.usage_source_platform();
  return name.startsWith('file:') ? m.usage_source_file({ name: visible(name.slice(5)) }) : visible(name);
}
