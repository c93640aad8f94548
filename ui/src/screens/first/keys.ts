import type { FoundKey } from '../../host/generated';
import { m } from '../../words/words.svelte';

/** Where a key was found, in words. */
export const keyPlace = (key: FoundKey): string =>
  key.source === 'environment' ? m.found_environment() : (key.file ?? '');
